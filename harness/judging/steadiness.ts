import type { Reason } from '../core/findings.ts';
import { steadyStateStart, trendScore } from '../statistics/steady-state.ts';
import { mean, variance } from '../statistics/sums.ts';

/** From here on the steady-state rule has enough seconds to choose from; below, only the drift is looked at. */
const LEAST_SECONDS_FOR_STEADY_STATE = 20;
/** From here on batches of five seconds, as the rule was published; below, single seconds. */
const LEAST_SECONDS_FOR_BATCHES = 50;
const LEAST_SECONDS_FOR_DRIFT = 6;

/** Smaller changes of the throughput do not matter, however certain they are. */
const SHIFT_THAT_MATTERS = 0.05;
const DRIFT_THAT_MATTERS = 0.1;
const STANDARD_ERRORS_THAT_MATTER = 3.5;

/** Of latency: seconds that are alike make halves differ by chance, so that more is asked of them. */
const LATENCY_JUMP_THAT_MATTERS = 1.5;
const STANDARD_ERRORS_OF_A_JUMP = 6;
const LATENCY_TREND_THAT_MATTERS = 1.25;
const TREND_SCORE_THAT_MATTERS = 3;
/** Fewer seconds reach that score by no order, so that each must go on as the one before. */
const LEAST_SECONDS_FOR_TREND_SCORE = 8;

type ThroughputDrift = Extract<Reason, { readonly code: 'throughput-drift' | 'throughput-settled-late' }>;
type LatencyDrift = Extract<Reason, { readonly code: 'latency-drift' }>;

/**
 * Why a throughput, one value for each second, is not steady; null when it is, or when there are too few seconds to tell.
 *
 * From 20 seconds on: MSER-5 would cut off more than half, and what it keeps lies more than 5 % away from the whole, and
 * further from what it cuts off than chance has it. Alone the first of that calls 10 % of perfectly steady trials unsteady;
 * all of it fewer than 1 %, also where so few requests come that their number itself is uneven.
 *
 * Trials as short as those of a quick run leave MSER nothing to choose from. There, and as a second look everywhere,
 * the two halves are compared: more than 10 % and 3.5 standard errors apart is a drift. In 8 seconds with noise of 5 % this
 * finds two of three trials that rise by half, with no false alarm; smaller changes need longer trials.
 */
export function throughputDrift(throughputPerS: readonly number[]): ThroughputDrift | null {
  const whole = mean(throughputPerS);
  if (throughputPerS.length < LEAST_SECONDS_FOR_DRIFT || whole === 0) return null;
  const half = Math.floor(throughputPerS.length / 2);
  const first = throughputPerS.slice(0, half);
  const second = throughputPerS.slice(-half);
  const difference = Math.abs(mean(second) - mean(first));
  const standardError = Math.sqrt((variance(first) + variance(second)) / half);
  if (difference > DRIFT_THAT_MATTERS * whole && difference > STANDARD_ERRORS_THAT_MATTER * standardError) {
    return { code: 'throughput-drift', firstHalfPerS: mean(first), secondHalfPerS: mean(second) };
  }
  if (throughputPerS.length < LEAST_SECONDS_FOR_STEADY_STATE) return null;
  const start = steadyStateStart(throughputPerS, throughputPerS.length < LEAST_SECONDS_FOR_BATCHES ? 1 : 5);
  const kept = mean(throughputPerS.slice(start));
  if (start <= throughputPerS.length / 2 || Math.abs(kept - whole) <= SHIFT_THAT_MATTERS * whole) return null;
  const shift = Math.abs(kept - mean(throughputPerS.slice(0, start)));
  const shiftError = neighbourNoise(throughputPerS) * Math.sqrt(1 / start + 1 / (throughputPerS.length - start));
  if (shift <= STANDARD_ERRORS_THAT_MATTER * shiftError) return null;
  return {
    code: 'throughput-settled-late',
    afterSeconds: start,
    ofSeconds: throughputPerS.length,
    settledPerS: kept,
    wholePerS: whole,
  };
}

/**
 * How the mean latency of each second drifted; null when it did not. Where arrivals do not wait for answers the throughput
 * is what arrives, however long the queue grows: there only latency shows that a system is warming up, or overloaded.
 *
 * Queues make neighbouring seconds alike, so chance alone makes drifts. Two things count: a trend that neighbours being
 * alike does not explain, with halves more than a quarter apart; or halves of which one is 1.5 times the other and 6
 * standard errors away, which sees steps and growing queues. In simulated queues at 80 % of their capacity this calls at
 * most 2 of 100 steady trials of 6 to 60 s unsteady where 100 or more come per second, and 5 where 20 do. A slow system
 * nearer to its limit needs longer than such a trial to settle, and is called unsteady more often: at 90 % and 20 per
 * second 6 to 20 of 100. A rate 20 % above the sustained rate is found in 95 or more of 100 trials of 10 s.
 */
export function latencyDrift(meanLatencyS: readonly number[]): LatencyDrift | null {
  const count = meanLatencyS.length;
  if (count < LEAST_SECONDS_FOR_DRIFT || meanLatencyS.some((latencyS) => latencyS <= 0)) return null;
  const half = Math.floor(count / 2);
  const [first, second] = [meanLatencyS.slice(0, half), meanLatencyS.slice(-half)];
  const [firstS, secondS] = [mean(first), mean(second)];
  const times = Math.max(firstS, secondS) / Math.min(firstS, secondS);
  const standardError = Math.sqrt((variance(first) + variance(second)) / half);
  const isJump =
    times > LATENCY_JUMP_THAT_MATTERS && Math.abs(secondS - firstS) > STANDARD_ERRORS_OF_A_JUMP * standardError;
  const logarithms = meanLatencyS.map(Math.log);
  const trendTimes = Math.exp(Math.abs(mean(logarithms.slice(-half)) - mean(logarithms.slice(0, half))));
  const isTrend = trendTimes > LATENCY_TREND_THAT_MATTERS && hasTrend(logarithms);
  if (!isJump && !isTrend) return null;
  return { code: 'latency-drift', firstHalfMeanS: firstS, secondHalfMeanS: secondS };
}

function hasTrend(values: readonly number[]): boolean {
  if (values.length >= LEAST_SECONDS_FOR_TREND_SCORE) return Math.abs(trendScore(values)) > TREND_SCORE_THAT_MATTERS;
  const steps = values.slice(1).map((value, index) => Math.sign(value - (values[index] ?? value)));
  return steps.every((step) => step === steps[0] && step !== 0);
}

/**
 * How far values stray by chance, from the differences of neighbours, which a drift hardly enlarges (J. von Neumann et al.,
 * *The mean square successive difference*, Annals of Mathematical Statistics 12, 1941).
 */
function neighbourNoise(values: readonly number[]): number {
  const squares = values.slice(1).map((value, index) => (value - (values[index] ?? value)) ** 2);
  return Math.sqrt(mean(squares) / 2);
}
