import type { Estimate } from '../core/estimate.ts';
import type { OfferedLoad } from '../core/load.ts';
import type { Target } from '../core/target.ts';
import type { TrialRecord } from '../core/trial.ts';
import type { NonEmpty, Verdict } from '../core/verdict.ts';

/** Latency of successful requests. A quantile is null where the samples do not allow an interval for it. */
export interface LatencySummary {
  readonly count: number;
  readonly meanS: number;
  readonly maxS: number;
  readonly p50S: Estimate | null;
  readonly p95S: Estimate | null;
  readonly p99S: Estimate | null;
}

/** One request name. */
export interface StepSummary {
  readonly name: string;
  readonly requests: number;
  /** Requests that were not `ok`, of all; 0 when there were none. */
  readonly errorRatio: number;
  readonly throughputPerS: Estimate | null;
  readonly latency: LatencySummary;
}

export type Validity =
  | { readonly kind: 'valid' }
  | {
      readonly kind: 'invalid';
      readonly reasons: NonEmpty<string>;
      /** All that speaks against it is that its latency grew: what it misses it would miss by more, had it gone on. */
      readonly overloaded: boolean;
    };

/** One trial in numbers, with how sure they are. Derived, never stored. */
export interface TrialSummary {
  readonly sequence: number;
  readonly tier: string;
  readonly scenario: string;
  readonly load: OfferedLoad;
  /** Successful requests per second. */
  readonly throughputPerS: Estimate | null;
  /** Iterations per second that completed without a failed request. */
  readonly iterationsPerS: Estimate | null;
  /** Failed requests and dropped iterations, of all requests and dropped iterations; 0 when there were none. */
  readonly errorRatio: number;
  /** All steps together. */
  readonly latency: LatencySummary;
  readonly steps: readonly StepSummary[];
  /** Can the numbers be trusted? */
  readonly validity: Validity;
  /** What a reader should mind, though it makes nothing untrue. */
  readonly caveats: readonly string[];
}

export interface JudgedTrial {
  readonly record: TrialRecord;
  readonly summary: TrialSummary;
}

/** A target held against a run, for one tier and (where the target is about requests) one scenario. */
export interface JudgedTarget {
  readonly target: Target;
  readonly tier: string;
  readonly scenario: string | null;
  readonly verdict: Verdict | { readonly kind: 'not-judged'; readonly why: string };
  readonly value: Estimate | null;
  /** Where the value comes from and what it says, in words: `p95 612 ms at concurrency 100; met up to concurrency 10`. */
  readonly evidence: string;
}
