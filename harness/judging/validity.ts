import { type Caveat, isNonEmpty, type Reason } from '../core/findings.ts';
import type { MetricId } from '../core/metrics.ts';
import type { Calibration } from '../core/study-record.ts';
import type { ProbeSample, Trial, TrialRecord } from '../core/trial.ts';
import { LatencyHistogram } from '../histograms/latency-histogram.ts';
import { samplesNeeded } from '../statistics/quantile-ranks.ts';
import { mean, minimumBlocks } from '../statistics/sums.ts';
import type { LatencySummary, Validity } from './judged-trial.ts';
import { latencyDrift, throughputDrift } from './steadiness.ts';
import { requestsIn, samplesInWindow, throughputPerSIn, wholeSeconds } from './trial-window.ts';

/** Beyond these a trial may have measured something else than the system. */
const validityLimits = {
  generatorUtilizationRatio: 0.8,
  /**
   * How late requests may be sent, and which share of the p95 that may be; but on a small virtual machine one in a hundred
   * is sent up to 2.5 ms late even if nothing else runs there. It is part of their latencies, which begin at the scheduled
   * start, and one in a hundred hardly moves a p95.
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
  startedRatio: 0.99,
  /**
   * A request in flight at the end counts as never answered when it had waited so many times longer than any answer took,
   * and at least so long.
   */
  waitTimesLongestAnswer: 2,
  waitS: 1,
  stolenCpuRatio: 0.05,
  /** Share of the scheduling periods in which a CPU limit stopped the generator: each is a pause of up to a period. */
  throttledPeriodsRatio: 0.01,
  /** CPU used by processes that are neither the system nor the generator, as a share of the machine. */
  foreignCpuRatio: 0.1,
} as const;

/** What a trial is judged by besides its record. */
export interface ValidityEvidence {
  /** Of all steps together. */
  readonly latency: LatencySummary;
  /** Mean latency of each whole second in which something was answered. */
  readonly meanLatencyS: readonly number[];
  /** That of the run; null where there is none. */
  readonly calibration: Calibration | null;
}

/** Whether the figures of a trial are those of the system. */
export function judgeValidity(record: TrialRecord, evidence: ValidityEvidence): Validity {
  const { trial, notes } = record;
  const { latency, calibration } = evidence;
  const drift = unsteady(trial, evidence.meanLatencyS);
  const others: readonly Reason[] = [
    ...stopped(trial),
    ...notes.filter((note) => note.code === 'service-crashed'),
    ...outOfResources(trial),
    ...neverAnswered(trial, latency.maxS),
    ...tooShort(trial),
    // A machine that others use makes the generator late and the throughput unsteady: the cause comes first.
    ...machineReasons(record),
    ...generatorReasons(trial, latency.p95S?.value ?? null),
    ...nearGeneratorLimit(trial, calibration),
  ];
  const reasons = [...others, ...(drift === null ? [] : [drift])];
  if (!isNonEmpty(reasons)) return { kind: 'valid' };
  const grows = drift?.code === 'latency-drift' && drift.secondHalfMeanS > drift.firstHalfMeanS;
  return { kind: 'invalid', reasons, overloaded: others.length === 0 && grows };
}

function stopped({ stopped: wasStopped, measuredS, plan }: Trial): readonly Reason[] {
  return wasStopped ? [{ code: 'stopped', measuredS, plannedS: plan.durationS }] : [];
}

/** What was never sent says nothing of the system, and less load was offered than was meant. */
function outOfResources({ steps, failureExamples }: Trial): readonly Reason[] {
  const requests = steps.reduce((sum, { outcomes }) => sum + outcomes['generator-limit'], 0);
  const resource = failureExamples.find((example) => example.resource !== undefined)?.resource ?? 'ports';
  return requests === 0 ? [] : [{ code: 'generator-out-of-resources', resource, requests }];
}

/**
 * In a window shorter than the timeout a request that is never answered leaves no trace in counts and latencies. Where the
 * window is long enough for timeouts, those count instead.
 */
function neverAnswered({ inFlightAtEnd, steps, plan }: Trial, longestAnswerS: number): readonly Reason[] {
  if (steps.some(({ outcomes }) => outcomes.timeout > 0)) return [];
  const limitS = Math.max(validityLimits.waitS, validityLimits.waitTimesLongestAnswer * longestAnswerS);
  const waiting = [...LatencyHistogram.decode(inFlightAtEnd).buckets()];
  const beyond = waiting.filter(({ valueS }) => valueS > limitS);
  const waitedS = beyond.at(-1)?.valueS;
  if (waitedS === undefined) return [];
  const requests = beyond.reduce((sum, { count }) => sum + count, 0);
  return [{ code: 'never-answered', requests, waitedS, longestAnswerS, timeoutS: plan.timeoutS }];
}

function tooShort(trial: Trial): readonly Reason[] {
  const seconds = wholeSeconds(trial).length;
  if (seconds < minimumBlocks) return [{ code: 'too-few-seconds', seconds, neededSeconds: minimumBlocks }];
  const neededRequests = samplesNeeded(0.95);
  const requests = requestsIn(trial.steps);
  return requests < neededRequests ? [{ code: 'too-few-requests', requests, neededRequests }] : [];
}

function generatorReasons({ generator, iterations, plan, measuredS }: Trial, p95S: number | null): readonly Reason[] {
  const { utilizationRatio, eventLoopLagP99S, sendLagP99S } = generator;
  const reasons: Reason[] = [];
  const { generatorUtilizationRatio, startedRatio: limitRatio } = validityLimits;
  if (utilizationRatio > generatorUtilizationRatio) {
    reasons.push({ code: 'generator-busy', utilizationRatio, limitRatio: generatorUtilizationRatio });
  }
  const lagLimit = lagLimitS(p95S);
  if (eventLoopLagP99S !== null && eventLoopLagP99S > lagLimit) {
    reasons.push({ code: 'read-late', p99S: eventLoopLagP99S, limitS: lagLimit });
  }
  const sendLimit = sendLagLimitS(p95S);
  if (sendLagP99S !== null && sendLagP99S > sendLimit) {
    reasons.push({ code: 'sent-late', p99S: sendLagP99S, limitS: sendLimit });
  }
  if (plan.load.model === 'open' && iterations.intended > 0) {
    const { arrivalRatePerS, arrivals } = plan.load;
    const scheduled =
      arrivals === 'constant'
        ? Math.max(iterations.intended, Math.floor(arrivalRatePerS * measuredS))
        : iterations.intended;
    const startedRatio = (iterations.intended - iterations.dropped) / scheduled;
    if (startedRatio < limitRatio) reasons.push({ code: 'not-offered', startedRatio, limitRatio, arrivalRatePerS });
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
function unsteady(trial: Trial, meanLatencyS: readonly number[]) {
  const { load } = trial.plan;
  if (load.model === 'open' && load.changes !== undefined) return null;
  return throughputDrift(wholeSeconds(trial).map(throughputPerSIn)) ?? latencyDrift(meanLatencyS);
}

function machineReasons(record: TrialRecord): readonly Reason[] {
  const inWindow = samplesInWindow(record);
  const machine = (metric: MetricId) => meanOf(inWindow, 'machine', metric);
  const { stolenCpuRatio, throttledPeriodsRatio, foreignCpuRatio: foreignLimitRatio } = validityLimits;
  const foreign = foreignCpuRatio(inWindow, machine('machine-utilization'), machine('interrupts'), machine('cores'));
  return [
    ...above('cpu-stolen', machine('steal'), stolenCpuRatio),
    ...above('generator-throttled', meanOf(inWindow, 'generator', 'throttled'), throttledPeriodsRatio),
    ...above('foreign-cpu', foreign, foreignLimitRatio),
  ];
}

function above(
  code: 'cpu-stolen' | 'generator-throttled' | 'foreign-cpu',
  ratio: number | null,
  limitRatio: number,
): readonly Reason[] {
  return ratio !== null && ratio > limitRatio ? [{ code, ratio, limitRatio }] : [];
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

const limits = {
  shareOfCeiling: 0.8,
  /** A trial that made so many times the ceiling shows that the machine was busy when the ceiling was measured. */
  beyondCeiling: 1.1,
  /** Below so many times the least latency the generator reads at all, much of what it reads is its own. */
  timesFloor: 2,
} as const;

/** Whether the limit of the generator, as it was calibrated, may have been measured instead of the system. */
function nearGeneratorLimit(trial: Trial, calibration: Calibration | null): readonly Reason[] {
  // A ceiling that is not the generator's own says nothing of it.
  if (calibration === null || calibration.ceilingIsAtLeast) return [];
  const { ceilingPerS } = calibration;
  const ratePerS = requestsPerS(trial);
  if (ratePerS <= limits.shareOfCeiling * ceilingPerS || ratePerS > limits.beyondCeiling * ceilingPerS) return [];
  return [{ code: 'near-generator-limit', ratePerS, ceilingPerS, limitRatio: limits.shareOfCeiling }];
}

export function caveatsOf(trial: Trial, { p95S }: LatencySummary, calibration: Calibration | null): readonly Caveat[] {
  if (calibration === null) return [];
  const { ceilingPerS, ceilingIsAtLeast, floorP95S } = calibration;
  const caveats: Caveat[] = [];
  const ratePerS = requestsPerS(trial);
  if (!ceilingIsAtLeast && ratePerS > limits.beyondCeiling * ceilingPerS) {
    caveats.push({ code: 'above-ceiling', ratePerS, ceilingPerS });
  }
  if (p95S !== null && p95S.value < limits.timesFloor * floorP95S) {
    caveats.push({ code: 'near-floor', p95S: p95S.value, floorP95S });
  }
  return caveats;
}

function requestsPerS({ steps, measuredS }: Trial): number {
  return measuredS > 0 ? requestsIn(steps) / measuredS : 0;
}
