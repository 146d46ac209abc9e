import fc from 'fast-check';
import { expect, it } from 'vitest';
import { maximumBlocks, sumInBlocks } from './sums.ts';

it('keeps seconds as they are while there are few', () => {
  expect(sumInBlocks([3, 1, 4, 1, 5])).toEqual([3, 1, 4, 1, 5]);
  expect(sumInBlocks([])).toEqual([]);
});

it('joins neighbours, loses nothing, and makes blocks that differ by one second at most', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4000 }), (seconds) => {
      const lengths = sumInBlocks(new Array(seconds).fill(1));
      expect(lengths.length).toBe(Math.min(seconds, maximumBlocks));
      expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(seconds);
      expect(Math.max(...lengths) - Math.min(...lengths)).toBeLessThanOrEqual(1);
    }),
  );
});
