import { describe, expect, it } from 'vitest';
import { madeUpTrial } from '../../test-support/made-up-trial.ts';
import { pilotOf, readPilot } from './pilot.ts';

const steps = ['create', 'read', 'list', 'delete'];

describe('a probe', () => {
  it('returns the rates of the settled part of the window', () => {
    const slowAtFirst = (second: number) => (second < 2 ? 40 : 400);
    const { trial } = madeUpTrial({ concurrency: 25, measuredS: 5, okPerS: slowAtFirst, steps });
    expect(readPilot(trial)).toMatchObject({ concurrency: 25, throughputPerS: 400 });
  });

  it('uses all of a shorter window', () => {
    const { trial } = madeUpTrial({ concurrency: 25, measuredS: 1.5, okPerS: 60 });
    expect(readPilot(trial)?.throughputPerS).toBeCloseTo(80, 5);
  });

  it('returns how many requests an iteration sends', () => {
    const { trial } = madeUpTrial({ concurrency: 25, measuredS: 5, okPerS: 400, steps });
    const iterations = { intended: 500, completed: 500, failed: 0, dropped: 0 };
    expect(readPilot({ ...trial, iterations })?.requestsPerIteration).toBe(4);
  });

  it('is about what was done rightly, not about what was refused in no time', () => {
    const { trial } = madeUpTrial({ concurrency: 25, measuredS: 5, okPerS: 400, failedPerS: 9000 });
    expect(readPilot(trial)).toMatchObject({ throughputPerS: 400, iterationsPerS: 400 });
    expect(readPilot(madeUpTrial({ okPerS: 0, failedPerS: 9000 }).trial)).toBeUndefined();
  });

  it('returns nothing where no iteration completed, and for open-loop load', () => {
    const { trial } = madeUpTrial({ concurrency: 25, measuredS: 5, okPerS: 0 });
    expect(readPilot(trial)).toBeUndefined();
    const load = { model: 'open', arrivalRatePerS: 5, arrivals: 'poisson' } as const;
    expect(readPilot(madeUpTrial({ load }).trial)).toBeUndefined();
  });

  it('is the last warm-up of the scenario before its trials', () => {
    const window = (okPerS: number, scenario: string) => madeUpTrial({ purpose: 'warm-up', okPerS, scenario });
    const trials = [window(10, 'crud'), window(20, 'crud'), madeUpTrial({ okPerS: 50 }), window(30, 'login')];
    expect(pilotOf(trials, 'single', 'crud')?.throughputPerS).toBe(20);
    expect(pilotOf(trials, 'cached', 'crud')).toBeUndefined();
  });
});
