/** What was measured at several loads, by tierbench or by another tool: what a model is fitted to. */
export type MeasuredCurve = ConcurrencyCurve | RateCurve;

/** Throughput at each concurrency, of closed-loop load. */
export interface ConcurrencyCurve {
  readonly kind: 'concurrency';
  /** Empty where there is only one. */
  readonly name: string;
  readonly points: readonly ConcurrencyPoint[];
}

export interface ConcurrencyPoint {
  readonly concurrency: number;
  readonly throughputPerS: number;
  /** The mean; null where it was not measured. */
  readonly latencyS: number | null;
}

/** The p95 latency at each arrival rate, of open-loop load. */
export interface RateCurve {
  readonly kind: 'rate';
  readonly name: string;
  readonly points: readonly RatePoint[];
}

export interface RatePoint {
  readonly ratePerS: number;
  readonly p95S: number;
}
