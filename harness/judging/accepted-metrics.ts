import type { Accepted } from '../core/accepted.ts';
import type { GateAnswer, GatedMetric, GateMetric, GateQuestion } from '../core/gate.ts';

/** The answer of a gate beside what was accepted before. */
export interface AcceptedGate {
  /** `accepted`: slower, and all of it is accepted. */
  readonly verdict: GateAnswer['verdict'] | 'accepted';
  readonly accepted: readonly AcceptedMetric[];
  /** Slower than what was accepted for it, the latest of several. */
  readonly exceeded: readonly AcceptedMetric[];
  /** No longer of use, whether or not it would have been. */
  readonly expired: readonly Accepted[];
}

export interface AcceptedMetric {
  readonly metric: GateMetric;
  readonly by: Accepted;
}

/**
 * Takes away from what is slower what was accepted: the estimate is within it, and its last day is not over. `at` is the time
 * of the measurement (ISO 8601, UTC), so that the answer stays the same.
 */
export function applyAccepted(
  { scenario, verdict, metrics }: Pick<GateAnswer, 'scenario' | 'verdict' | 'metrics'>,
  accepted: readonly Accepted[],
  at: string,
): AcceptedGate {
  const isOver = ({ until }: Accepted) => until < at.slice(0, 10);
  const inForce = accepted.filter((each) => !isOver(each));
  const slower = metrics.filter(({ kind }) => kind === 'slower');
  const judged = slower.map((gated) => {
    const own = inForce.filter((each) => isAbout(each, scenario, gated.metric));
    const by = own.toSorted((one, other) => other.upToRatio - one.upToRatio)[0];
    return { gated, by, isWithin: by !== undefined && isWithin(gated, by) };
  });
  const entries = (within: boolean) =>
    judged.flatMap(({ gated: { metric }, by, isWithin: is }) =>
      by !== undefined && is === within ? [{ metric, by }] : [],
    );
  return {
    verdict: judged.length > 0 && judged.every(({ isWithin: is }) => is) ? 'accepted' : verdict,
    accepted: entries(true),
    exceeded: entries(false),
    expired: accepted.filter(isOver),
  };
}

/** A gate goes on where all that is slower is accepted: what else it measures is not decided yet. */
export function withoutAccepted<Metric extends Judged>(
  metrics: readonly Metric[],
  { scenario, accepted = [] }: Pick<GateQuestion, 'scenario' | 'accepted'>,
): readonly Metric[] {
  const isAccepted = (judged: Metric) =>
    accepted.some((by) => isAbout(by, scenario, judged.metric) && isWithin(judged, by));
  return metrics.filter((judged) => judged.kind !== 'slower' || !isAccepted(judged));
}

interface Judged extends Pick<GatedMetric, 'metric' | 'kind'> {
  readonly ratio: { readonly value: number };
}

function isWithin({ ratio }: Pick<Judged, 'ratio'>, { upToRatio }: Accepted): boolean {
  return ratio.value <= 1 + upToRatio;
}

function isAbout(accepted: Accepted, scenario: string, metric: GateMetric): boolean {
  const { metric: name, step, service } = accepted;
  if (accepted.scenario !== null && accepted.scenario !== scenario) return false;
  if (metric.kind !== 'latency') return name === metric.kind && (metric.kind !== 'cpu' || is(service, metric.service));
  const isQuantile = name === 'latency' || name === `latency-p${100 * metric.quantile}`;
  return isQuantile && (step === null || step === metric.step);
}

function is(named: string | null, name: string | null): boolean {
  return named === null || named === name;
}
