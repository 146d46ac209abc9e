import { expect, test } from 'vitest';
import { judgeTrial } from '../../harness/judging/judge-trial.ts';
import { madeUpTrial } from '../../test-support/made-up-trial.ts';
import { describeTrial } from './trial-line.ts';

const load = { model: 'open', arrivalRatePerS: 100, arrivals: 'poisson' } as const;

test('a trial in one line: dropped work is shown where there is any', () => {
  const line = describeTrial(judgeTrial(madeUpTrial({ load, latencyS: 0.02 }), null));
  expect(line).toBe('100/s, p95 20 ms, 0 % errors');
  expect(describeTrial(judgeTrial(madeUpTrial({ load, latencyS: 0.02, droppedPerS: 25 }), null))).toMatch(
    /p95 20 ms, 20 % errors, 250 of 1,250 dropped \(20 %\); invalid: only 80 % of the intended/,
  );
});

test('what the generator itself can do is minded', () => {
  const calibration = {
    ceilingPerS: 110,
    ceilingConcurrency: 50,
    ceilingIsAtLeast: false,
    floorP50S: 0.0001,
    floorP95S: 0.0002,
    floorRatePerS: 100,
    sendLagP99S: null,
  };
  expect(describeTrial(judgeTrial(madeUpTrial({ load }), calibration))).toContain('invalid: the generator made 100/s');
});
