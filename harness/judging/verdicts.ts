import type { Estimate } from '../core/estimate.ts';
import type { Evidence, Violation, WhyNot } from '../core/findings.ts';
import { isNonEmpty } from '../core/verdict.ts';
import type { JudgedTarget } from './judged-trial.ts';

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
