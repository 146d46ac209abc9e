import type { Estimate } from '../core/units.ts';
import { studentT95 } from './student-t.ts';
import { mean } from './sums.ts';

/**
 * How many times the figures of one group those of another are: the ratio of their geometric means with its 95 % interval, by
 * Student's t on logarithms with one variance for both. Each figure is one observation, such as one start of a system. Null of
 * fewer than three figures together, which say nothing of how much they vary, or where one is not above 0.
 */
export function ratioOfGroups(before: readonly number[], after: readonly number[]): Estimate | null {
  const degrees = before.length + after.length - 2;
  if (before.length === 0 || after.length === 0 || degrees < 1) return null;
  if ([...before, ...after].some((value) => !(value > 0))) return null;
  const [from, to] = [before.map(Math.log), after.map(Math.log)];
  const error = Math.sqrt(((squaresOf(from) + squaresOf(to)) / degrees) * (1 / before.length + 1 / after.length));
  const change = mean(to) - mean(from);
  const reach = studentT95(degrees) * error;
  return { value: Math.exp(change), low: Math.exp(change - reach), high: Math.exp(change + reach) };
}

/** Of the distances from the mean. */
function squaresOf(values: readonly number[]): number {
  const centre = mean(values);
  return values.reduce((total, value) => total + (value - centre) ** 2, 0);
}
