/** What a plan is asked: what users do, and what things cost. Data only. */

/** A value between its ends: what somebody assumes, or the better and the worse end of what was measured. */
export interface Range {
  readonly low: number;
  readonly high: number;
}

export const middle = ({ low, high }: Range): number => (low + high) / 2;
export const exactly = (value: number): Range => ({ low: value, high: value });
export const isExact = ({ low, high }: Range): boolean => low === high;
/** Of two ranges above 0. */
export const product = (one: Range, other: Range): Range => ({ low: one.low * other.low, high: one.high * other.high });
export const quotient = (one: Range, other: Range): Range => ({
  low: one.low / other.high,
  high: one.high / other.low,
});

/** What the amount of a workload counts: users, or requests per second at the busiest time. */
export type WorkloadKind = 'daily-users' | 'monthly-users' | 'concurrent-users' | 'peak-rate';

/**
 * What is assumed where nothing is said, in SI units. No app is known by these, so that they have ranges; what somebody says
 * as one number is exact. The lifetimes are those that the scaling documents name: 5 min to 1 h.
 */
export const usualAssumptions = {
  /** Of the users of a month, how many come on one day. */
  dailyShareRatio: { low: 0.1, high: 0.3 },
  sessionsPerUser: { low: 2, high: 4 },
  requestsPerSession: { low: 15, high: 25 },
  /** The rate of the busiest time over the mean of the day. */
  peakFactor: { low: 2, high: 4 },
  thinkS: { low: 3, high: 7 },
  growthRatio: exactly(0),
  /** How many times faster a CPU of the planned machines is than one of the machine that was measured. */
  cpuFactor: exactly(1),
  cacheLifetimeS: { low: 300, high: 3600 },
} satisfies Readonly<Record<string, Range>>;

export type AssumptionId = keyof typeof usualAssumptions;
export const assumptionIds = Object.keys(usualAssumptions) as readonly AssumptionId[];

export type Assumptions = Readonly<Record<AssumptionId, Range>>;

export interface Workload extends Assumptions {
  readonly kind: WorkloadKind;
  readonly amount: Range;
  /** What they do; null: everyday traffic, where it was measured. */
  readonly scenario: string | null;
  /** The share of its capacity that a service may be used to at the peak: 0.8. */
  readonly headroomRatio: number;
  /** How many instances of each service that scales may be gone at the peak. */
  readonly failures: number;
  /** CPUs of the largest instance: what there can be only one of may grow so far. */
  readonly largestCpus: number;
  /** How many times as much as a unit of capacity that is not needed one costs that is missing. */
  readonly shortageCost: number;
  /** How busy each hour of the day is, relative to the others; null: not known. */
  readonly dayCurve: readonly number[] | null;
  /** What was said; anything else is usual. */
  readonly given: readonly AssumptionId[];
}

/** What a month costs, in one currency. */
export interface Prices {
  readonly currency: string;
  /** On which day they were so: ISO 8601. */
  readonly date: string;
  /** Who says so. */
  readonly source: string;
  readonly cpuHour: Range | null;
  readonly memoryGibHour: Range | null;
  /** Of an instance for a month, by the kind of service, in place of its CPUs and memory. */
  readonly instanceMonth: Readonly<Record<string, Range>>;
  /** For 1e9 bytes of responses. */
  readonly networkGb: Range | null;
  /** Whatever the load, by name. */
  readonly fixedMonth: Readonly<Record<string, Range>>;
}
