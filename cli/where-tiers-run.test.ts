import { expect, it } from 'vitest';
import { describeWhere } from './where-tiers-run.ts';

it('says where a tier runs, and of each other place why not', () => {
  expect(
    describeWhere([
      { provider: 'containers', obstacles: [] },
      { provider: 'local', obstacles: [] },
    ]),
  ).toBe('  runs here in containers and as local processes');
  expect(
    describeWhere([
      { provider: 'containers', obstacles: ['no engine answers; start it'] },
      { provider: 'local', obstacles: [] },
    ]),
  ).toBe('  runs here as local processes\n  not in containers: no engine answers; start it');
  expect(
    describeWhere([
      { provider: 'containers', obstacles: ['a'] },
      { provider: 'local', obstacles: ['b', 'c'] },
    ]),
  ).toBe('  does not run here\n  not in containers: a\n  not as local processes: b\n  not as local processes: c');
});
