import type { GateAnswer, GatedMetric, GateMetric, GateQuestion, GateResult } from '../harness/core/gate.ts';
import { madeUpRun, madeUpTrial } from './made-up-trial.ts';

/** A gate whose head takes 23 % longer for one step, for tests of what is made of its answer. */

const ratios = { slower: [1.23, 1.14, 1.33], 'not-slower': [1, 0.98, 1.02], undecided: [1.02, 0.9, 1.2] } as const;

export function gatedMetric(metric: GateMetric, kind: GatedMetric['kind']): GatedMetric {
  const [value, low, high] = ratios[kind];
  return { metric, kind, ratio: { value, low, high }, noise: 0.04, base: 0.02, head: 0.02 * value };
}

export const listP95: GateMetric = { kind: 'latency', step: 'list tasks', quantile: 0.95 };

export const slowerAnswer: GateAnswer = {
  base: 'base',
  head: 'head',
  scenario: 'crud',
  arrivalRatePerS: 50,
  pairs: 14,
  lostPairs: 0,
  verdict: 'slower',
  metrics: [
    gatedMetric({ kind: 'latency', step: null, quantile: 0.95 }, 'not-slower'),
    gatedMetric(listP95, 'slower'),
    gatedMetric({ kind: 'cpu', service: 'api' }, 'not-slower'),
    gatedMetric({ kind: 'throughput' }, 'undecided'),
  ],
};

export function madeUpGate(
  answers: readonly GateAnswer[] = [slowerAnswer],
  asked: Partial<GateQuestion> = {},
  startedAt = '2026-11-21T08:00:00.000Z',
): GateResult {
  const run = madeUpRun([madeUpTrial()], []);
  const question: GateQuestion = {
    scenario: 'crud',
    arrivalRatePerS: null,
    toleranceRatio: 0.1,
    seed: 1,
    warmUpS: 2,
    durationS: 6,
    timeoutS: 10,
    budgetS: 600,
    ...asked,
  };
  return { ...run, study: 'gate', question, answers, facts: { ...run.facts, startedAt } };
}
