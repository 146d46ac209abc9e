import type { RunningService } from './deployment.ts';
import type { ArrivalProcess, OfferedLoad } from './load.ts';
import type { MachineFacts } from './machine.ts';
import type { Target } from './target.ts';
import type { DataSize, Tier } from './tier.ts';
import type { FaultKind, TrialRecord } from './trial.ts';

/** What a reader must know to believe a run, or to repeat it. Holds no secrets. */
export interface RunFacts {
  readonly schemaVersion: 1;
  readonly runId: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly tierbench: { readonly version: string; readonly commit: string | null };
  readonly machine: MachineFacts;
  /** Null where both share all CPUs, `notes` of the tiers say why. */
  readonly placement: Placement | null;
  /** Null where it was not made: it was interrupted, or too little was answered. */
  readonly calibration: Calibration | null;
  readonly settings: RunSettings;
  readonly tiers: readonly TierFacts[];
}

export interface RunSettings {
  readonly quick: boolean;
  readonly engine: string;
  readonly provider: string;
  readonly scenarios: readonly string[];
  readonly seed: number;
  readonly durationS: number;
  readonly warmUpS: number;
  readonly timeoutS: number;
  readonly coolDownS: number;
  /** Arrivals per second, ascending; null: chosen for each scenario by a probe, the documented rates among them. */
  readonly arrivalRatesPerS: readonly number[] | null;
  readonly arrivals: ArrivalProcess;
  /** Virtual users, ascending; null: as many as the documents speak of for the scenario. */
  readonly concurrencies: readonly number[] | null;
  /** Threads the generator uses. */
  readonly workers: number;
  readonly skipThinkTimes: boolean;
  /**
   * What the CPUs of every service were multiplied by (a scale model): the same for all tiers of the run, so that they
   * can be compared. Null where each service had what its tier file says.
   */
  readonly scaleModelFactor: number | null;
  /** Faults made on purpose after the ladder of each tier that has the service. */
  readonly faults: readonly FaultChoice[];
}

/**
 * `service`: `cache`, of which the first instance is meant, or one of its instances, `api/2`; null: every service of the
 * tier, one after the other.
 */
export interface FaultChoice {
  readonly kind: FaultKind;
  readonly service: string | null;
}

/** Which CPUs did what, so that the generator does not take from the system what it measures. */
export interface Placement {
  readonly generatorCpus: readonly number[];
  readonly systemCpus: readonly number[];
}

/**
 * What the generator itself can do on this machine, measured before the first trial against an echo that takes no time
 * worth speaking of: beyond the ceiling and below the floor it is the generator that is measured.
 */
export interface Calibration {
  /** Requests per second it makes at most, with `ceilingConcurrency` virtual users. */
  readonly ceilingPerS: number;
  readonly ceilingConcurrency: number;
  /** The echo itself was at its limit, or took the generator's CPU: the generator may make more. */
  readonly ceilingIsAtLeast: boolean;
  /** Latency it reads at least, at `floorRatePerS` arrivals (or with one virtual user, where it knows no arrivals: null). */
  readonly floorP50S: number;
  readonly floorP95S: number;
  readonly floorRatePerS: number | null;
  /** Actual minus intended start at that rate, 99th percentile. */
  readonly sendLagP99S: number | null;
}

/** One load a scenario was to be measured at. */
export interface PlannedLoad {
  readonly scenario: string;
  readonly load: OfferedLoad;
}

/** One tier as it was really brought up. */
export interface TierFacts {
  readonly tier: Tier;
  readonly provider: string;
  readonly services: readonly RunningService[];
  /** Null where the data was not made by the run. */
  readonly data: DataSize | null;
  readonly bringUpS: number;
  readonly prepareDataS: number;
  /** The ladders, as far as they were decided: that of a scenario is when its probe is done. */
  readonly planned: readonly PlannedLoad[];
  /** Why the tier was not run here; empty when it was. */
  readonly notRun: readonly string[];
  /** Where what ran differs from the tier file, and what a reader would not expect: limits that are not enforced. */
  readonly notes: readonly string[];
  /** What ended the tier before its last trial; null when nothing did. */
  readonly endedEarly: string | null;
}

export type RunStatus =
  | { readonly state: 'running' }
  | { readonly state: 'finished'; readonly endedAt: string }
  | { readonly state: 'interrupted'; readonly endedAt: string }
  | {
      readonly state: 'failed';
      readonly endedAt: string;
      readonly code: string;
      readonly what: string;
      readonly nextStep: string;
    };

/** A results folder, read. Everything a report needs, and nothing else goes into one. */
export interface RunResult {
  readonly facts: RunFacts;
  readonly status: RunStatus;
  /** In the order they were measured. */
  readonly trials: readonly TrialRecord[];
  /** The targets as they stood when the run was made. */
  readonly targets: readonly Target[];
}
