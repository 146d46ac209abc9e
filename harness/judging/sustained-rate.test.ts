import { expect, it } from 'vitest';
import { type MadeUpTrial, madeUpRun, madeUpTarget, madeUpTrial } from '../../test-support/made-up-trial.ts';
import { loadLevel } from '../core/load.ts';
import type { Target } from '../core/target.ts';
import { judgeTrials } from './judge-trial.ts';
import { type SustainedRate, sustainedRates } from './sustained-rate.ts';

const p95 = (value: number, appliesTo: Partial<Target['appliesTo']> = {}): Target =>
  madeUpTarget({
    id: `p95-${value}`,
    value,
    judged: { by: 'measured', metric: 'latency-p95' },
    appliesTo: { tiers: [], scenarios: [], ...appliesTo },
  });

const busy = { generator: { utilizationRatio: 0.95 } };
type Latency = NonNullable<MadeUpTrial['latencyS']>;
const wide: Latency = (request) => (request < 94 ? 0.1 : request < 96 ? 0.199 : 0.3);

function rate(arrivalRatePerS: number, latencyS: Latency, choice: MadeUpTrial = {}): MadeUpTrial {
  return { load: { model: 'open', arrivalRatePerS, arrivals: 'poisson' }, latencyS, ...choice };
}

function sustainedIn(
  trials: readonly MadeUpTrial[],
  targets: readonly Target[] = [p95(0.2)],
): readonly SustainedRate[] {
  const run = madeUpRun(trials.map(madeUpTrial), targets);
  return sustainedRates(run, judgeTrials(run));
}

it.each<[string, MadeUpTrial[], number | null, [number, string] | null]>([
  ['the one below the miss', [rate(300, 0.4), rate(100, 0.02), rate(200, 0.1)], 200, [300, 'missed']],
  ['all that were measured', [rate(100, 0.02), rate(200, 0.1)], 200, null],
  ['none', [rate(100, 0.4), rate(200, 0.5)], null, [100, 'missed']],
  ['none, where the lower trial is invalid', [rate(100, 0.02, busy), rate(200, 0.4)], null, [200, 'missed']],
  ['none, where all trials are invalid', [rate(100, 0.02, busy), rate(200, 0.4, busy)], null, [100, 'invalid']],
  ['none beyond a miss', [rate(100, 0.02), rate(200, 0.4), rate(300, 0.1)], 100, [200, 'missed']],
  ['above an invalid trial', [rate(100, 0.02, busy), rate(200, 0.1), rate(300, 0.4)], 200, [300, 'missed']],
  ['not an invalid trial', [rate(100, 0.02), rate(200, 0.1, busy)], 100, [200, 'invalid']],
  ['not one on both sides', [rate(100, 0.02), rate(200, wide)], 100, [200, 'inconclusive']],
  [
    'not one whose queue grew past it',
    [rate(100, 0.02), rate(200, (_, second) => 0.1 + 0.1 * second), rate(300, 0.1)],
    100,
    [200, 'missed'],
  ],
  ['not one of which many failed', [rate(100, 0.02), rate(200, 0.1, { failedPerS: 20 })], 100, [200, 'missed']],
])('the highest rate within the target: %s', (_, trials, highest, next) => {
  const [sustained, ...others] = sustainedIn(trials);
  const level = (trial: SustainedRate['trial'] | undefined) => trial && loadLevel(trial.summary.load);
  expect(others).toEqual([]);
  expect(level(sustained?.trial)).toBe(highest);
  expect(sustained?.next && [level(sustained.next.trial), sustained.next.why]).toEqual(next);
});

it('a lower rate with an inconclusive verdict is listed', () => {
  const [sustained] = sustainedIn([rate(100, wide), rate(150, 0.02, busy), rate(200, 0.1)]);
  expect(sustained?.trial?.summary.load).toMatchObject({ arrivalRatePerS: 200 });
  expect(sustained?.openBelow.map(({ summary }) => loadLevel(summary.load))).toEqual([100]);
});

it('each limit has its own, equal ones once, and what names a load of its own is no limit for all', () => {
  const trials = [rate(100, 0.02), rate(200, 0.1)];
  const targets = [p95(0.2), { ...p95(0.2), id: 'the same' }, p95(0.05), p95(0.01, { arrivalRatePerS: 100 })];
  const found = sustainedIn(trials, targets).map(({ target, trial }) => [target?.value, trial?.summary.load]);
  expect(found).toEqual([
    [0.2, expect.objectContaining({ arrivalRatePerS: 200 })],
    [0.05, expect.objectContaining({ arrivalRatePerS: 100 })],
  ]);
});

it('without a target it is the highest valid rate; without rates there is nothing to tell', () => {
  const [sustained] = sustainedIn([rate(100, 0.02), rate(200, 4), rate(300, 4, busy)], []);
  expect(sustained).toMatchObject({ target: null, next: { why: 'invalid' } });
  expect(sustained?.trial?.summary.load).toMatchObject({ arrivalRatePerS: 200 });
  expect(sustainedIn([{ concurrency: 10 }])).toEqual([]);
});
