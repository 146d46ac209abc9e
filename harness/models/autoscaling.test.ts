import { describe, expect, it } from 'vitest';
import { type AutoscalingQuestion, ratesOfDay, simulateAutoscaling } from './autoscaling.ts';

const usual: AutoscalingQuestion = {
  ratesPerS: [],
  stepS: 15,
  capacityPerS: 100,
  minimum: 1,
  maximum: 20,
  targetUtilizationRatio: 0.5,
  toleranceRatio: 0.1,
  stabilisationS: 300,
  startS: 3,
};
const paidOf = (changes: Partial<AutoscalingQuestion>) =>
  simulateAutoscaling({ ...usual, ...changes }).steps.map(({ paid }) => paid);

describe('the rule of the Horizontal Pod Autoscaler', () => {
  it('has ceil(current x metric / target) instances in the step after', () => {
    // 2 instances at 200/s are used to 100 % of a target of 50 %: 4. At 350/s 4 are used to 87.5 %: ceil(4 x 1.75) = 7.
    expect(paidOf({ ratesPerS: [100, 200, 350, 350] })).toEqual([2, 2, 4, 7]);
  });

  it('changes nothing within 10 % of the target', () => {
    expect(paidOf({ ratesPerS: [200, 220, 180, 200] })).toEqual([4, 4, 4, 4]);
    expect(paidOf({ ratesPerS: [200, 221, 221] })).toEqual([4, 4, 5]);
  });

  it('removes instances when none of the last 300 s asked for more', () => {
    // The end of the second step asks for 8 for the last time, at 30 s; the first step from 330 s on has 2.
    const paid = paidOf({ ratesPerS: [400, 400, ...Array.from({ length: 24 }, () => 100)] });
    expect(paid.findIndex((each) => each < 8)).toBe(22);
    expect(paid.at(-1)).toBe(2);
  });

  it('keeps to its ends', () => {
    expect(paidOf({ ratesPerS: [100, 5000, 5000], maximum: 5 })).toEqual([2, 2, 5]);
    expect(paidOf({ ratesPerS: [0, 0], minimum: 3 })).toEqual([3, 3]);
  });
});

it('counts the requests that came while instances were missing', () => {
  // Two instances carry 200/s: of 300/s in a step of 15 s 1,500 are beyond, and 300 in the 3 s until the others are ready.
  const found = simulateAutoscaling({ ...usual, ratesPerS: [100, 300, 300, 300] });
  expect(found.steps.map(({ paid }) => paid)).toEqual([2, 2, 6, 6]);
  expect(found.requestsBeyond).toBeCloseTo(1800);
  expect(found.secondsBeyond).toBe(30);
  expect(found.requests).toBe(15_000);
  expect(found.highestInstances).toBe(6);
});

it('saves what the peak is not needed for', () => {
  // Half an hour with 10 instances and half an hour with 2, without stabilisation.
  const ratesPerS = [...Array.from({ length: 120 }, () => 500), ...Array.from({ length: 120 }, () => 100)];
  const found = simulateAutoscaling({ ...usual, ratesPerS, stabilisationS: 0 });
  expect(found.peakInstances).toBe(10);
  expect(found.peakInstanceHours).toBeCloseTo(10);
  // The step in which the load fell is paid for in full.
  expect(found.instanceHours).toBeCloseTo(5 + 1 + (8 * 15) / 3600);
  expect(found.savingRatio).toBeCloseTo(1 - found.instanceHours / 10);
});

it('goes evenly from hour to hour, round the clock', () => {
  const rates = ratesOfDay([...Array.from({ length: 23 }, () => 1), 2], 100, 1800);
  expect(rates).toHaveLength(48);
  expect(Math.max(...rates)).toBeCloseTo(87.5);
  expect(rates[0]).toBeCloseTo(62.5);
  expect(rates[20]).toBeCloseTo(50);
});
