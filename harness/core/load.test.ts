import { expect, test } from 'vitest';
import { byLoad, describeLoad, isSameLoad, type OfferedLoad } from './load.ts';

const users = (concurrency: number): OfferedLoad => ({ model: 'closed', concurrency });
const rate = (arrivalRatePerS: number): OfferedLoad => ({ model: 'open', arrivalRatePerS, arrivals: 'poisson' });
const changing: OfferedLoad = {
  model: 'open',
  arrivalRatePerS: 100,
  arrivals: 'constant',
  changes: [
    { atS: 10, overS: 0, toRatePerS: 500 },
    { atS: 20, overS: 10, toRatePerS: 1000 },
  ],
};

test('a load in words: arrivals at random are the usual case, all else is said', () => {
  expect(describeLoad(users(100))).toBe('concurrency 100');
  expect(describeLoad(rate(1500))).toBe('1,500/s');
  expect(describeLoad(changing)).toBe('100/s, to 500/s at 10 s, to 1,000/s from 20 s to 30 s (constant arrivals)');
});

test('rates come before rates that change, and both before numbers of users', () => {
  const ordered = [rate(20), rate(500), changing, users(1), users(100)];
  expect(ordered.toReversed().toSorted(byLoad)).toEqual(ordered);
});

test('a load is the same in whatever order its parts were written', () => {
  const all = [rate(20), rate(500), changing, { ...changing, changes: changing.changes?.slice(1) ?? [] }, users(20)];
  for (const [index, one] of all.entries()) {
    const again = Object.fromEntries(Object.entries(one).toReversed()) as OfferedLoad;
    expect(all.map((each) => isSameLoad(each, again))).toEqual(all.map((_, other) => other === index));
  }
  expect(isSameLoad(rate(20), { ...rate(20), model: 'open', changes: [] } as OfferedLoad)).toBe(true);
});
