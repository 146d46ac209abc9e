import { expect, test } from 'vitest';
import { madeUpTrial } from '../../../test-support/made-up-trial.ts';
import type { Subject } from '../../core/app.ts';
import type { GateAnswer, GateQuestion } from '../../core/gate.ts';
import { judgeTrial } from '../../judging/judge-trial.ts';
import { seededRandom } from '../../statistics/block-bootstrap.ts';
import type { Step, Study, StudyContext, TrialStep } from '../study.ts';
import { gate } from './gate.ts';
import { noise } from './noise.ts';

const service = { kind: 'api', instances: 2, settings: {}, resources: {}, connectsTo: {} };
const tier = {
  name: 'single',
  title: '',
  description: '',
  documents: [],
  entry: 'api',
  services: [{ ...service, name: 'api' }],
};
const subjects = ['base', 'head'].map((id) => ({ id, tier })) as unknown as readonly Subject[];
const question: GateQuestion = {
  scenario: 'crud',
  arrivalRatePerS: null,
  toleranceRatio: 0.1,
  seed: 7,
  warmUpS: 1,
  durationS: 6,
  timeoutS: 10,
  budgetS: 3600,
};
const context: StudyContext = { scenarios: new Map(), targets: [], userCount: 100, coolDownS: 0 };

interface System {
  /** How much slower the head is: of one step, of the CPU of the API, and so much the noise between trials is. */
  readonly latencyRatio?: number;
  readonly cpuRatio?: number;
  readonly noise?: number;
  /** Requests per second; the probes read nothing where there are few. */
  readonly okPerS?: number;
  /** Trials that end with a crash, by their number among those of pairs. */
  readonly isLost?: (trial: number) => boolean;
  /** From the start of one trial of a pair to the start of the next. */
  readonly trialEveryS?: number;
}

function conductGate(asked: GateQuestion, system: System) {
  return conduct(gate, asked, system);
}

function conduct<Question, Answer>(
  study: Study<Question, Answer>,
  asked: Question,
  { latencyRatio = 1, cpuRatio = 1, noise: spread = 0.02, okPerS = 100, isLost, trialEveryS = 8.5 }: System,
) {
  const random = seededRandom(11);
  const noisy = () => Math.exp(spread * (random() + random() + random() - 1.5) * 2);
  const steps: Step[] = [];
  let pairTrials = 0;
  const measure = (step: TrialStep) => {
    const isHead = step.subject === 'head';
    const [all, ofStep, cpu] = [noisy(), isHead ? latencyRatio : 1, noisy() * (isHead ? cpuRatio : 1)];
    if (step.purpose === 'measure') pairTrials += 1;
    const lost = step.purpose === 'measure' && isLost?.(pairTrials) === true;
    const record = madeUpTrial({
      load: step.load,
      purpose: step.purpose,
      measuredS: step.durationS,
      okPerS,
      steps: ['list tasks', 'read task'],
      latencyS: (request) => (0.01 + 0.0001 * (request % 20)) * all * (request % 2 === 0 ? ofStep : 1),
      samples: Array.from({ length: okPerS < 10 ? 0 : 6 }, (_, second) => ({
        atS: second + 1,
        source: 'api/1',
        metric: 'cpu-cores',
        value: 0.3 * cpu,
      })),
      notes: lost ? [{ code: 'service-crashed', instance: 'api/1', detail: '' }] : [],
    });
    const startedAtMonotonicS = 1000 + pairTrials * trialEveryS;
    return judgeTrial({ ...record, trial: { ...record.trial, startedAtMonotonicS } }, null);
  };
  const walker = study.steps(subjects, asked, context);
  let next = walker.next(undefined);
  while (!next.done) {
    steps.push(next.value);
    next = walker.next(next.value.kind === 'trial' ? measure(next.value) : undefined);
  }
  return { answer: next.value, steps };
}

function slowerIn({ metrics }: GateAnswer) {
  return metrics.filter(({ kind }) => kind === 'slower').map(({ metric }) => metric);
}

test('the same code twice is not slower, after as few pairs as show it', () => {
  const { answer } = conductGate(question, {});
  expect(answer).toMatchObject({ verdict: 'not-slower', pairs: 8, lostPairs: 0, base: 'base', head: 'head' });
  expect(gate.verdict?.([answer])).toBe('met');
  for (const { ratio } of answer.metrics) expect(ratio.value).toBeCloseTo(1, 1);
});

test('one slower step is named, with how much slower it is', () => {
  const { answer } = conductGate(question, { latencyRatio: 1.25 });
  expect(answer.verdict).toBe('slower');
  expect(gate.verdict?.([answer])).toBe('missed');
  const steps = slowerIn(answer).map((metric) => metric.kind === 'latency' && metric.step);
  expect(steps).toContain('list tasks');
  expect(steps).not.toContain('read task');
  const ofStep = answer.metrics.find(
    ({ metric }) => metric.kind === 'latency' && metric.step === 'list tasks' && metric.quantile === 0.95,
  );
  expect(ofStep?.ratio.value).toBeCloseTo(1.25, 1);
});

test('CPU of a service alone makes it slower', () => {
  const { answer } = conductGate(question, { cpuRatio: 1.15 });
  expect(slowerIn(answer)).toEqual([{ kind: 'cpu', service: 'api' }]);
});

test('what is slower and accepted does not end it: the rest is measured until it is decided', () => {
  const api = { metric: 'cpu', scenario: null, step: null, service: null, until: '2027-01-31', why: '' } as const;
  const slower = { cpuRatio: 1.6, noise: 0.12 };
  const [ends, goesOn] = [[], [{ ...api, upToRatio: 1 }]].map((accepted) =>
    conductGate({ ...question, accepted }, slower),
  );
  expect(ends?.answer.verdict).toBe('slower');
  expect(goesOn?.answer.pairs).toBeGreaterThan(ends?.answer.pairs ?? 0);
  expect(goesOn && slowerIn(goesOn.answer)).toContainEqual({ kind: 'cpu', service: 'api' });
});

test('where pairs differ widely nothing can be said, and nothing is said', () => {
  const { answer } = conductGate(question, { noise: 0.5 });
  expect(answer).toMatchObject({ verdict: 'cannot-tell', pairs: 30 });
  expect(gate.verdict?.([answer])).toBe('inconclusive');
});

test('throughput alone is no evidence that nothing is slower', () => {
  const { answer } = conductGate({ ...question, durationS: 1 }, { okPerS: 4 });
  expect(answer.metrics.map(({ metric }) => metric.kind)).not.toContain('cpu');
  expect(answer.verdict).toBe('cannot-tell');
});

test('each trial of a pair runs in fresh processes, both versions come first equally often, at one rate of the base', () => {
  const { answer, steps } = conductGate(question, { noise: 0.5 });
  const trials = steps.flatMap((step) => (step.kind === 'trial' && step.purpose === 'measure' ? [step] : []));
  expect(new Set(trials.map(({ load }) => JSON.stringify(load))).size).toBe(1);
  // Half of the 100 iterations that the pilot trial completed in a second.
  expect(answer.arrivalRatePerS).toBe(50);
  const first = trials.filter((_, index) => index % 2 === 0).map(({ subject }) => subject);
  expect(first.filter((subject) => subject === 'base')).toHaveLength(first.length / 2);
  expect(first.join()).not.toBe(first.toSorted().join());
  for (const [index, step] of steps.entries()) {
    if (step.kind !== 'trial' || step.purpose !== 'measure') continue;
    expect(steps[index - 1]).toMatchObject({ kind: 'restart', subject: step.subject, instances: ['api/1', 'api/2'] });
  }
});

test('a pair of which a trial is lost is measured again, and too many end it', () => {
  const some = conductGate(question, { isLost: (trial) => trial === 3 });
  expect(some.answer).toMatchObject({ verdict: 'not-slower', pairs: 8, lostPairs: 1 });
  const all = conductGate(question, { isLost: () => true });
  expect(all.answer).toMatchObject({ verdict: 'cannot-tell', pairs: 0, lostPairs: 6, metrics: [] });
});

test('the budget says how many pairs there may be, and eight are always', () => {
  expect(conductGate({ ...question, budgetS: 60 }, { noise: 0.5 }).answer.pairs).toBe(8);
  expect(conductGate({ ...question, budgetS: 300 }, { noise: 0.5 }).answer.pairs).toBe(14);
  // A busy machine takes four times as long to restart, so that 14 pairs would take 16 minutes.
  const slow = { noise: 0.5, trialEveryS: 34 };
  expect(conductGate({ ...question, budgetS: 600 }, slow).answer.pairs).toBe(8);
  expect(gate.estimate(subjects, question, context)).toEqual({ atLeastS: 12 + 8 * 17, atMostS: 12 + 30 * 17 });
});

const noiseQuestion = { ...question, pairs: 7, gatePairs: 30, gateS: 600 };

test('the noise of the same code says which changes a gate sees', () => {
  const { answer, steps } = conduct(noise, noiseQuestion, {});
  expect(answer).toMatchObject({ pairs: 7, lostPairs: 0, isTooNoisy: false });
  expect(steps.filter((step) => step.kind === 'trial' && step.purpose === 'measure')).toHaveLength(14);
  const [cpu] = answer.metrics;
  expect(cpu?.metric).toEqual({ kind: 'cpu', service: 'api' });
  // Little noise: the least estimate of an alarm decides, which is half of the tolerance.
  expect(cpu?.visibleRatio).toBeGreaterThan(1.05);
  expect(cpu?.visibleRatio).toBeLessThan(1.08);
  expect(noise.verdict?.([answer])).toBe('met');
});

test('where the same code differs widely, the machine is too noisy', () => {
  const { answer } = conduct(noise, noiseQuestion, { noise: 0.5 });
  expect(answer.isTooNoisy).toBe(true);
  expect(noise.verdict?.([answer])).toBe('inconclusive');
});
