import { setTimeout } from 'node:timers/promises';
import type { Scenario, User } from '../../scenarios/kit.ts';
import { type Problem, TierbenchError } from '../core/errors.ts';
import { describeLoad } from '../core/load.ts';
import type { RunFacts, RunStatus, TierFacts } from '../core/run.ts';
import type { RunEvent } from '../core/run-event.ts';
import type { DataSize, Tier } from '../core/tier.ts';
import type { MeasuredTrial, Trial } from '../core/trial.ts';
import type { LoadEngine } from '../engines/engine.ts';
import type { ResultsWriter } from '../files/results.ts';
import type { Probe } from '../probes/probe.ts';
import { sampleEachSecond } from '../probes/sampler.ts';
import type { Deployment, Provider } from '../providers/provider.ts';
import { type IsSteady, type LadderStep, ladder } from './ladder.ts';
import { trackProgress } from './track-progress.ts';

/** Everything the run study acts through. It knows each part by its interface only; the caller chooses them. */
export interface RunParts {
  readonly engine: LoadEngine;
  readonly provider: Provider;
  /** By name; the ladder climbs those of the settings. */
  readonly scenarios: ReadonlyMap<string, Scenario>;
  readonly users: readonly User[];
  /** The data to prepare, and the password of its users; absent where the data is not ours. */
  readonly data?: { readonly size: DataSize; readonly password: string };
  readonly probesFor: (deployment: Deployment) => Promise<readonly Probe[]>;
  readonly isSteady: IsSteady;
  /** One line on a finished trial, for whoever watches. */
  readonly describeTrial: (measured: MeasuredTrial) => string;
  readonly results: ResultsWriter;
  readonly emit: (event: RunEvent) => void;
  readonly signal: AbortSignal;
}

/**
 * Brings each tier up, prepares its data, climbs the ladder of each scenario and takes the tier down again. Trials are
 * written as they come, so that whatever ends the run leaves what was measured.
 * @returns 'interrupted' when the signal aborted.
 * @throws TierbenchError what ended the run; it stands in the status of the results too.
 */
export async function run(
  tiers: readonly Tier[],
  facts: RunFacts,
  parts: RunParts,
): Promise<'finished' | 'interrupted'> {
  const conclude = (status: RunStatus) => parts.results.status(status);
  const now = () => new Date().toISOString();
  try {
    await runTiers(tiers, facts, parts);
    await conclude({ state: 'finished', endedAt: now() });
    return 'finished';
  } catch (error) {
    if (parts.signal.aborted) {
      await conclude({ state: 'interrupted', endedAt: now() });
      return 'interrupted';
    }
    const cause = firstOf(error, parts.emit);
    const known =
      cause instanceof TierbenchError
        ? cause
        : new TierbenchError('INTERNAL', String(cause), 'Report this as a defect of tierbench.');
    // A full disk ends a run and keeps its status from being written; the folder reads as unfinished then.
    await conclude({
      state: 'failed',
      endedAt: now(),
      code: known.code,
      what: known.message,
      nextStep: known.nextStep,
    }).catch(() => undefined);
    throw cause;
  }
}

/** What went wrong first; what went wrong while it was cleared away is told as a note. */
function firstOf(error: unknown, emit: RunParts['emit']): unknown {
  let first = error;
  for (; first instanceof SuppressedError; first = first.suppressed) {
    emit({ kind: 'note', text: `while clearing away: ${String(first.error)}` });
  }
  return first;
}

async function runTiers(tiers: readonly Tier[], initialFacts: RunFacts, parts: RunParts): Promise<void> {
  const { provider, results, emit, signal } = parts;
  let facts = initialFacts;
  const progress = trackProgress(
    facts.settings,
    tiers.map(({ name }) => name),
    emit,
  );
  const notRun: Problem[] = [];
  for (const [index, tier] of tiers.entries()) {
    signal.throwIfAborted();
    emit({ kind: 'tier-starting', tier: tier.name, title: tier.title, position: index + 1, total: tiers.length });
    const obstacles = await provider.obstacles(tier);
    if (obstacles.length === 0) {
      facts = await runTier(tier, facts, parts, progress);
      emit({ kind: 'tier-stopped', tier: tier.name });
      continue;
    }
    notRun.push(...obstacles.map((what) => ({ what: `tier ${tier.name}: ${what}` })));
    emit({ kind: 'note', text: `tier ${tier.name} is not run here: ${obstacles.join('; ')}` });
    progress.skip(tier.name);
    facts = withTier(facts, {
      tier,
      provider: provider.name,
      services: [],
      data: null,
      bringUpS: 0,
      prepareDataS: 0,
      notRun: obstacles,
      notes: [],
      endedEarly: null,
    });
    await results.facts(facts);
  }
  if (tiers.length > 0 && facts.tiers.every((each) => each.notRun.length > 0)) {
    throw new TierbenchError(
      'NO_TIER_CAN_RUN',
      'none of the tiers can run on this machine',
      'Run `tierbench doctor`: it names what is missing and the command that installs it.',
      { problems: notRun },
    );
  }
}

/** Gives the facts with those of the tier, once it is taken down again. */
async function runTier(tier: Tier, facts: RunFacts, parts: RunParts, progress: Progress): Promise<RunFacts> {
  const { provider, results, emit, signal } = parts;
  const startedAt = performance.now();
  await using deployment = await provider.deploy(tier, signal, (what) =>
    emit({ kind: 'provider-progress', tier: tier.name, what }),
  );
  const failures = watchForFailures(deployment);
  const bringUpS = secondsSince(startedAt);
  const preparingSince = performance.now();
  const data = deployment.prepareData === undefined ? undefined : parts.data;
  if (data !== undefined) {
    const { users, tasksPerUser } = data.size;
    emit({ kind: 'preparing-data', tier: tier.name, users, tasks: users * tasksPerUser });
    await deployment
      .prepareData?.(data.size, data.password, AbortSignal.any([signal, failures.signal]))
      .catch((error) => {
        throw failures.error() ?? error;
      });
  }
  const extended = withTier(facts, {
    tier,
    provider: provider.name,
    services: deployment.services,
    data: data?.size ?? null,
    bringUpS,
    prepareDataS: secondsSince(preparingSince),
    notRun: [],
    notes: deployment.notes,
    endedEarly: null,
  });
  await results.facts(extended);
  await climb(deployment, extended, parts, failures, progress);
  return extended;
}

function withTier(facts: RunFacts, tier: TierFacts): RunFacts {
  return { ...facts, tiers: [...facts.tiers, tier] };
}

type Progress = ReturnType<typeof trackProgress>;
type Failures = ReturnType<typeof watchForFailures>;

/** A service that ends by itself stops what is going on: whatever is measured after that is not the tier. */
function watchForFailures(deployment: Deployment) {
  const controller = new AbortController();
  const seen: string[] = [];
  deployment.onFailure(({ instance, what }) => {
    seen.push(`${instance} ended by itself: ${what}`);
    controller.abort();
  });
  return {
    signal: controller.signal,
    seen,
    error(): TierbenchError | undefined {
      if (seen.length === 0) return undefined;
      return new TierbenchError(
        'SERVICE_ENDED',
        seen.join('; '),
        'Read its last lines above. What was measured until then is kept; `tierbench report` shows it.',
      );
    },
  };
}

async function climb(
  deployment: Deployment,
  facts: RunFacts,
  parts: RunParts,
  failures: Failures,
  progress: Progress,
): Promise<void> {
  const { engine, results, signal } = parts;
  const { settings } = facts;
  await using disposables = new AsyncDisposableStack();
  const probes = await parts.probesFor(deployment);
  for (const probe of probes) disposables.use(probe);
  const steps = ladder(settings, parts.isSteady);
  for (let next = steps.next(undefined); !next.done; ) {
    signal.throwIfAborted();
    const step = next.value;
    progress.begin(step, deployment.tier.name);
    if (step.kind === 'cool-down') {
      await pause(step.durationS, signal);
      next = steps.next(undefined);
      continue;
    }
    const scenario = parts.scenarios.get(step.scenario);
    if (scenario === undefined) throw new Error(`no scenario '${step.scenario}'`);
    const sampling = sampleEachSecond(probes);
    const trial = await engine
      .run(
        {
          plan: {
            scenario: step.scenario,
            baseUrl: deployment.baseUrl,
            load: step.load,
            warmUpS: step.warmUpS,
            durationS: step.durationS,
            seed: settings.seed,
            timeoutS: settings.timeoutS,
          },
          scenario,
          users: parts.users,
          skipThinkTimes: settings.skipThinkTimes,
        },
        AbortSignal.any([signal, failures.signal]),
        progress.interval,
      )
      .finally(() => sampling.stop());
    const { samples, notes } = sampling.since(Date.parse(trial.startedAt) / 1000);
    if (step.purpose === 'answer-check') {
      if (failures.seen.length === 0 && !signal.aborted) assertAnswersRight(step, trial);
    } else {
      const measured: MeasuredTrial = {
        schemaVersion: 1,
        sequence: progress.nextSequence(),
        tier: deployment.tier.name,
        purpose: step.purpose,
        trial,
        samples,
        notes: [...notes, ...failures.seen],
      };
      await results.trial(measured);
      progress.finished(measured, parts.describeTrial(measured));
    }
    const failure = failures.error();
    if (failure !== undefined) throw failure;
    signal.throwIfAborted();
    next = steps.next(trial);
  }
}

/** Load on an API that answers wrongly measures nothing: better to know before the long part. */
function assertAnswersRight(step: LadderStep & { kind: 'trial' }, trial: Trial): void {
  if (trial.iterations.failed === 0) return;
  throw new TierbenchError(
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

async function pause(durationS: number, signal: AbortSignal): Promise<void> {
  await setTimeout(durationS * 1000, undefined, { signal }).catch(() => undefined);
}

function secondsSince(startMs: number): number {
  return (performance.now() - startMs) / 1000;
}
