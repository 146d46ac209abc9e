import type { Scenario, User } from '../../scenarios/kit.ts';
import { TierbenchError } from '../core/errors.ts';
import { describeLoad } from '../core/load.ts';
import type { PlannedLoad, RunSettings } from '../core/run.ts';
import type { Trial, TrialRecord } from '../core/trial.ts';
import type { LoadEngine } from '../engines/engine.ts';
import type { ResultsWriter } from '../files/results.ts';
import type { Probe } from '../probes/probe.ts';
import type { Deployment } from '../providers/provider.ts';
import { drainTimeS } from './drain-time.ts';
import { type IsSteady, type LadderScenario, ladder } from './ladder.ts';
import { runTrial } from './run-trial.ts';
import type { ServiceFailures } from './service-failures.ts';
import type { TrialStep } from './steps.ts';
import type { Progress } from './track-progress.ts';

export interface ScenarioSource {
  readonly scenario: Scenario;
  /** Where it was read from, for engines that run it elsewhere. */
  readonly file?: string;
}

/** What a tier that is up is measured with. */
export interface ClimbParts {
  readonly engine: LoadEngine;
  /** By name, in the order they are measured. */
  readonly scenarios: ReadonlyMap<string, ScenarioSource>;
  readonly users: readonly User[];
  readonly probesFor: (deployment: Deployment) => Promise<readonly Probe[]>;
  readonly isSteady: IsSteady;
  /** One line on a finished trial, for whoever watches. */
  readonly describeTrial: (measured: TrialRecord) => string;
  readonly results: ResultsWriter;
  /** Lets time pass. Resolves early when the signal aborts. */
  readonly pause: (durationS: number, signal: AbortSignal) => Promise<void>;
  readonly signal: AbortSignal;
}

/**
 * Takes a tier through its ladder and the faults after it, and writes each trial as it comes.
 * @returns why the tier ended before its last trial; undefined when it did not.
 * @throws what would end every other tier too, such as a trial that cannot be run or written.
 */
export async function climb(
  deployment: Deployment,
  settings: RunSettings,
  parts: ClimbParts,
  failures: ServiceFailures,
  progress: Progress,
  scenarios: readonly LadderScenario[],
  onPlanned: (planned: readonly PlannedLoad[], note: string | undefined) => Promise<void>,
): Promise<TierbenchError | undefined> {
  const { engine, users, results, signal } = parts;
  const stop = AbortSignal.any([signal, failures.signal]);
  await using disposables = new AsyncDisposableStack();
  const probes = await parts.probesFor(deployment);
  for (const probe of probes) disposables.use(probe);
  const steps = ladder(settings, deployment.tier, scenarios, users.length, parts.isSteady);
  let idleAtMs = performance.now();
  for (let next = steps.next(undefined); !next.done; ) {
    const step = next.value;
    const leftS = (idleAtMs - performance.now()) / 1000;
    if (step.kind === 'trial' && leftS > 0) {
      await parts.pause(leftS, stop);
      if (failures.seen.length > 0) return failures.error();
    }
    signal.throwIfAborted();
    progress.begin(step, deployment.tier.name);
    if (step.kind === 'plan') {
      progress.planned(deployment.tier.name, step.scenario, step.trials);
      await onPlanned(
        step.trials.map(({ scenario, load }) => ({ scenario, load })),
        step.note,
      );
      next = steps.next(undefined);
      continue;
    }
    if (step.kind === 'cool-down') {
      await parts.pause(step.durationS, stop);
      if (failures.seen.length > 0) return failures.error();
      next = steps.next(undefined);
      continue;
    }
    const source = parts.scenarios.get(step.scenario);
    if (source === undefined) throw new Error(`no scenario '${step.scenario}'`);
    const trialParts = { engine, ...source, users: users.slice(0, step.users), probes };
    const { measured, failure } = await runTrial(step, deployment, settings, trialParts, stop, progress.interval);
    idleAtMs = performance.now() + drainTimeS(measured.trial) * 1000;
    const { purpose } = step;
    if (purpose === 'answer-check') {
      const wrong = stop.aborted ? undefined : wrongAnswers(step, measured.trial);
      if (wrong !== undefined) return wrong;
    } else if (purpose !== 'fault' || measured.fault !== undefined) {
      const kept: TrialRecord = {
        ...measured,
        schemaVersion: 1,
        sequence: progress.nextSequence(),
        subject: deployment.tier.name,
        purpose,
        notes: [...measured.notes, ...failures.seen],
      };
      await results.trial(kept);
      progress.finished(kept, parts.describeTrial(kept));
    }
    const ended = failures.error() ?? failure;
    if (ended !== undefined) return ended;
    signal.throwIfAborted();
    next = steps.next(measured.trial);
  }
  return undefined;
}

/** Load on an API that answers wrongly measures nothing: better to know before the long part. */
function wrongAnswers(step: TrialStep, trial: Trial): TierbenchError | undefined {
  if (trial.iterations.failed === 0) return undefined;
  return new TierbenchError(
    'ANSWERS_WRONG',
    `${trial.iterations.failed} of ${trial.iterations.completed} iterations of scenario '${step.scenario}' failed at ${describeLoad(step.load)}, before any load`,
    'Mend the scenario or the API, then run again; the first failure of each kind is above.',
    {
      problems: trial.failureExamples.map(({ step: name, outcome, message }) => ({
        what: `'${name}': ${outcome}: ${message}`,
      })),
    },
  );
}
