import type { RunningService } from './deployment.ts';
import type { MachineFacts } from './machine.ts';
import type { Target } from './target.ts';
import type { DataSize, Tier } from './tier.ts';
import type { MeasuredTrial } from './trial.ts';

/** What a reader must know to believe a run, or to repeat it. Holds no secrets. */
export interface RunFacts {
  readonly schemaVersion: 1;
  readonly runId: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly tierbench: { readonly version: string; readonly commit: string | null };
  readonly machine: MachineFacts;
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
  /** Concurrencies, ascending. */
  readonly ladder: readonly number[];
  readonly skipThinkTimes: boolean;
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
  /** Why the tier was not run here; empty when it was. */
  readonly notRun: readonly string[];
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
  readonly trials: readonly MeasuredTrial[];
  /** The targets as they stood when the run was made. */
  readonly targets: readonly Target[];
}
