import { type Caveat, isNonEmpty, type Reason } from '../core/findings.ts';
import type { Calibration } from '../core/study-record.ts';
import type { Trial, TrialRecord } from '../core/trial.ts';
import { LatencyHistogram } from '../histograms/latency-histogram.ts';
import { samplesNeeded } from '../statistics/quantile-ranks.ts';
import { minimumBlocks } from '../statistics/sums.ts';
import type { Disturbance } from './disturbance.ts';
import type { LatencySummary, Validity } from './judged-trial.ts';
import { latencyDrift, throughputDrift } from './steadiness.ts';
import { requestsIn, throughputPerSIn, wholeSeconds } from './trial-window.ts';

/** Beyond these a trial may have measured something else than the system. */
const validityLimits = {
  generatorUtilizationRatio: 0.8,
  startedRatio: 0.99,
  /**
   * A request in flight at the end counts as never answered when it had waited so many times longer than any answer took,
   * and at least so long.
   */
  waitTimesLongestAnswer: 2,
  waitS: 1,
  /**
   * Of the CPU of the machine, that processes took which are neither the system nor the generator, and that the host took.
   * Less of it makes figures pessimistic (disturbance.ts); beyond, most of what was measured is the work of others.
   */
  takenCpuRatio: 0.5,
} as const;

/** What a trial is judged by besides its record. */
export interface ValidityEvidence {
  /** Of all steps together. */
  readonly latency: LatencySummary;
  /** Mean latency of each whole second in which something was answered. */
  readonly meanLatencyS: readonly number[];
  /** That of the run; null where there is none. */
  readonly calibration: Calibration | null;
  readonly disturbance: Disturbance;
}

/** Whether the figures of a trial are those of the system. */
export function judgeValidity(record: TrialRecord, evidence: ValidityEvidence): Validity {
  const { trial, notes } = record;
  const { latency, calibration, disturbance } = evidence;
  const drift = unsteady(trial, evidence.meanLatencyS);
  const others: readonly Reason[] = [
    ...stopped(trial),
    ...notes.filter((note) => note.code === 'service-crashed'),
    ...outOfResources(trial),
    ...neverAnswered(trial, latency.maxS),
    ...tooShort(trial),
    // A machine that others use makes the generator late and the throughput unsteady: the cause comes first.
    ...machineReasons(disturbance),
    ...generatorReasons(trial),
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

function generatorReasons({ generator, iterations, plan, measuredS }: Trial): readonly Reason[] {
  const { utilizationRatio } = generator;
  const reasons: Reason[] = [];
  const { generatorUtilizationRatio, startedRatio: limitRatio } = validityLimits;
  if (utilizationRatio > generatorUtilizationRatio) {
    reasons.push({ code: 'generator-busy', utilizationRatio, limitRatio: generatorUtilizationRatio });
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

/** Loads that change on the way are not meant to be steady. */
function unsteady(trial: Trial, meanLatencyS: readonly number[]) {
  const { load } = trial.plan;
  if (load.model === 'open' && load.changes !== undefined) return null;
  return throughputDrift(wholeSeconds(trial).map(throughputPerSIn)) ?? latencyDrift(meanLatencyS);
}

function machineReasons({ machine }: Disturbance): readonly Reason[] {
  return [...above('cpu-stolen', machine.stolenRatio), ...above('foreign-cpu', machine.foreignRatio)];
}

function above(code: 'cpu-stolen' | 'foreign-cpu', ratio: number): readonly Reason[] {
  const { takenCpuRatio: limitRatio } = validityLimits;
  return ratio > limitRatio ? [{ code, ratio, limitRatio }] : [];
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
