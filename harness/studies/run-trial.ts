import type { Scenario, User } from '../../scenarios/kit.ts';
import { TierbenchError } from '../core/errors.ts';
import type { RunSettings } from '../core/run.ts';
import type { Interval, Measurement, TrialPlan } from '../core/trial.ts';
import { formatSeconds } from '../core/units.ts';
import type { LoadEngine } from '../engines/engine.ts';
import type { Probe } from '../probes/probe.ts';
import type { Deployment } from '../providers/provider.ts';
import { type FaultInTrial, type FaultOutcome, faultRecord, makeFault } from './make-fault.ts';
import { measure } from './measure.ts';
import type { TrialStep } from './steps.ts';

export interface TrialParts {
  readonly engine: LoadEngine;
  readonly scenario: Scenario;
  readonly file?: string;
  readonly users: readonly User[];
  readonly probes: readonly Probe[];
}

export interface RunTrial {
  /** A trial whose fault could not be made has none. */
  readonly measured: Measurement;
  /** A fault that could not be made, or not undone: the tier is not whole any more. */
  readonly failure: TierbenchError | undefined;
}

/** Runs one trial while the probes are read and the fault of the step, if there is one, is made and undone. */
export async function runTrial(
  step: TrialStep,
  deployment: Deployment,
  settings: RunSettings,
  { engine, scenario, file, users, probes }: TrialParts,
  signal: AbortSignal,
  onInterval: (interval: Interval) => void,
): Promise<RunTrial> {
  const fault = faultOf(step, deployment);
  const request = {
    plan: planOf(step, deployment, settings.seed),
    scenario,
    ...(file !== undefined && { scenarioFile: file }),
    users,
    skipThinkTimes: settings.skipThinkTimes,
  };
  const { trial, samples, notes } = await measure(engine, request, probes, signal, {
    onInterval(interval) {
      onInterval(interval);
      fault?.interval(interval);
    },
  });
  const windowStartS = Date.parse(trial.startedAt) / 1000;
  const outcome = await fault?.settle(signal);
  const record = step.fault && outcome && faultRecord(step.fault, outcome, windowStartS);
  return {
    measured: {
      ...(record !== undefined && { fault: record }),
      trial,
      samples,
      notes: [...(step.fault ? [timeoutNote(step)] : []), ...notes, ...(outcome?.failure ? [outcome.failure] : [])],
    },
    failure: signal.aborted ? undefined : failureOf(step, outcome),
  };
}

function planOf(step: TrialStep, { baseUrl, baseUrls }: Deployment, seed: number): TrialPlan {
  const { scenario, load, warmUpS, durationS, timeoutS } = step;
  return { scenario, baseUrl, ...(baseUrls !== undefined && { baseUrls }), load, warmUpS, durationS, seed, timeoutS };
}

function faultOf({ fault }: TrialStep, { faults }: Deployment): FaultInTrial | undefined {
  return fault === undefined || faults === undefined ? undefined : makeFault(fault, faults);
}

function timeoutNote({ timeoutS }: TrialStep): string {
  return `a request not answered within ${formatSeconds(timeoutS)} counts as a timeout in this trial, so that users do not wait for what is silent`;
}

function failureOf({ fault }: TrialStep, outcome: FaultOutcome | undefined): TierbenchError | undefined {
  if (fault === undefined) return undefined;
  const { kind, instance } = fault;
  const what =
    outcome === undefined
      ? `this provider cannot ${kind} ${instance}`
      : (outcome.failure ??
        (outcome.madeAtS === null ? `the trial was over before ${instance} was to fail` : undefined));
  if (what === undefined) return undefined;
  return new TierbenchError(
    'FAULT_FAILED',
    what,
    'Its last lines above may name the cause; leave the fault out with other words after --fault.',
  );
}
