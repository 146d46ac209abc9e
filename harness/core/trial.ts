import type { Note } from './findings.ts';
import type { OfferedLoad } from './load.ts';
import type { MetricId } from './metrics.ts';

/** One measured load, as it was asked for. Holds no secrets: it is written to the results folder. */
export interface TrialPlan {
  readonly scenario: string;
  readonly baseUrl: string;
  /** Others by name, for requests that ask for one. */
  readonly baseUrls?: Readonly<Record<string, string>>;
  readonly load: OfferedLoad;
  /** Load before the measured window, in seconds. Its answers are in `intervals` with a negative `startS` and nowhere else. */
  readonly warmUpS: number;
  /** Length of the measured window in seconds. */
  readonly durationS: number;
  readonly seed: number;
  /** A request not answered within this time counts as `timeout`. */
  readonly timeoutS: number;
}

/**
 * How a request ended. Only `ok` counts towards throughput and latency.
 * `wrong-answer`: the status was expected, the content was not. `http-error`: another status than the scenario expects.
 */
export const requestOutcomes = [
  'ok',
  'wrong-answer',
  'http-error',
  'refused',
  'reset',
  'timeout',
  'malformed',
] as const;
export type RequestOutcome = (typeof requestOutcomes)[number];
export type OutcomeCounts = Readonly<Record<RequestOutcome, number>>;

/** An HdrHistogram V2 (compressed, base64) of integer microseconds, 3 significant digits. */
type EncodedHistogram = string;

/** What happened to one request name. */
export interface StepResult {
  readonly name: string;
  readonly outcomes: OutcomeCounts;
  /** Status code -> count, every answered request. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Latency of the requests with outcome `ok`: from the intended start (open) or the start (closed) to the last byte. */
  readonly latency: EncodedHistogram;
  /**
   * The same from the actual start, which may be late: what a tool that does not mind the intended start reads. Of whole
   * trials alone, and only where the engine tells the two apart.
   */
  readonly serviceTime?: EncodedHistogram;
  /**
   * Latency of those requests alone that ten users would have sent who each wait for an answer before they ask again: what
   * a tool of waiting users reads of the same trial, because it asks least while the system is slowest (coordinated
   * omission; Tene, "How NOT to Measure Latency", 2015). Of whole trials of open loads alone, and only where the engine
   * can tell.
   */
  readonly coordinated?: EncodedHistogram;
}

/** The same, one second at a time. */
export interface Interval {
  /** Seconds from the start of the measured window; negative while warming up. */
  readonly startS: number;
  readonly durationS: number;
  readonly iterations: IterationCounts;
  readonly steps: readonly StepResult[];
}

export interface IterationCounts {
  /** Due in the window. In a closed load: started. */
  readonly intended: number;
  readonly completed: number;
  /** Completed with at least one request that was not `ok`. Counted in `completed` too. */
  readonly failed: number;
  /** Due but never started. */
  readonly dropped: number;
}

/** What an engine returns: counts, durations, histograms. Rates and quantiles are derived (harness/judging). */
export interface Trial {
  readonly engine: string;
  readonly plan: TrialPlan;
  /** ISO 8601, UTC: start of the measured window. */
  readonly startedAt: string;
  /** Length of the window that was really measured; shorter than planned when stopped. */
  readonly measuredS: number;
  readonly stopped: boolean;
  readonly iterations: IterationCounts;
  readonly steps: readonly StepResult[];
  readonly intervals: readonly Interval[];
  /**
   * How long each request had waited that was in flight when the window closed: it is in no count and no latency above.
   */
  readonly inFlightAtEnd: EncodedHistogram;
  readonly generator: GeneratorHealth;
  /** A command that repeats the trial by hand, where there is one. Holds no secrets. */
  readonly repeatWith?: string;
  /** The first message of each kind of failure, for a person to read. */
  readonly failureExamples: readonly {
    readonly step: string;
    readonly outcome: RequestOutcome;
    readonly message: string;
  }[];
}

/** Was the instrument itself sound? */
export interface GeneratorHealth {
  /** Busy share of the generator's thread over the measured window, 0..1. */
  readonly utilizationRatio: number;
  /** Null where the generator has no event loop. */
  readonly eventLoopLagP99S: number | null;
  /** Actual minus intended start, 99th percentile; null for closed loads, where nothing is due. */
  readonly sendLagP99S: number | null;
}

/** One value a probe read. */
export interface ProbeSample {
  /** Seconds from the start of the measured window. */
  readonly atS: number;
  /** `service/instance`, e.g. `api/1`; the generator is `generator`. */
  readonly source: string;
  readonly metric: MetricId;
  /** What of the source it is about, where the metric has one value for each of many: the text of a statement. */
  readonly detail?: string;
  /** In the unit of the metric. */
  readonly value: number;
}

export const faultKinds = ['kill', 'pause'] as const;
/** `kill`: SIGKILL, later started again. `pause`: it stops in its tracks, keeps its connections, and later goes on. */
export type FaultKind = (typeof faultKinds)[number];

/** A fault made on purpose in a trial. */
export interface FaultRecord {
  readonly kind: FaultKind;
  /** `cache/1` */
  readonly instance: string;
  /** Seconds from the start of the measured window: when it was killed or paused. */
  readonly atS: number;
  /** When it was up again or went on; null when it did not come back. */
  readonly undoneAtS: number | null;
}

/** One trial with what the probes read meanwhile. */
export interface Measurement {
  readonly trial: Trial;
  readonly samples: readonly ProbeSample[];
  /** Present when a fault was made on purpose. */
  readonly fault?: FaultRecord;
  /** Probes that failed, services that crashed: anything a reader should know. */
  readonly notes: readonly Note[];
}

/** Only `measure` is evidence: the others prepare it, or show what a fault does. Answer checks are not stored. */
export const trialPurposes = ['answer-check', 'warm-up', 'measure', 'fault'] as const;
export type TrialPurpose = (typeof trialPurposes)[number];

/** A measurement and why it was made: what is stored. */
export interface TrialRecord extends Measurement {
  /** Position in the run, from 1. */
  readonly sequence: number;
  /** The id of the subject; in a run the name of the tier. */
  readonly subject: string;
  readonly purpose: TrialPurpose;
  /** The sequence of the invalid trial that this one repeats, and which is no evidence any more; absent for the first attempt. */
  readonly repeats?: number;
}
