import { describe, expect, test } from 'vitest';
import { madeUpTrial } from '../../test-support/made-up-trial.ts';
import { drainTimeS } from './conduct-steps.ts';

describe('what a trial leaves to the system', () => {
  test('is what was in flight at the end, at the rate at which it answered', () => {
    // 25 logins in flight, 17 answered a second.
    const unfinishedS = Array.from({ length: 25 }, () => 1);
    expect(drainTimeS(madeUpTrial({ okPerS: 17, unfinishedS }).trial)).toBeCloseTo(25 / 17);
  });

  test('counts wrong answers too: they are work', () => {
    expect(drainTimeS(madeUpTrial({ okPerS: 5, failedPerS: 5, unfinishedS: [1, 1] }).trial)).toBeCloseTo(0.2);
  });

  test('is nothing where nothing was in flight', () => {
    expect(drainTimeS(madeUpTrial({ unfinishedS: [] }).trial)).toBe(0);
  });

  test('is waited for no longer than a request may take', () => {
    const { trial } = madeUpTrial({ okPerS: 1, unfinishedS: Array.from({ length: 1000 }, () => 1) });
    expect(drainTimeS(trial)).toBe(trial.plan.timeoutS);
    const nothing = madeUpTrial({ okPerS: 0, unfinishedS: [3] }).trial;
    expect(drainTimeS(nothing)).toBe(nothing.plan.timeoutS);
  });
});
