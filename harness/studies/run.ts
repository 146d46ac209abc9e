import { type Problem, TierbenchError } from '../core/errors.ts';
import type { Calibration, RunFacts, RunSettings, RunStatus, TierFacts } from '../core/run.ts';
import type { RunEvent } from '../core/run-event.ts';
import type { Target } from '../core/target.ts';
import type { DataSize, Tier } from '../core/tier.ts';
import type { Deployment, Provider } from '../providers/provider.ts';
import { type ClimbParts, climb } from './climb.ts';
import type { LadderScenario } from './ladder.ts';
import { documentedLoads } from './loads.ts';
import { type ServiceFailures, watchForFailures } from './service-failures.ts';
import { type Progress, trackProgress } from './track-progress.ts';

/** Everything the run study acts through. It knows each part by its interface only; the caller chooses them. */
export interface RunParts extends ClimbParts {
  /** Measures the generator itself, before anything else. */
  readonly calibrate: () => Promise<Calibration | null>;
  readonly provider: Provider;
  /** The loads they speak of are among those measured. */
  readonly targets: readonly Target[];
  /** The data to prepare, and the password of its users; absent where the data is not ours. */
  readonly data?: { readonly size: DataSize; readonly password: string };
  /** What a reader should know of every tier of the run. */
  readonly notes: readonly string[];
  readonly emit: (event: RunEvent) => void;
}

/**
 * Calibrates the generator, then brings each tier up, prepares its data, climbs the ladder of each scenario, makes the
 * faults that were chosen, and takes the tier down again. Trials are written as they come, so that whatever ends the run
 * leaves what was measured. A tier that does not come up, or whose services end, is given up; the run goes on with the
 * next one.
 * @returns 'interrupted' when the signal aborted.
 * @throws TierbenchError what ended the run or one of its tiers; it stands in the status of the results too.
 */
export async function run(
  tiers: readonly Tier[],
  facts: RunFacts,
  parts: RunParts,
): Promise<'finished' | 'interrupted'> {
  const conclude = (status: RunStatus) => parts.results.status(status);
  const now = () => new Date().toISOString();
  try {
    const calibration = await parts.calibrate();
    parts.signal.throwIfAborted();
    await runTiers(tiers, { ...facts, calibration }, parts);
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

interface EndedTier {
  readonly facts: TierFacts;
  /** Why it ended before its last trial. */
  readonly failure?: TierbenchError;
}

async function runTiers(tiers: readonly Tier[], initialFacts: RunFacts, parts: RunParts): Promise<void> {
  const { provider, results, emit, signal } = parts;
  const { settings } = initialFacts;
  const progress = trackProgress(
    { settings, tiers, scenariosOf: (tier) => ladderScenarios(tier, settings, parts), userCount: parts.users.length },
    emit,
  );
  // Known before anything starts: people are told at once, and how many trials there really are.
  const obstaclesOf = await Promise.all(tiers.map((tier) => provider.obstacles(tier)));
  for (const [index, { name }] of tiers.entries()) {
    const obstacles = obstaclesOf[index] ?? [];
    if (obstacles.length === 0) continue;
    emit({ kind: 'note', text: `tier ${name} is not run here: ${obstacles.join('; ')}` });
    progress.skip(name);
  }
  const ended: EndedTier[] = [];
  let isFirst = true;
  for (const [index, tier] of tiers.entries()) {
    signal.throwIfAborted();
    const before = ended.map(({ facts }) => facts);
    const write = (facts: TierFacts) => results.facts({ ...initialFacts, tiers: [...before, facts] });
    const notRun = obstaclesOf[index] ?? [];
    if (notRun.length > 0) {
      const facts = { ...notUp(tier, provider), notRun };
      await write(facts);
      ended.push({ facts });
      continue;
    }
    if (!isFirst) {
      // What one tier leaves behind, such as data still to be written and a hot processor, is not the next one's.
      progress.begin({ kind: 'cool-down', durationS: settings.coolDownS }, tier.name);
      await parts.pause(settings.coolDownS, signal);
      signal.throwIfAborted();
    }
    isFirst = false;
    emit({ kind: 'tier-starting', tier: tier.name, title: tier.title, position: index + 1, total: tiers.length });
    const one = await runTier(tier, settings, parts, progress, write);
    ended.push(one);
    if (one.failure === undefined) {
      emit({ kind: 'tier-stopped', tier: tier.name });
      continue;
    }
    emit({ kind: 'note', text: `tier ${tier.name} ended early: ${one.failure.message}` });
    progress.skip(tier.name);
  }
  const failure = failureOf(ended);
  if (failure !== undefined) throw failure;
}

/** Of all tiers together; undefined when at least one was run, and none ended early. */
function failureOf(ended: readonly EndedTier[]): TierbenchError | undefined {
  if (ended.length > 0 && ended.every(({ facts }) => facts.notRun.length > 0)) {
    return new TierbenchError(
      'NO_TIER_CAN_RUN',
      'none of the tiers can run on this machine',
      'Run `tierbench doctor`: it names what is missing and the command that installs it.',
      {
        problems: ended.flatMap(({ facts }) =>
          facts.notRun.map((what) => ({ what: `tier ${facts.tier.name}: ${what}` })),
        ),
      },
    );
  }
  const failed = ended.flatMap(({ facts, failure }) =>
    failure === undefined ? [] : [{ tier: facts.tier.name, failure }],
  );
  const [first, ...others] = failed;
  if (first === undefined || others.length === 0) return first?.failure;
  return new TierbenchError(
    'TIERS_ENDED_EARLY',
    `${failed.length} of ${ended.length} tiers ended early`,
    'Mend what is named above. What was measured until then is kept; `tierbench report` shows it.',
    {
      problems: failed.flatMap(({ tier, failure: { code, message, nextStep, problems } }): Problem[] => [
        { what: `tier ${tier}: ${code}: ${message}`, nextStep },
        ...problems,
      ]),
    },
  );
}

/** Measures one tier and takes it down again. Gives its facts to `write` when it is up, and when it ended early. */
async function runTier(
  tier: Tier,
  settings: RunSettings,
  parts: RunParts,
  progress: Progress,
  write: (facts: TierFacts) => Promise<void>,
): Promise<EndedTier> {
  const { provider, emit, signal } = parts;
  const startedAt = performance.now();
  const deployed = await orFailure(
    provider.deploy(tier, signal, (what) => emit({ kind: 'provider-progress', tier: tier.name, what })),
    parts,
  );
  const endEarly = async (facts: TierFacts, failure: TierbenchError): Promise<EndedTier> => {
    const early = { ...facts, endedEarly: failure.message };
    await write(early);
    return { facts: early, failure };
  };
  const bringUpS = secondsSince(startedAt);
  if ('failure' in deployed) return endEarly({ ...notUp(tier, provider), bringUpS }, deployed.failure);

  await using deployment = deployed.value;
  const failures = watchForFailures(deployment);
  const preparingSince = performance.now();
  const unprepared = await prepareData(deployment, parts, failures);
  const facts: TierFacts = {
    tier,
    provider: deployment.provider,
    services: deployment.services,
    data: deployment.prepareData === undefined || unprepared !== undefined ? null : (parts.data?.size ?? null),
    bringUpS,
    prepareDataS: secondsSince(preparingSince),
    planned: [],
    notRun: [],
    notes: [...deployment.notes, cachesNote(settings), ...parts.notes],
    endedEarly: null,
  };
  if (unprepared !== undefined) return endEarly(facts, unprepared);
  await write(facts);
  let current = facts;
  const onPlanned = async (planned: TierFacts['planned'], note: string | undefined) => {
    const notes = note === undefined ? [] : [note];
    for (const text of notes) emit({ kind: 'note', text });
    current = { ...current, planned: [...current.planned, ...planned], notes: [...current.notes, ...notes] };
    await write(current);
  };
  const scenarios = ladderScenarios(tier, settings, parts);
  const failure = await climb(deployment, settings, parts, failures, progress, scenarios, onPlanned);
  return failure === undefined ? { facts: current } : endEarly(current, failure);
}

function ladderScenarios(tier: Tier, { scenarios }: RunSettings, parts: RunParts): LadderScenario[] {
  return scenarios.flatMap((name) => {
    const scenario = parts.scenarios.get(name)?.scenario;
    if (scenario === undefined) return [];
    const documented = documentedLoads(parts.targets, tier.name, name);
    return { name, thinks: scenario.thinks === true, begins: scenario.begin !== undefined, documented };
  });
}

async function prepareData(
  deployment: Deployment,
  parts: RunParts,
  failures: ServiceFailures,
): Promise<TierbenchError | undefined> {
  if (deployment.prepareData === undefined || parts.data === undefined) return undefined;
  const { size, password } = parts.data;
  const { users, tasksPerUser } = size;
  parts.emit({ kind: 'preparing-data', tier: deployment.tier.name, users, tasks: users * tasksPerUser });
  const prepared = await orFailure(
    deployment.prepareData(size, password, AbortSignal.any([parts.signal, failures.signal])).catch((error: unknown) => {
      throw failures.error() ?? error;
    }),
    parts,
  );
  return 'failure' in prepared ? prepared.failure : failures.error();
}

/** What a person can act on ends the tier; a defect, and an interruption, end the run. */
async function orFailure<T>(
  work: Promise<T>,
  { emit, signal }: RunParts,
): Promise<{ readonly value: T } | { readonly failure: TierbenchError }> {
  try {
    return { value: await work };
  } catch (error) {
    const first = firstOf(error, emit);
    if (signal.aborted || !(first instanceof TierbenchError)) throw first;
    return { failure: first };
  }
}

function cachesNote({ warmUpS, arrivalRatesPerS }: RunSettings): string {
  if (warmUpS === 0 && arrivalRatesPerS === null) {
    return 'Nothing was warmed up (--warm-up 0) but for the probe that found the arrival rates of a scenario.';
  }
  return warmUpS === 0
    ? 'Caches were cold when the ladder of the first scenario began: nothing was warmed up (--warm-up 0).'
    : 'Caches were warm: load that is not measured came before what is.';
}

function notUp(tier: Tier, provider: Provider): TierFacts {
  return {
    tier,
    provider: provider.name,
    services: [],
    data: null,
    bringUpS: 0,
    prepareDataS: 0,
    planned: [],
    notRun: [],
    notes: [],
    endedEarly: null,
  };
}

function secondsSince(startMs: number): number {
  return (performance.now() - startMs) / 1000;
}
