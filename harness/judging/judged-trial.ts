import type { Caveat, NonEmpty, Reason } from '../core/findings.ts';
import type { OfferedLoad } from '../core/load.ts';
import type { TrialRecord } from '../core/trial.ts';
import type { Estimate } from '../core/units.ts';
import type { LatencyHistogram } from '../histograms/latency-histogram.ts';
import type { QuantileBlocks } from '../statistics/change.ts';
import type { Disturbance, InstrumentLag } from './disturbance.ts';
import type { LatencyViews } from './latency-views.ts';
import type { RequestCounts } from './trial-window.ts';

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

/** One trial in numbers, with their intervals. Derived, never stored. */
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
}

export type Validity =
  | { readonly kind: 'valid' }
  | {
      readonly kind: 'invalid';
      readonly reasons: NonEmpty<Reason>;
      /** The only reason is that latency grew: a longer trial would have read more, so what it misses is missed. */
      readonly overloaded: boolean;
    };

/** Latencies of a window, and what their intervals follow from. */
export interface LatencySample {
  readonly histogram: LatencyHistogram;
  /** Each quantile with how many independent samples they are worth for it; null where there are too few seconds. */
  readonly worth: ReadonlyMap<number, number | null>;
  /** Their sums and numbers by blocks of time. */
  readonly sumsS: readonly number[];
  readonly counts: readonly number[];
  /** So much of each latency may be the instrument's own. */
  readonly lag: Pick<InstrumentLag, 'lagS' | 'beyondRatio'>;
}

/** Successful requests, and how many should have succeeded. */
export interface Answers {
  readonly step: string | null;
  readonly latency: LatencySample;
  readonly requests: RequestCounts;
}

/** A trial and all that is derived from it once: its histograms are decoded here and nowhere else. */
export interface JudgedTrial {
  readonly record: TrialRecord;
  readonly summary: TrialSummary;
  readonly validity: Validity;
  readonly caveats: readonly Caveat[];
  readonly disturbance: Disturbance;
  readonly requests: RequestCounts;
  /** What latency targets are judged by: of all requests together (`step` null), and of each step. */
  readonly answers: { readonly all: Answers; readonly steps: readonly Answers[] };
  /** Of all successful requests of the window. */
  readonly latency: LatencyHistogram;
  /** The same by blocks of whole seconds: what p95 is compared by. */
  readonly p95Blocks: Pick<QuantileBlocks, 'within' | 'counts'>;
  /** Decoded when it is first asked for; null for loads in which nothing is scheduled. */
  readonly views: LatencyViews | null;
}

export function isValid({ validity }: Pick<JudgedTrial, 'validity'>): boolean {
  return validity.kind === 'valid';
}

/** Of an overloaded trial a missed target counts, and its throughput. */
export function isValidOrOverloaded({ validity }: Pick<JudgedTrial, 'validity'>): boolean {
  return validity.kind === 'valid' || validity.overloaded;
}
