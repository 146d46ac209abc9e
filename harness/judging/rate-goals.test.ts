import { describe, expect, it } from 'vitest';
import { type MadeUpTrial, madeUpTarget, madeUpTrial } from '../../test-support/made-up-trial.ts';
import { judgeTrial } from './judge-trial.ts';
import { rateGoals, searchEvidence } from './rate-goals.ts';

const p95 = madeUpTarget({ id: 'p95', value: 0.2, comparison: '<', judged: { by: 'measured', metric: 'latency-p95' } });
const errors = madeUpTarget({
  id: 'errors',
  value: 0.001,
  comparison: '<',
  unit: 'ratio',
  judged: { by: 'measured', metric: 'error-ratio' },
});
const open = { model: 'open', arrivalRatePerS: 100, arrivals: 'poisson' } as const;
const evidence = (choice: MadeUpTrial, targets = [p95, errors]) => {
  const judged = judgeTrial(madeUpTrial({ load: open, okPerS: 100, ...choice }));
  return searchEvidence(judged, rateGoals(targets, 'single', 'crud'));
};

describe('the goals of a rate', () => {
  it('are the percentiles and error ratios that apply and name no load', () => {
    const atOneLoad = { ...p95, appliesTo: { tiers: [], scenarios: [], concurrency: 10 } };
    const mean = { ...p95, judged: { by: 'measured', metric: 'latency-mean' } } as const;
    const other = { ...p95, appliesTo: { tiers: [], scenarios: ['login'] } };
    const goals = rateGoals([p95, errors, atOneLoad, mean, other], 'single', 'crud');
    expect(goals.map(({ id, allowedRatio }) => [id, allowedRatio])).toEqual([
      ['p95', expect.closeTo(0.05)],
      ['errors', 0.001],
    ]);
  });

  it('without a latency target are that what is offered is answered', () => {
    expect(rateGoals([], 'single', 'crud').map(({ id }) => id)).toEqual(['answered']);
    const [counts] = rateGoals([], 'single', 'crud').map((goal) =>
      goal.countsIn(judgeTrial(madeUpTrial({ load: open, okPerS: 90, droppedPerS: 10 })), { lagS: 0, beyondRatio: 0 }),
    );
    expect(counts).toEqual({ bad: 100, all: 1000 });
  });
});

describe('what a trial says to the search', () => {
  it('counts what was slower, failed or dropped, of all that should have been answered', () => {
    const latencyS = (request: number) => (request < 3 ? 0.5 : 0.02);
    expect(evidence({ latencyS, failedPerS: 2 })).toEqual({
      kind: 'counted',
      goals: [
        { bad: 50, all: 1020 },
        { bad: 20, all: 1020 },
      ],
    });
  });

  it('is what the slowest step says, where the target is about each, as far as it has requests enough', () => {
    const each = { ...p95, judged: { by: 'measured', metric: 'latency-p95', each: 'step' } } as const;
    const latencyS = (request: number) => (request % 4 === 3 ? 0.5 : 0.02);
    const steps = ['list', 'read', 'write', 'delete'];
    expect(evidence({ steps, latencyS }, [each])).toEqual({ kind: 'counted', goals: [{ bad: 250, all: 250 }] });
    // 6 requests of each step: one slow one would be more than the target allows.
    expect(evidence({ steps, latencyS, okPerS: 4, measuredS: 6 }, [each])).toEqual({
      kind: 'counted',
      goals: [{ bad: 6, all: 24 }],
    });
  });

  it('is nothing where the generator was at its limit, or the trial was stopped', () => {
    expect(evidence({ generator: { utilizationRatio: 0.95 } })).toEqual({ kind: 'invalid', limit: 'generator' });
    expect(evidence({ stopped: true })).toEqual({ kind: 'invalid', limit: 'other' });
  });

  it('stands where others used the machine and the goals were kept all the same, and not where they were missed', () => {
    const samples = [1, 2, 3].map((atS) => ({ atS, source: 'machine', metric: 'steal', value: 0.3 }) as const);
    expect(evidence({ samples })).toMatchObject({ kind: 'counted' });
    expect(evidence({ samples, latencyS: 0.5 })).toEqual({ kind: 'invalid', limit: 'machine' });
  });
});
