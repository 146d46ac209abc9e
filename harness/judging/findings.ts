import type { Estimate } from '../core/estimate.ts';
import { describeLoad } from '../core/load.ts';
import type { Target } from '../core/target.ts';
import type { NonEmpty } from '../core/verdict.ts';
import { documentedLevel, type Ladder, type Rung } from './rungs.ts';
import type { JudgedTarget } from './summary.ts';

/** What a judgement finds out; the rest of a `JudgedTarget` says what it was about. */
export type Finding = Pick<JudgedTarget, 'verdict' | 'value' | 'evidence'>;

export function inconclusive(reasons: readonly string[], value: Estimate | null, evidence: string): Finding {
  const [first = 'what was measured does not decide it', ...others] = reasons;
  const all: NonEmpty<string> = [first, ...others];
  return { verdict: { kind: 'inconclusive', reasons: all }, value, evidence };
}

export function missed(violation: string, value: Estimate | null, evidence: string): Finding {
  return { verdict: { kind: 'missed', violations: [violation] }, value, evidence };
}

export function met(value: Estimate | null, evidence: string): Finding {
  return { verdict: { kind: 'met' }, value, evidence };
}

export function notJudged(why: string): Finding {
  return { verdict: { kind: 'not-judged', why }, value: null, evidence: why };
}

/** A value that was counted, not estimated. */
export function exactly(value: number): Estimate {
  return { value, low: value, high: value };
}

/**
 * The rungs a target is judged by: all of them, or, where it names a load, the lowest that is at least as high.
 * `missing` tells what is still needed, each with what to do.
 */
export function rungsFor(
  { appliesTo: { concurrency, arrivalRatePerS } }: Target,
  ladder: Ladder,
): { readonly rungs: readonly Rung[]; readonly missing: readonly string[] } {
  if (concurrency === undefined && arrivalRatePerS === undefined) {
    const missing = ladder.missing.map((load) => `${describeLoad(load)} was not measured; run it again to the end`);
    return { rungs: ladder.rungs, missing };
  }
  const model = concurrency === undefined ? 'open' : 'closed';
  const level = concurrency ?? arrivalRatePerS ?? 0;
  const enough = ladder.rungs.filter(
    (rung) => rung.summary.load.model === model && documentedLevel(rung, ladder.pilot?.requestsPerIteration) >= level,
  );
  const rungs = enough.filter((rung) => rung.level === enough[0]?.level);
  if (rungs.length > 0) return { rungs, missing: [] };
  const what =
    model === 'closed'
      ? `no load of concurrency ${level} or more was measured; add --concurrency ${level}`
      : `no load of ${level} requests/s or more was measured; add --rate, which is in iterations/s`;
  return { rungs, missing: [what] };
}
