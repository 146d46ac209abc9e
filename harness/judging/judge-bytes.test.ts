import { expect, it } from 'vitest';
import { madeUpRun, madeUpTarget, madeUpTrial } from '../../test-support/made-up-trial.ts';
import type { Target } from '../core/target.ts';
import type { StepResult, TrialRecord } from '../core/trial.ts';
import { settingInUnit } from '../services/registry.ts';
import { judgeTargets } from './judge.ts';
import { judgeTrials } from './judge-trial.ts';

const load = { model: 'closed', concurrency: 10 } as const;
const steps = ['list', 'me'];

const atMost = (value: number, more: Partial<Target> = {}): Target =>
  madeUpTarget({
    value,
    unit: 'bytes',
    comparison: '<=',
    judged: { by: 'measured', metric: 'response-bytes' },
    ...more,
  });
const eachAtMost = (value: number): Target =>
  atMost(value, { judged: { by: 'measured', metric: 'response-bytes', each: 'step' } });

/** `list` is answered with ten times as much as `me`, and in every other second with a fifth more. */
function trialOfSizes(): TrialRecord {
  const record = madeUpTrial({ steps, okPerS: 100, failedPerS: 2, failedAs: 'timeout' });
  const { trial } = record;
  const sized = (step: StepResult, second: number): StepResult => {
    const bytes = (step.name === 'list' ? 1000 : 100) * (second % 2 === 0 ? 0.9 : 1.1);
    return { ...step, responseBytes: bytes * (step.statuses['200'] ?? 0) };
  };
  const intervals = trial.intervals.map((interval, second) => {
    return { ...interval, steps: interval.steps.map((step) => sized(step, second)) };
  });
  const totals = trial.steps.map((step) => {
    const own = intervals.flatMap((interval) => interval.steps.filter(({ name }) => name === step.name));
    return { ...step, responseBytes: own.reduce((sum, { responseBytes = 0 }) => sum + responseBytes, 0) };
  });
  return { ...record, trial: { ...trial, intervals, steps: totals } };
}

function judgeOne(target: Target, trial = trialOfSizes()) {
  const run = madeUpRun([trial], [target]);
  const [judged] = judgeTargets(run, judgeTrials(run), settingInUnit);
  if (judged === undefined) throw new Error('the target was not judged');
  return judged;
}

it('is met by the mean of all responses together, though one step has larger ones', () => {
  const judged = judgeOne(atMost(700));
  expect(judged.verdict).toEqual({ kind: 'met' });
  expect(judged.value?.value).toBeCloseTo(550, 5);
  expect(judged.evidence).toMatchObject({ code: 'bytes', load, step: null });
});

it('is missed by one step where it is about each', () => {
  const judged = judgeOne(eachAtMost(700));
  expect(judged.verdict).toMatchObject({ kind: 'missed', violation: { code: 'bytes-beyond', load, step: 'list' } });
  expect(judged.value?.value).toBeCloseTo(1000, 5);
});

it('is about the steps that it names alone, and not judged where nobody sends them', () => {
  const about = (name: string) => atMost(700, { appliesTo: { tiers: [], scenarios: [], steps: [name] } });
  expect(judgeOne(about('me')).verdict).toEqual({ kind: 'met' });
  expect(judgeOne(about('buy')).verdict).toMatchObject({ kind: 'not-judged', why: { code: 'other-steps' } });
});

it('may ask for at least so many', () => {
  expect(judgeOne(atMost(500, { comparison: '>=' })).verdict).toEqual({ kind: 'met' });
  expect(judgeOne(atMost(700, { comparison: '>=' })).verdict).toMatchObject({ kind: 'missed' });
});

it('stays open where the interval has the limit in it, with responses in few seconds, and in results without sizes', () => {
  const reasonOf = (target: Target, trial?: TrialRecord) => judgeOne(target, trial).verdict;
  expect(reasonOf(atMost(551))).toMatchObject({ kind: 'inconclusive', reasons: [{ code: 'bytes-straddle', load }] });
  const few = {
    kind: 'inconclusive',
    reasons: expect.arrayContaining([expect.objectContaining({ code: 'too-few-responses' })]),
  };
  const { trial, ...record } = trialOfSizes();
  const intervals = trial.intervals.map((each, second) => (second < 3 ? each : { ...each, steps: [] }));
  expect(reasonOf(atMost(700), { ...record, trial: { ...trial, intervals } })).toMatchObject(few);
  expect(reasonOf(atMost(700), madeUpTrial({ steps }))).toMatchObject(few);
});
