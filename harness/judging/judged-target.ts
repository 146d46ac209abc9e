import { type Evidence, isNonEmpty, type Verdict, type Violation, type WhyNot } from '../core/findings.ts';
import type { Target } from '../core/target.ts';
import type { Estimate } from '../core/units.ts';

/** A target held against a run, for one tier and (where the target is about requests) one scenario. */
export interface JudgedTarget {
  readonly target: Target;
  readonly tier: string;
  readonly scenario: string | null;
  readonly verdict: Verdict;
  readonly value: Estimate | null;
  /** What the verdict rests on; null where nothing was measured. */
  readonly evidence: Evidence | null;
}

/** What judging a target gives; the rest of a `JudgedTarget` says what it is about. */
export type Judgement = Pick<JudgedTarget, 'verdict' | 'value' | 'evidence'>;

/** @throws Error without a reason: that is a defect of the judge. */
export function inconclusive(
  reasons: readonly WhyNot[],
  value: Estimate | null = null,
  evidence: Evidence | null = null,
): Judgement {
  if (!isNonEmpty(reasons)) throw new Error('a verdict is inconclusive for a reason');
  return { verdict: { kind: 'inconclusive', reasons }, value, evidence };
}

export function missed(violation: Violation, value: Estimate | null, evidence: Evidence): Judgement {
  return { verdict: { kind: 'missed', violation }, value, evidence };
}

export function met(value: Estimate | null, evidence: Evidence): Judgement {
  return { verdict: { kind: 'met' }, value, evidence };
}

export function notJudged(why: WhyNot): Judgement {
  return { verdict: { kind: 'not-judged', why }, value: null, evidence: null };
}

/** A value that was counted, not estimated. */
export function exactly(value: number): Estimate {
  return { value, low: value, high: value };
}

export interface Bound {
  readonly limit: number;
  readonly keeps: (value: number) => boolean;
}

/** The value a measurement must not exceed or must reach: of a range the end that can be missed. */
export function boundOf(
  { value, comparison }: Pick<Target, 'value' | 'comparison'>,
  side: 'at most' | 'at least',
): Bound {
  const limit = typeof value === 'number' ? value : value[side === 'at most' ? 1 : 0];
  return side === 'at most'
    ? { limit, keeps: comparison === '<' ? (it) => it < limit : (it) => it <= limit }
    : { limit, keeps: comparison === '>' ? (it) => it > limit : (it) => it >= limit };
}
