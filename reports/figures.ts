import { describeLoad, type OfferedLoad } from '../harness/core/load.ts';
import type { Target } from '../harness/core/target.ts';
import { type Estimate, formatNumber } from '../harness/core/units.ts';
import type { JudgedTarget } from '../harness/judging/judged-target.ts';
import { withAdvice } from './describe/remedies.ts';
import { describeEvidence, describeViolation, describeWhyNot } from './describe/verdicts.ts';
import { plural } from './text.ts';

/** How estimates, loads and verdicts read: the same in the terminal, the page, the pictures and the Markdown. */

export type Format = (value: number) => string;

const TOO_FEW = 'too few samples';

/** The 95 % interval: `170 to 195 ms`; `exact` for what was counted and not estimated. */
export function estimateInterval(estimate: Estimate | null, format: Format): string {
  if (estimate === null) return '–';
  if (estimate.low === estimate.value && estimate.high === estimate.value) return 'exact';
  const [low, high] = [format(estimate.low), format(estimate.high)];
  const [number = '', unit, ...more] = low.split(' ');
  const isSameUnit = unit !== undefined && more.length === 0 && /^\S+ \S+$/u.test(high) && high.endsWith(` ${unit}`);
  return `${isSameUnit ? number : low} to ${high}`;
}

/** `182 ms (170 to 195 ms)` */
export function estimateWithInterval(estimate: Estimate | null, format: Format): string {
  if (estimate === null) return TOO_FEW;
  const interval = estimateInterval(estimate, format);
  return interval === 'exact' ? format(estimate.value) : `${format(estimate.value)} (${interval})`;
}

export function sourceOf(target: Target): string {
  return `${target.source.document}, ${target.source.section}`;
}

export function loadText(load: OfferedLoad): string {
  return load.model === 'closed' ? formatNumber(load.concurrency) : describeLoad(load);
}

/** Where loads of both kinds stand side by side: `500/s`, `100 users`. */
export function loadWords(load: OfferedLoad): string {
  return load.model === 'closed' ? plural(load.concurrency, 'user') : describeLoad(load);
}

export const verdictWords = {
  met: 'met',
  missed: 'missed',
  inconclusive: 'inconclusive',
  'not-judged': 'not judged',
} as const satisfies Record<JudgedTarget['verdict']['kind'], string>;

/** Why the verdict is what it is; empty where the target is met. */
export function verdictReasons(verdict: JudgedTarget['verdict'], target: Target): readonly string[] {
  switch (verdict.kind) {
    case 'met':
      return [];
    case 'missed':
      return [describeViolation(verdict.violation, target)];
    case 'inconclusive':
      return verdict.reasons.map((reason) => withAdvice(describeWhyNot, reason));
    case 'not-judged':
      return [withAdvice(describeWhyNot, verdict.why)];
  }
}

/** Empty where nothing was measured. */
export function evidenceText(evidence: JudgedTarget['evidence']): string {
  return evidence === null ? '' : describeEvidence(evidence);
}

/** `2026-11-21 07:30 UTC`, from ISO 8601 in UTC. */
export function dateTime(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`;
}

/** `+12 % (8 to 16)`; from ten times on `× 12 (10 to 14)`. */
export function changeSize({ value, low, high }: Estimate): string {
  if (high >= 10) return `× ${formatNumber(value)} (${formatNumber(low)} to ${formatNumber(high)})`;
  const text = percentChange(value);
  const signed = text === '0' ? '± 0' : text.startsWith('−') ? text : `+${text}`;
  return `${signed} % (${percentChange(low)} to ${percentChange(high)})`;
}

/** Whole percent above or below 1, with a real minus. */
function percentChange(ratio: number): string {
  const rounded = Math.round((ratio - 1) * 100);
  return rounded < 0 ? `−${formatNumber(-rounded)}` : formatNumber(rounded);
}
