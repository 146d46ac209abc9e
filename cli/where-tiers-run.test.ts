import { expect, it } from 'vitest';
import { describeWhere } from './where-tiers-run.ts';

const missing = (capability: string) =>
  ({ code: 'missing', capability, services: ['one'], detail: 'not on the PATH', command: null }) as const;

it('says where a tier runs, and of each other place why not', () => {
  expect(
    describeWhere([
      { provider: 'containers', obstacles: [] },
      { provider: 'local', obstacles: [] },
    ]),
  ).toBe('  runs here in containers and as local processes');
  expect(
    describeWhere([
      { provider: 'containers', obstacles: [{ code: 'container-engine-remote', address: 'there:2375' }] },
      { provider: 'local', obstacles: [] },
    ]),
  ).toMatch(/^ {2}runs here as local processes\n {2}not in containers: the container engine at there:2375 is/);
  expect(
    describeWhere([
      { provider: 'containers', obstacles: [{ code: 'no-container-engine' }] },
      { provider: 'local', obstacles: [missing('nginx'), missing('redis-server')] },
    ]),
  ).toMatch(
    /^ {2}does not run here\n {2}not in containers: .*\n {2}not as local processes: nginx .*\n {2}not as local processes: redis-server .*$/,
  );
});
