import { expect, it } from 'vitest';
import { limitFiles } from './control-groups.ts';

const both = ['cpu', 'memory'] as const;
const limits = { cpus: 0.2, memoryBytes: 512 * 1024 ** 2 };

it('writes what each version understands', () => {
  expect(limitFiles(1, both, limits)).toEqual([
    ['cpu.cfs_period_us', '10000'],
    ['cpu.cfs_quota_us', '2000'],
    ['memory.limit_in_bytes', '536870912'],
  ]);
  expect(limitFiles(2, both, limits)).toEqual([
    ['cpu.max', '2000 10000'],
    ['memory.max', '536870912'],
  ]);
  expect(limitFiles(1, ['memory'], limits)).toEqual([['memory.limit_in_bytes', '536870912']]);
  expect(limitFiles(2, both, {})).toEqual([]);
});
