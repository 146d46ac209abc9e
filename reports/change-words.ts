import type { Estimate } from '../harness/core/estimate.ts';
import { formatNumber } from '../harness/core/units.ts';
import type { TierChange } from '../harness/judging/compare-tiers.ts';
import { describeWhyNot } from './describe/verdicts.ts';

/** How a change from one tier to the next reads: the same in every format. */

export const NO_CHANGE = 'no change beyond noise';

/** `+12 % (8 to 16)`; from ten times on `× 12 (10 to 14)`. */
export function changeSize({ value, low, high }: Estimate): string {
  if (high >= 10) return `× ${formatNumber(value)} (${formatNumber(low)} to ${formatNumber(high)})`;
  return `${shortChange(value)} (${percent(low)} to ${percent(high)})`;
}

/** `+12 %`, `−8 %`, `± 0 %` */
export function shortChange(ratio: number): string {
  if (ratio >= 10) return `× ${formatNumber(ratio)}`;
  const text = percent(ratio);
  return text === '0' ? '± 0 %' : `${text.startsWith('−') ? text : `+${text}`} %`;
}

/** What a sentence says of a change that was found: `rose by 12 % (8 to 16)`, `fell by 20 % (15 to 24)`. */
export function changeInWords({ value, low, high }: Estimate): string {
  if (value >= 1) {
    if (high >= 10)
      return `rose to ${formatNumber(value)} times as much (${formatNumber(low)} to ${formatNumber(high)})`;
    return `rose by ${percent(value)} % (${percent(low)} to ${percent(high)})`;
  }
  const less = (ratio: number) => percent(2 - ratio);
  return `fell by ${less(value)} % (${less(high)} to ${less(low)})`;
}

/** `+12 % (8 to 16)`, `no change beyond noise`, `cannot be said: <why>` */
export function changeText(change: TierChange): string {
  switch (change.kind) {
    case 'changed':
      return changeSize(change.ratio);
    case 'unclear':
      return NO_CHANGE;
    case 'unknown':
      return `cannot be said: ${change.tier}: ${describeWhyNot(change.why)}`;
  }
}

/** Whole percent above or below 1, with a real minus. */
function percent(ratio: number): string {
  const rounded = Math.round((ratio - 1) * 100);
  return rounded < 0 ? `−${formatNumber(-rounded)}` : formatNumber(rounded);
}
