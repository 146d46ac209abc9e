import type { Scenario, User } from '../../scenarios/kit.ts';
import type { DataValues } from '../core/app.ts';
import type { Note } from '../core/findings.ts';
import type { Calibration, StudyFacts } from '../core/study-record.ts';
import type { Target } from '../core/target.ts';
import type { LoadEngine } from '../engines/engine.ts';
import type { ResultsWriter } from '../files/results.ts';
import type { Probe } from '../probes/probe.ts';
import type { Deployment, Provider } from '../providers/provider.ts';
import type { RepeatBudget, TimeKeeper } from './budget.ts';
import type { StudyContext } from './study.ts';
import type { StudyEvent } from './study-event.ts';

export interface ScenarioSource {
  readonly scenario: Scenario;
  /** Where it was read from, for engines that run it elsewhere. */
  readonly file?: string;
}

/** Everything a study acts through. Engine, provider and probes are known by their interfaces; the caller chooses them. */
export interface StudyEnvironment {
  /** Measures the generator itself, before anything else. */
  readonly calibrate: () => Promise<Calibration | null>;
  readonly engine: LoadEngine;
  readonly provider: Provider;
  readonly probesFor: (deployment: Deployment) => Promise<readonly Probe[]>;
  /** By name. */
  readonly scenarios: ReadonlyMap<string, ScenarioSource>;
  /** Those of a file; left out, each subject has the users of its app. */
  readonly users?: readonly User[] | undefined;
  /** The data to prepare where it is ours, and the password of its users. */
  readonly data: { readonly values: DataValues; readonly password: string };
  readonly targets: readonly Target[];
  /** What a reader should know of every subject. */
  readonly notes: readonly Note[];
  readonly results: ResultsWriter;
  readonly emit: (event: StudyEvent) => void;
  /** Lets time pass. Resolves early when the signal aborts. */
  readonly pause: (durationS: number, signal: AbortSignal) => Promise<void>;
  readonly signal: AbortSignal;
}

/** What the files of one study share while it goes on. */
export interface Conducted {
  readonly environment: StudyEnvironment;
  readonly facts: StudyFacts;
  readonly context: StudyContext;
  readonly time: TimeKeeper;
  readonly repeats: RepeatBudget;
  nextSequence(): number;
}
