import type { GateAnswer, GateTarget } from '../core/gate.ts';
import { isLatencyMetric, type Target } from '../core/target.ts';
import { LatencyHistogram } from '../histograms/latency-histogram.ts';
import { proportionInterval } from '../statistics/binomial.ts';
import { drawResamples, ratioEstimate, seededRandom } from '../statistics/block-bootstrap.ts';
import { sum } from '../statistics/sums.ts';
import type { JudgedTrial } from './judged-trial.ts';

/**
 * Targets held against several trials of the same load together, each in fresh processes: the trial is the unit, since
 * requests of one process are alike. A percentile keeps its limit when the share of requests that are slower, or failed, is
 * at most what the percentile leaves: `p95 <= 200 ms` is `at most 5 % take longer than 200 ms`. That share has a 95 %
 * interval over the trials, not narrower than the one of independent requests.
 */
export function judgePooled(
  targets: readonly Target[],
  trials: readonly JudgedTrial[],
  { tier, scenario }: { readonly tier: string; readonly scenario: string },
): readonly GateTarget[] {
  return targets.flatMap((target) => {
    const { tiers, scenarios, steps } = target.appliesTo;
    const isOther = (names: readonly string[], own: string) => names.length > 0 && !names.includes(own);
    const share = shareOf(target);
    if (share === undefined || isOther(tiers, tier) || isOther(scenarios, scenario)) {
      return [{ id: target.id, step: null, verdict: 'not-judged', value: null }];
    }
    const isEach = steps !== undefined || (target.judged.by === 'measured' && target.judged.each === 'step');
    const measured = new Set(trials.flatMap(({ answers }) => answers.steps.map(({ step }) => step)));
    const about = isEach ? [...measured].filter((step) => steps?.includes(step ?? '') ?? true) : [null];
    if (about.length === 0) return [{ id: target.id, step: null, verdict: 'not-judged', value: null }];
    return about.map((step): GateTarget => ({ id: target.id, step, ...judgeShare(share, trials, step) }));
  });
}

interface Share {
  /** Slower than this counts as bad, as does what failed; null: only what failed. */
  readonly limitS: number | null;
  /** The share that may be bad. */
  readonly mostRatio: number;
}

/** Undefined for what is no share of requests at most. */
function shareOf({ judged, value, comparison }: Target): Share | undefined {
  if (judged.by !== 'measured' || comparison === '>' || comparison === '>=' || comparison === '=') return undefined;
  const limit = typeof value === 'number' ? value : value[1];
  if (judged.metric === 'error-ratio') return { limitS: null, mostRatio: limit };
  const quantile = /^latency-p([\d.]+)$/u.exec(judged.metric)?.[1];
  if (!isLatencyMetric(judged.metric) || quantile === undefined) return undefined;
  return { limitS: limit, mostRatio: 1 - Number(quantile) / 100 };
}

function judgeShare({ limitS, mostRatio }: Share, trials: readonly JudgedTrial[], step: string | null) {
  const own = trials.flatMap(({ answers }) =>
    step === null ? [answers.all] : answers.steps.filter((each) => each.step === step),
  );
  const bad = own.map(
    ({ requests, latency }) => requests.failed + (limitS === null ? 0 : slowerThan(latency.histogram, limitS)),
  );
  const all = own.map(({ requests }) => requests.all);
  const independent = proportionInterval(sum(bad), sum(all));
  if (independent === null) return { verdict: 'not-judged', value: null } as const;
  const overTrials = ratioEstimate(bad, all, drawResamples(own.length, seededRandom(1)));
  const low = Math.min(independent.low, overTrials?.low ?? 0);
  const high = Math.max(independent.high, overTrials?.high ?? 1);
  // 1 - 0.95 is a little more than 0.05.
  const most = mostRatio + 1e-9;
  const histogram = LatencyHistogram.merged(own.map(({ latency }) => latency.histogram));
  const pooled = histogram.count === 0 ? null : histogram.quantileS(1 - mostRatio);
  return {
    verdict: low > most ? 'missed' : high <= most ? 'met' : 'inconclusive',
    value: limitS === null ? independent.value : pooled,
  } as const;
}

function slowerThan(histogram: LatencyHistogram, limitS: number): number {
  return sum(histogram.buckets().map(({ valueS, count }) => (valueS > limitS * 1.001 ? count : 0)));
}

const verdicts = { slower: 'missed', accepted: 'met', 'not-slower': 'met', 'cannot-tell': 'inconclusive' } as const;

/** A target that is missed counts whatever the base does. */
export function overallOfGate(
  verdict: keyof typeof verdicts,
  targets: GateAnswer['targets'] = [],
): 'met' | 'missed' | 'inconclusive' {
  const all = new Set([verdicts[verdict], ...targets.map((target) => target.verdict)]);
  return all.has('missed') ? 'missed' : all.has('inconclusive') ? 'inconclusive' : 'met';
}
