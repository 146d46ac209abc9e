import { expect, it } from 'vitest';
import type { Service, ServiceKind, Tier } from '../../core/tier.ts';
import { tierObstacles } from './what-runs-here.ts';

function service(name: string, kind: ServiceKind, connectsTo: Record<string, string> = {}, instances = 1): Service {
  return { name, kind, instances, settings: {}, resources: {}, connectsTo };
}

function tier(...services: Service[]): Tier {
  return { name: 't', title: '', description: '', documents: [], entry: services[0]?.name ?? '', services };
}

it('has nothing against one API on one primary', () => {
  expect(tierObstacles(tier(service('api', 'api', { writer: 'db' }), service('db', 'primary')))).toEqual([]);
});

it('names every part it does not bring up', () => {
  const obstacles = tierObstacles(
    tier(
      service('balancer', 'load-balancer', { api: 'api' }),
      service('api', 'api', { writer: 'db', cache: 'redis' }, 3),
      service('redis', 'cache'),
      service('db', 'primary'),
      service('copy', 'replica', { primary: 'db' }),
      service('pool', 'pooler', { writer: 'db' }),
    ),
  );
  expect(obstacles).toHaveLength(4);
  for (const name of ['balancer', 'redis', 'copy', 'pool']) {
    expect(obstacles).toContainEqual(expect.stringMatching(new RegExp(`'${name}'.*; `)));
  }
});

it.each([
  ['several instances without a balancer', tier(service('api', 'api', { writer: 'db' }, 2), service('db', 'primary'))],
  ['an API without a database', tier(service('api', 'api'), service('db', 'primary'))],
  ['a database as the entry', tier(service('db', 'primary'), service('api', 'api', { writer: 'db' }))],
  [
    'an entry that is not there',
    { ...tier(service('api', 'api', { writer: 'db' }), service('db', 'primary')), entry: 'x' },
  ],
  ['two primaries', tier(service('api', 'api', { writer: 'a' }), service('a', 'primary'), service('b', 'primary'))],
  ['two copies of a primary', tier(service('api', 'api', { writer: 'a' }), service('a', 'primary', {}, 2))],
])('refuses %s, with one reason', (_, refused) => {
  expect(tierObstacles(refused)).toHaveLength(1);
});
