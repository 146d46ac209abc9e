import type { Note } from './findings.ts';
import type { OfferedLoad } from './load.ts';
import type { MetricId } from './metrics.ts';

/** How the hosts of base URLs are reached. Found out before the first trial, so that all connections do the same. */
export interface Reach {
  /** Name of a host -> the address of it that answered. */
  readonly addresses: Readonly<Record<string, string>>;
  readonly verifiesCertificates: boolean;
  /** A file with further certificate authorities (PEM); null where those of the system will do. */
  readonly authoritiesFile: string | null;
}

/** What a trial is to measure. Holds no secrets: it is written to the results folder. */
export interface TrialPlan {
  readonly scenario: string;
  readonly baseUrl: string;
  /** Others by name, for requests that ask for one. */
  readonly baseUrls?: Readonly<Record<string, string>>;
  /** Left out for services of this machine: names are looked up, and certificates are not checked. */
  readonly reach?: Reach;
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
 * `generator-limit`: never sent, because the generator's machine had no local port or file descriptor left for it.
 */
export const requestOutcomes = [
  'ok',
  'wrong-answer',
  'http-error',
  'refused',
  'reset',
  'timeout',
  'malformed',
  'generator-limit',
] as const;
export type RequestOutcome = (typeof requestOutcomes)[number];

/** What the machine of the generator may run out of. */
export const generatorResources = ['ports', 'files'] as const;
export type GeneratorResource = (typeof generatorResources)[number];

export type OutcomeCounts = Readonly<Record<RequestOutcome, number>>;

/** The counts of no request. */
export const noOutcomes: OutcomeCounts = {
  ok: 0,
  'wrong-answer': 0,
  'http-error': 0,
  refused: 0,
  reset: 0,
  timeout: 0,
  malformed: 0,
  'generator-limit': 0,
};

/** An HdrHistogram V2 (compressed, base64) of integer microseconds, 3 significant digits. */
type EncodedHistogram = string;

/** What happened to one request name. */
export interface StepResult {
  readonly name: string;
  readonly outcomes: OutcomeCounts;
  /** Status code -> count, every answered request. */
  readonly statuses: Readonly<Record<string, number>>;
  /**
   * Bytes of the bodies of all answered requests as they were sent: compressed where they were, without heads and without
   * the framing of chunks. Absent in results from before it was counted.
   */
  readonly responseBytes?: number;
  /** Latency of the requests with outcome `ok`: from the scheduled start (open) or the start (closed) to the last byte. */
  readonly latency: EncodedHistogram;
  /**
   * Service time: the same from the actual start, as a tool reports that ignores the scheduled start. Only for whole
   * trials, and only where the engine knows both starts.
   */
  readonly serviceTime?: EncodedHistogram;
  /**
   * Latency of the requests that a closed-loop load of ten users would have sent in the same trial. It shows coordinated
   * omission: such a load sends fewest requests while the system is slowest (Tene, "How NOT to Measure Latency", 2015).
   * Only for whole trials of open loads, and only where the engine can compute it.
   */
  readonly closedLoop?: EncodedHistogram;
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
  /** With a scheduled start in the window. In a closed load: started. */
  readonly intended: number;
  readonly completed: number;
  /** Completed with at least one request that was not `ok`. Counted in `completed` too. */
  readonly failed: number;
  /** Scheduled but never started. */
  readonly dropped: number;
}

/** What an engine returns: counts, durations, histograms. Rates and quantiles are derived (harness/judging). */
export interface Trial {
  readonly engine: string;
  readonly plan: TrialPlan;
  /** ISO 8601, UTC: start of the measured window, for display. */
  readonly startedAt: string;
  /** The same moment in seconds of the machine's monotonic clock: what samples and faults are placed by. */
  readonly startedAtMonotonicS: number;
  /** Length of the window that was really measured; shorter than planned when stopped. */
  readonly measuredS: number;
  readonly stopped: boolean;
  readonly iterations: IterationCounts;
  readonly steps: readonly StepResult[];
  readonly intervals: readonly Interval[];
  /**
   * Time in flight so far of each request that was in flight at the end of the window. These requests are in no count and
   * no latency above.
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
    /** Of `generator-limit`: what ran out. */
    readonly resource?: GeneratorResource;
  }[];
}

/** Whether the load generator itself kept up. */
export interface GeneratorHealth {
  /** Busy share of the generator's thread over the measured window, 0..1. */
  readonly utilizationRatio: number;
  /** Null where the generator has no event loop. */
  readonly eventLoopLagP99S: number | null;
  /** Actual minus scheduled start, 99th percentile; null for closed loads, which have no schedule. */
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
/** `kill`: SIGKILL, later started again. `pause`: SIGSTOP, its connections stay open, and it is continued later. */
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

/** One trial with what the probes read during it. */
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
