import { expect, it } from 'vitest';
import type { Service, Tier } from '../../core/tier.ts';
import { referenceApp } from '../../services/reference-app.ts';
import { obstaclesHere } from './requirements.ts';

function service(name: string, kind: string): Service {
  return { name, kind, instances: 1, settings: {}, resources: {}, connectsTo: {} };
}

const tier: Tier = {
  name: 't',
  title: '',
  description: '',
  documents: [],
  entry: 'api',
  services: [service('api', 'api'), service('one', 'pooler'), service('other', 'pooler'), service('redis', 'cache')],
};

it('names each program that is missing once, who needs it and the command that installs it', async () => {
  const pooler = {
    name: 'pgbouncer',
    neededFor: '',
    find: () => ({ state: 'missing', detail: 'not on the PATH', install: 'apt-get install pgbouncer' }) as const,
  };
  const cache = { name: 'redis', neededFor: '', find: () => ({ state: 'limited', detail: 'old' }) as const };
  const checks = ({ kind }: Service) => (kind === 'pooler' ? [pooler] : kind === 'cache' ? [cache] : []);
  expect(await obstaclesHere(tier, referenceApp, checks)).toEqual([
    {
      code: 'missing',
      capability: 'pgbouncer',
      services: ['one', 'other'],
      detail: 'not on the PATH',
      command: 'apt-get install pgbouncer',
    },
  ]);
  expect(await obstaclesHere(tier, referenceApp, () => [])).toEqual([]);
});
