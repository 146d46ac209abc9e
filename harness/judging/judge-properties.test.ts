import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type MadeUpTrial, madeUpRun, madeUpTarget, madeUpTrial } from '../../test-support/made-up-trial.ts';
import type { MeasuredMetric, Target } from '../core/target.ts';
import { settingInUnit } from '../services/registry.ts';
import { judgeTargets } from './judge.ts';
import { judgeTrials } from './judge-trial.ts';

const measured = (metric: MeasuredMetric, changes: Partial<Target> & Pick<Target, 'value'>): Target =>
  madeUpTarget({ judged: { by: 'measured', metric }, ...changes });
const latencyTarget = measured('latency-p95', { value: 0.2 });
const stepTarget = measured('latency-p95', {
  value: 0.2,
  judged: { by: 'measured', metric: 'latency-p95', each: 'step' },
});
const errorTarget = measured('error-ratio', { value: 0.001, unit: 'ratio' });
const allMeasured = [
  latencyTarget,
  stepTarget,
  measured('latency-mean', { value: 0.2 }),
  measured('latency-max', { value: 0.2 }),
  errorTarget,
  measured('throughput', { value: 1000, comparison: '>=', unit: 'requests/s' }),
  measured('concurrency', { value: 100, comparison: '>=', unit: 'users' }),
  measured('data-size', { value: 1000, comparison: '>=', unit: 'tasks' }),
];

/** The kind of verdict for each of the targets, in their order. */
function kindsOf(targets: readonly Target[], choices: readonly MadeUpTrial[]): string[] {
  const run = madeUpRun(
    choices.map((choice) => madeUpTrial(choice)),
    targets,
  );
  return judgeTargets(run, judgeTrials(run), settingInUnit).map(({ verdict }) => verdict.kind);
}

const anyLatencyS = fc.constantFrom(0.01, 0.1, 0.18, 0.21, 0.5, 2);
const anyTrial = fc.record({
  latencyS: anyLatencyS,
  okPerS: fc.integer({ min: 0, max: 60 }),
  failedPerS: fc.constantFrom(0, 0, 1, 20),
});

function loadStepsOf(trials: readonly MadeUpTrial[]): MadeUpTrial[] {
  return trials.map((trial, index) => ({ ...trial, measuredS: 5, concurrency: [1, 10, 100][index] ?? 1000 }));
}

describe('whatever is measured', () => {
  it('nothing is met by invalid trials alone, and no latency or error target by one among them', () => {
    fc.assert(
      fc.property(
        fc.array(anyTrial, { minLength: 1, maxLength: 3 }),
        fc.nat(2),
        fc.constantFrom<MadeUpTrial>(
          { stopped: true },
          { generator: { utilizationRatio: 0.95 } },
          { notes: [{ code: 'service-crashed', instance: 'api/1', detail: 'exit code 1' }] },
          { unfinishedS: [4.9] },
        ),
        (trials, position, flaw) => {
          const allInvalid = loadStepsOf(trials).map((trial) => ({ ...trial, ...flaw }));
          expect(kindsOf(allMeasured, allInvalid)).not.toContain('met');
          const oneInvalid = loadStepsOf(trials).map((trial, index) =>
            index === position % trials.length ? { ...trial, ...flaw } : trial,
          );
          expect(kindsOf([latencyTarget, stepTarget, errorTarget], oneInvalid)).not.toContain('met');
        },
      ),
      { numRuns: 30 },
    );
  });

  it('a further step that is slow never turns missed into met, and a fast one never hides a slow one', () => {
    fc.assert(
      fc.property(anyLatencyS, anyLatencyS, fc.integer({ min: 1, max: 6 }), (latencyS, furtherS, copies) => {
        const names = ['first', ...Array.from({ length: copies }, (_, copy) => `further ${copy}`)];
        const before: MadeUpTrial = { measuredS: 5, okPerS: 60, latencyS, steps: ['first'] };
        const after: MadeUpTrial = {
          measuredS: 5,
          okPerS: 60 * names.length,
          latencyS: (request) => (request % names.length === 0 ? latencyS : furtherS),
          steps: names,
        };
        const [kindBefore] = kindsOf([stepTarget], [before]);
        const [kindAfter] = kindsOf([stepTarget], [after]);
        if (kindBefore === 'missed') expect(kindAfter).toBe('missed');
        if (furtherS > 0.2) expect(kindAfter).not.toBe('met');
      }),
      { numRuns: 20 },
    );
  });

  it('slower answers, more failures and less throughput never turn missed into met', () => {
    fc.assert(
      fc.property(
        fc.array(anyTrial, { minLength: 1, maxLength: 3 }),
        fc.constantFrom(1, 1.5, 10),
        fc.constantFrom(0, 5),
        (trials, slower, moreFailures) => {
          const before = loadStepsOf(trials);
          const after = before.map((trial, index) => ({
            ...trial,
            latencyS: (trials[index]?.latencyS ?? 0) * slower,
            okPerS: Math.floor((trials[index]?.okPerS ?? 0) / slower),
            failedPerS: (trial.failedPerS ?? 0) + moreFailures,
          }));
          const kindsAfter = kindsOf(allMeasured, after);
          for (const [index, kind] of kindsOf(allMeasured, before).entries()) {
            if (kind === 'missed') expect(kindsAfter[index]).not.toBe('met');
          }
        },
      ),
      { numRuns: 30 },
    );
  });
});
