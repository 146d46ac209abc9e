import { formatRate } from '../core/units.ts';
import { mean } from '../statistics/mean.ts';
import { steadyStateStart } from '../statistics/steady-state.ts';

/** From here on the steady-state rule has enough seconds to choose from; below, only the drift is looked at. */
const LEAST_SECONDS_FOR_STEADY_STATE = 20;
/** From here on batches of five seconds, as the rule was published; below, single seconds. */
const LEAST_SECONDS_FOR_BATCHES = 50;
const LEAST_SECONDS_FOR_DRIFT = 6;

/** Changes of the throughput that are too small to matter are no unsteadiness, however certain they are. */
const SHIFT_THAT_MATTERS = 0.05;
const DRIFT_THAT_MATTERS = 0.1;
const STANDARD_ERRORS_THAT_MATTER = 3.5;

/**
 * Why a throughput, one value for each second, is not steady; null when nothing speaks against it.
 *
 * From 20 seconds on: MSER-5 would cut off more than half, and what it keeps lies more than 5 % away from the whole. Alone
 * the first half of that calls 10 % of perfectly steady trials unsteady; with the second, under noise of 5 %, fewer than 1 %.
 *
 * Trials as short as those of a quick run leave MSER nothing to choose from. There, and as a second look everywhere,
 * the two halves are compared: more than 10 % and 3.5 standard errors apart is a drift. In 8 seconds with noise of 5 % this
 * finds two of three trials that climb by half, with no false alarm; smaller changes need longer trials.
 */
export function describeUnsteadiness(throughputPerS: readonly number[]): string | null {
  const whole = mean(throughputPerS);
  if (throughputPerS.length < LEAST_SECONDS_FOR_DRIFT || whole === 0) return null;
  const half = Math.floor(throughputPerS.length / 2);
  const first = throughputPerS.slice(0, half);
  const second = throughputPerS.slice(-half);
  const difference = Math.abs(mean(second) - mean(first));
  const standardError = Math.sqrt((variance(first) + variance(second)) / half);
  if (difference > DRIFT_THAT_MATTERS * whole && difference > STANDARD_ERRORS_THAT_MATTER * standardError) {
    return `it went from ${formatRate(mean(first))} in the first half to ${formatRate(mean(second))} in the second`;
  }
  if (throughputPerS.length < LEAST_SECONDS_FOR_STEADY_STATE) return null;
  const start = steadyStateStart(throughputPerS, throughputPerS.length < LEAST_SECONDS_FOR_BATCHES ? 1 : 5);
  const kept = mean(throughputPerS.slice(start));
  if (start <= throughputPerS.length / 2 || Math.abs(kept - whole) <= SHIFT_THAT_MATTERS * whole) return null;
  return `it settled only after ${start} of ${throughputPerS.length} seconds, at ${formatRate(kept)} instead of ${formatRate(whole)}`;
}

function variance(values: readonly number[]): number {
  const centre = mean(values);
  return values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1);
}
