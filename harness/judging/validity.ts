import type { MetricId } from '../core/metrics.ts';
import type { Calibration } from '../core/study-record.ts';
import type { ProbeSample, Trial, TrialRecord } from '../core/trial.ts';
import { formatNumber, formatRate, formatRatio, formatSeconds } from '../core/units.ts';
import type { NonEmpty } from '../core/verdict.ts';
import { LatencyHistogram } from '../histograms/latency-histogram.ts';
import { mean } from '../statistics/mean.ts';
import { samplesNeeded } from '../statistics/quantile-ranks.ts';
import { minimumBlocks } from '../statistics/time-blocks.ts';
import { nearGeneratorLimit } from './held-to-calibration.ts';
import { throughputPerSIn } from './interval-throughput.ts';
import { requestsIn } from './requests-in.ts';
import { describeUnsteadiness, latencyDrift } from './steadiness.ts';
import type { LatencySummary, Validity } from './summary.ts';
import { wholeSeconds } from './whole-seconds.ts';
import { samplesInWindow } from './window-samples.ts';

/** Beyond these a trial may have measured something else than the system. */
const validityLimits = {
  generatorUtilizationRatio: 0.8,
  /**
   * How late requests may be sent, and which share of the p95 that may be; but on a small virtual machine one in a hundred
   * is sent up to 2.5 ms late even if nothing else runs there. It stands in their latencies, which begin when they are
   * due, and of one in a hundred a p95 takes little notice.
   */
  sendLagS: 0.005,
  sendLagShareOfP95: 0.1,
  sendLagOnIdleMachineS: 0.0025,
  /**
   * How late the generator may read answers, or which share of the p95 that may be, whichever is more. Being late makes
   * latencies longer, never shorter. The lag is read from a timer, which is 1 to 3 ms late (p99) on an idle machine.
   */
  eventLoopLagS: 0.005,
  eventLoopLagShareOfP95: 0.1,
  achievedShareOfIntended: 0.99,
  /**
   * A request under way at the end is waited for in vain when it had waited so many times longer than any answer took, and
   * at least so long.
   */
  waitTimesLongestAnswer: 2,
  waitS: 1,
  stolenCpuRatio: 0.05,
  /** Share of the scheduling periods in which a CPU limit stopped the generator: each is a pause of up to a period. */
  throttledPeriodsRatio: 0.01,
  /** CPU used by processes that are neither the system nor the generator, as a share of the machine. */
  foreignCpuRatio: 0.1,
} as const;

/** What a trial is judged by beside itself. */
export interface ValidityEvidence {
  /** Of all steps together. */
  readonly latency: LatencySummary;
  /** Mean latency of each whole second in which something was answered. */
  readonly meanLatencyS: readonly number[];
  /** That of the run; null where there is none. */
  readonly calibration: Calibration | null;
}

/** Can the trial be trusted? Each reason gives the value, its limit and what to do. */
export function judgeValidity(measured: TrialRecord, evidence: ValidityEvidence): Validity {
  const { trial, notes } = measured;
  const { latency, calibration } = evidence;
  const drift = unsteady(trial, evidence.meanLatencyS);
  const others = [
    ...stopped(trial),
    ...notes.filter(isServiceCrash).map((note) => `${note}; the system was not whole while it was measured`),
    ...neverAnswered(trial, latency.maxS),
    ...tooShort(trial),
    // A machine that others use makes the generator late and the throughput unsteady: the cause comes first.
    ...machineReasons(measured),
    ...generatorReasons(trial, latency.p95S?.value ?? null),
    ...nearGeneratorLimit(trial, calibration),
  ];
  const reasons = [...others, ...drift.reasons];
  if (!isNonEmpty(reasons)) return { kind: 'valid' };
  return { kind: 'invalid', reasons, overloaded: others.length === 0 && drift.grows };
}

/** As the run study notes a service that ends by itself. */
function isServiceCrash(note: string): boolean {
  return note.includes('ended by itself');
}

function stopped({ stopped: wasStopped, measuredS, plan }: Trial): string[] {
  return wasStopped
    ? [`it was stopped after ${formatSeconds(measuredS)} of ${formatSeconds(plan.durationS)}; run it again to the end`]
    : [];
}

/**
 * In a window shorter than the timeout a request that is never answered leaves no trace in counts and latencies. Where
 * the window is long enough for timeouts, it is those that tell.
 */
function neverAnswered({ inFlightAtEnd, steps, plan }: Trial, longestAnswerS: number): string[] {
  if (inFlightAtEnd === null || steps.some(({ outcomes }) => outcomes.timeout > 0)) return [];
  const limitS = Math.max(validityLimits.waitS, validityLimits.waitTimesLongestAnswer * longestAnswerS);
  const waiting = [...LatencyHistogram.decode(inFlightAtEnd).buckets()];
  const beyond = waiting.filter(({ valueS }) => valueS > limitS);
  const longestS = beyond.at(-1)?.valueS;
  if (longestS === undefined) return [];
  const count = beyond.reduce((sum, bucket) => sum + bucket.count, 0);
  const answered =
    longestAnswerS > 0 ? `while no answer took more than ${formatSeconds(longestAnswerS)}` : 'and none was answered';
  return [
    `${count === 1 ? '1 request' : `${formatNumber(count)} requests`} had waited up to ${formatSeconds(longestS)} in vain when the window closed, ${answered}; measure longer than the timeout of ${formatSeconds(plan.timeoutS)} with --duration, or lower --timeout`,
  ];
}

function tooShort(trial: Trial): string[] {
  const seconds = wholeSeconds(trial).length;
  if (seconds < minimumBlocks) {
    return [
      `only ${seconds} whole seconds were measured, and intervals need ${minimumBlocks}; measure longer with --duration`,
    ];
  }
  const needed = samplesNeeded(0.95);
  const requests = requestsIn(trial.steps);
  return requests < needed
    ? [
        `only ${requests} requests ended in the window, and p95 needs ${needed}; measure longer with --duration, or at a higher load`,
      ]
    : [];
}

function generatorReasons(trial: Trial, p95S: number | null): string[] {
  const { generator, iterations, plan, measuredS } = trial;
  const reasons: string[] = [];
  const { generatorUtilizationRatio, achievedShareOfIntended } = validityLimits;
  if (generator.utilizationRatio > generatorUtilizationRatio) {
    reasons.push(
      `the generator was busy ${formatRatio(generator.utilizationRatio)} of the time, more than ${formatRatio(generatorUtilizationRatio)}: its own limit may have been measured; use fewer virtual users, a faster engine or another core`,
    );
  }
  const lagLimit = lagLimitS(p95S);
  if (generator.eventLoopLagP99S !== null && generator.eventLoopLagP99S > lagLimit) {
    reasons.push(
      `the generator read answers up to ${formatSeconds(generator.eventLoopLagP99S)} late (p99), more than ${formatSeconds(lagLimit)}: that is in the latencies; give the generator a core of its own, or use fewer virtual users`,
    );
  }
  const sendLimit = sendLagLimitS(p95S);
  if (generator.sendLagP99S !== null && generator.sendLagP99S > sendLimit) {
    reasons.push(
      `requests were sent up to ${formatSeconds(generator.sendLagP99S)} after they were due (p99), more than ${formatSeconds(sendLimit)}; give the generator a core of its own, or lower the arrival rate`,
    );
  }
  if (plan.load.model === 'open' && iterations.intended > 0) {
    const due =
      plan.load.arrivals === 'constant'
        ? Math.max(iterations.intended, Math.floor(plan.load.arrivalRatePerS * measuredS))
        : iterations.intended;
    const achieved = (iterations.intended - iterations.dropped) / due;
    if (achieved < achievedShareOfIntended) {
      reasons.push(
        `only ${formatRatio(achieved)} of the intended ${formatRate(plan.load.arrivalRatePerS)} were started, less than ${formatRatio(achievedShareOfIntended)}; allow more virtual users, or lower the arrival rate`,
      );
    }
  }
  return reasons;
}

function sendLagLimitS(p95S: number | null): number {
  const { sendLagS, sendLagShareOfP95, sendLagOnIdleMachineS } = validityLimits;
  if (p95S === null) return sendLagS;
  return Math.min(sendLagS, Math.max(sendLagOnIdleMachineS, sendLagShareOfP95 * p95S));
}

function lagLimitS(p95S: number | null): number {
  const { eventLoopLagS, eventLoopLagShareOfP95 } = validityLimits;
  return Math.max(eventLoopLagS, eventLoopLagShareOfP95 * (p95S ?? 0));
}

/** Loads that change on the way are not meant to be steady. */
function unsteady(
  trial: Trial,
  meanLatencyS: readonly number[],
): { readonly reasons: readonly string[]; readonly grows: boolean } {
  const { load } = trial.plan;
  if (load.model === 'open' && load.changes !== undefined) return { reasons: [], grows: false };
  const what = describeUnsteadiness(wholeSeconds(trial).map(throughputPerSIn));
  if (what !== null) {
    return { reasons: [`the throughput was not steady: ${what}; warm up longer with --warm-up`], grows: false };
  }
  const drift = latencyDrift(meanLatencyS);
  if (drift === null) return { reasons: [], grows: false };
  const doWhat = drift.grows
    ? 'more may come than is served: offer less, or measure longer with --duration'
    : 'warm up longer with --warm-up';
  return { reasons: [`the latency was not steady: ${drift.what}; ${doWhat}`], grows: drift.grows };
}

function machineReasons(measured: TrialRecord): string[] {
  const inWindow = samplesInWindow(measured);
  const machine = (metric: MetricId) => meanOf(inWindow, 'machine', metric);
  const reasons: string[] = [];
  const stolen = machine('steal');
  if (stolen !== null && stolen > validityLimits.stolenCpuRatio) {
    reasons.push(
      `the host took ${formatRatio(stolen)} of the CPU away (steal), more than ${formatRatio(validityLimits.stolenCpuRatio)}; use a machine that is not shared, or another time`,
    );
  }
  const throttled = meanOf(inWindow, 'generator', 'throttled');
  if (throttled !== null && throttled > validityLimits.throttledPeriodsRatio) {
    reasons.push(
      `a CPU limit stopped the generator in ${formatRatio(throttled)} of its periods, more than ${formatRatio(validityLimits.throttledPeriodsRatio)}; raise the limit of the container or control group it runs in`,
    );
  }
  const foreign = foreignCpuRatio(inWindow, machine('machine-utilization'), machine('interrupts'), machine('cores'));
  if (foreign !== null && foreign > validityLimits.foreignCpuRatio) {
    reasons.push(
      `other processes used ${formatRatio(foreign)} of the machine's CPU, more than ${formatRatio(validityLimits.foreignCpuRatio)}; stop them and run again`,
    );
  }
  return reasons;
}

/** Null where the processes of the system are not seen, so that nobody can tell whose CPU it was. */
function foreignCpuRatio(
  samples: readonly ProbeSample[],
  utilization: number | null,
  interrupts: number | null,
  cores: number | null,
): number | null {
  const sources = new Set(samples.filter(({ metric }) => metric === 'cpu-cores').map(({ source }) => source));
  if (utilization === null || cores === null || !sources.has('generator') || sources.size < 2) return null;
  const own = [...sources].reduce((sum, source) => sum + (meanOf(samples, source, 'cpu-cores') ?? 0), 0);
  return utilization - (interrupts ?? 0) - own / cores;
}

function meanOf(samples: readonly ProbeSample[], source: string, metric: MetricId): number | null {
  const values = samples.filter((sample) => sample.source === source && sample.metric === metric);
  return values.length === 0 ? null : mean(values.map(({ value }) => value));
}

function isNonEmpty<T>(items: readonly T[]): items is NonEmpty<T> {
  return items.length > 0;
}
