import type { User } from '../../scenarios/kit.ts';
import type { Subject } from '../core/app.ts';
import { type Problem, TierbenchError } from '../core/errors.ts';
import type { Obstacle } from '../core/findings.ts';
import type { StudyFacts, SubjectFacts } from '../core/study-record.ts';
import type { Deployment, Provider } from '../providers/provider.ts';
import { repeatBudget, timeKeeper } from './budget.ts';
import { conductSteps, type RunningSubject, restUntil, type ServiceCrashes, watchForCrashes } from './conduct-steps.ts';
import type { Conducted, StudyEnvironment } from './environment.ts';
import { type Answered, exactTime, type Study, type StudyContext, sumOfTimes } from './study.ts';

/**
 * Conducts a study: checks what already runs, calibrates the generator, then for each group of subjects starts them, prepares their data, takes the
 * steps the study proposes and stops them again. Trials are stored as they come, so that whatever ends the study leaves
 * what was measured. A group that cannot be started, or a service of which crashes, is given up; the next one follows.
 * @returns 'interrupted' when the signal aborted.
 * @throws TierbenchError what ended the study or one of its groups; it stands in the status of the results too.
 */
export async function conduct<Question, Answer>(
  study: Study<Question, Answer>,
  question: Question,
  subjects: readonly Subject[],
  initialFacts: StudyFacts,
  environment: StudyEnvironment,
): Promise<'finished' | 'interrupted'> {
  const { results, signal, emit } = environment;
  const endedAt = () => new Date().toISOString();
  try {
    await environment.provider.check?.(signal);
    const calibration = await environment.calibrate();
    signal.throwIfAborted();
    const facts = { ...initialFacts, calibration };
    if (calibration !== null) await results.facts(facts);
    await conductGroups(study, question, subjects, facts, environment);
    await results.status({ state: 'finished', endedAt: endedAt() });
    return 'finished';
  } catch (error) {
    if (signal.aborted) {
      await results.status({ state: 'interrupted', endedAt: endedAt() });
      return 'interrupted';
    }
    const cause = firstOf(error, emit);
    const known =
      cause instanceof TierbenchError
        ? cause
        : new TierbenchError('INTERNAL', String(cause), 'Report this as a defect of tierbench.');
    const { code, message: what, nextStep } = known;
    // A full disk ends a study and keeps its status from being written; the folder reads as unfinished then.
    await results.status({ state: 'failed', endedAt: endedAt(), code, what, nextStep }).catch(() => undefined);
    throw cause;
  }
}

/** What went wrong first; what went wrong while it was cleaned up makes notes. */
function firstOf(error: unknown, emit: StudyEnvironment['emit']): unknown {
  const [first, ...others] = inOrder(error);
  for (const other of others) emit({ kind: 'note', note: { code: 'clean-up-failed', detail: String(other) } });
  return first;
}

function inOrder(error: unknown): unknown[] {
  return error instanceof SuppressedError ? [...inOrder(error.suppressed), ...inOrder(error.error)] : [error];
}

interface EndedGroup {
  readonly subjects: readonly string[];
  readonly notRun: readonly Obstacle[];
  /** Why it ended before its last step. */
  readonly failure?: TierbenchError;
}

async function conductGroups<Question, Answer>(
  study: Study<Question, Answer>,
  question: Question,
  subjects: readonly Subject[],
  facts: StudyFacts,
  environment: StudyEnvironment,
): Promise<void> {
  const { provider, results, emit, signal, scenarios, targets } = environment;
  const { coolDownS, skipThinkTimes } = facts.settings;
  const context: StudyContext = {
    scenarios: new Map(
      [...scenarios].map(([name, { scenario }]) => [
        name,
        {
          name,
          hasThinkTime: scenario.hasThinkTime === true && !skipThinkTimes,
          hasUserSetup: scenario.begin !== undefined,
        },
      ]),
    ),
    targets,
    userCount: Math.min(...subjects.map((subject) => usersOf(subject, environment).length)),
    coolDownS,
  };
  // Known before anything starts, so that people see it at once.
  const obstaclesOf = new Map<string, readonly Obstacle[]>();
  for (const subject of subjects) {
    const { id } = subject;
    const obstacles = await provider.obstacles(subject);
    obstaclesOf.set(id, obstacles);
    if (obstacles.length > 0) emit({ kind: 'note', note: { code: 'tier-not-run', tier: id, obstacles } });
  }
  const groups = study.groups(subjects, question).map((group) => ({
    group,
    obstacles: group.flatMap(({ id }) => obstaclesOf.get(id) ?? []),
    estimate: study.estimate(group, question, context),
  }));
  const runnable = groups.filter(({ obstacles }) => obstacles.length === 0);
  const rests = exactTime(coolDownS * Math.max(0, runnable.length - 1));
  let sequence = 0;
  const conducted: Conducted = {
    environment,
    facts,
    context,
    time: timeKeeper(sumOfTimes([...runnable.map(({ estimate }) => estimate), rests])),
    repeats: repeatBudget(),
    nextSequence: () => (sequence += 1),
  };
  const earlier: Answered<Answer>[] = [];
  const ended: EndedGroup[] = [];
  let started = 0;
  for (const { group, obstacles, estimate } of groups) {
    signal.throwIfAborted();
    const ids = group.map(({ id }) => id);
    if (obstacles.length > 0) {
      for (const subject of group) await results.subject({ ...notStarted(subject, provider), notRun: obstacles });
      ended.push({ subjects: ids, notRun: obstacles });
      continue;
    }
    const known = study.known?.(group, question, earlier) ?? null;
    if (known !== null) {
      emit({ kind: 'note', note: known });
      for (const subject of group) await results.subject({ ...notStarted(subject, provider), notes: [known] });
      conducted.time.group(sumOfTimes([estimate, exactTime(coolDownS)]));
      continue;
    }
    if (started > 0) {
      // What one group leaves behind, such as data still to be written and a hot processor, is not the next one's.
      conducted.time.group(exactTime(coolDownS));
      conducted.time.step({ kind: 'rest', subject: '', durationS: coolDownS });
      await restUntil(performance.now() + coolDownS * 1000, 'rest', conducted, signal);
      signal.throwIfAborted();
    }
    conducted.time.group(estimate);
    const end = await conductGroup(group, started, subjects.length, conducted, async (running) => {
      const walker = study.steps(group, question, context, earlier);
      const outcome = await conductSteps(walker, running, conducted);
      if ('failure' in outcome) return outcome.failure;
      earlier.push({ group, answer: outcome.answer });
      await results.answers(earlier.map(({ answer }) => answer));
      return undefined;
    });
    started += group.length;
    ended.push({ subjects: ids, notRun: [], ...(end !== undefined && { failure: end }) });
    if (end === undefined) for (const subject of ids) emit({ kind: 'subject-stopped', subject });
    else {
      const { code: errorCode, message: detail } = end;
      emit({ kind: 'note', note: { code: 'tier-ended-early', tier: ids.join(', '), errorCode, detail } });
    }
  }
  const failure = failureOf(ended);
  if (failure !== undefined) throw failure;
}

/**
 * Starts every subject of a group, prepares their data, lets `take` measure, and stops them again.
 * @returns why the group ended before its last step; undefined when it did not.
 */
async function conductGroup(
  group: readonly Subject[],
  startedBefore: number,
  total: number,
  conducted: Conducted,
  take: (running: ReadonlyMap<string, RunningSubject>) => Promise<TierbenchError | undefined>,
): Promise<TierbenchError | undefined> {
  const { results, provider } = conducted.environment;
  const facts = new Map<string, SubjectFacts>();
  const write = async (current: SubjectFacts) => {
    facts.set(current.id, current);
    await results.subject(current);
  };
  await using stack = new AsyncDisposableStack();
  const running = new Map<string, RunningSubject>();
  let failure: TierbenchError | undefined;
  for (const [index, subject] of group.entries()) {
    const position = startedBefore + index + 1;
    const start = await startSubject(subject, { position, total }, conducted, stack, write);
    if (start instanceof TierbenchError) {
      failure = start;
      break;
    }
    const change = (changes: Partial<SubjectFacts>) =>
      write({ ...(facts.get(subject.id) ?? notStarted(subject, provider)), ...changes });
    running.set(subject.id, { ...start, facts: () => facts.get(subject.id) ?? notStarted(subject, provider), change });
  }
  failure ??= await take(running);
  if (failure === undefined) return undefined;
  const endedEarly = { errorCode: failure.code, detail: failure.message };
  for (const subject of group) {
    await write({ ...(facts.get(subject.id) ?? notStarted(subject, provider)), endedEarly });
  }
  return failure;
}

type Started = Omit<RunningSubject, 'facts' | 'change'>;

async function startSubject(
  subject: Subject,
  place: { readonly position: number; readonly total: number },
  { environment, facts: { settings } }: Conducted,
  stack: AsyncDisposableStack,
  write: (facts: SubjectFacts) => Promise<void>,
): Promise<Started | TierbenchError> {
  const { id, tier, app } = subject;
  const { provider, data, emit, signal } = environment;
  emit({ kind: 'subject-starting', subject: id, title: tier.title, ...place });
  const startedAtMs = performance.now();
  const deployed = await orFailure(
    provider.deploy(subject, signal, (what) => emit({ kind: 'provider-progress', subject: id, what })),
    environment,
  );
  const startS = secondsSince(startedAtMs);
  if ('failure' in deployed) {
    await write({ ...notStarted(subject, provider), startS });
    return deployed.failure;
  }
  const deployment = stack.use(deployed.value);
  const crashes = watchForCrashes(deployment);
  const preparingSinceMs = performance.now();
  const failure = await prepareData(subject, deployment, environment, crashes);
  await write({
    ...notStarted(subject, provider),
    provider: deployment.provider,
    services: deployment.services,
    data:
      deployment.prepareData === undefined || failure !== undefined
        ? null
        : { values: data.values, amounts: app.amounts(data.values) },
    startS,
    prepareDataS: secondsSince(preparingSinceMs),
    notes: [...deployment.notes, ...environment.notes],
  });
  if (failure !== undefined) return failure;
  const probes = await environment.probesFor(deployment);
  for (const probe of probes) stack.use(probe);
  return { deployment, crashes, probes, users: usersOf(subject, environment), seed: settings.seed };
}

async function prepareData(
  { id, app }: Subject,
  deployment: Deployment,
  environment: StudyEnvironment,
  crashes: ServiceCrashes,
): Promise<TierbenchError | undefined> {
  if (deployment.prepareData === undefined) return undefined;
  const { values, password } = environment.data;
  environment.emit({ kind: 'preparing-data', subject: id, amounts: app.amounts(values) });
  const signal = AbortSignal.any([environment.signal, crashes.signal]);
  const prepared = await orFailure(
    deployment.prepareData(values, password, signal).catch((error: unknown) => {
      throw crashes.error() ?? error;
    }),
    environment,
  );
  return 'failure' in prepared ? prepared.failure : crashes.error();
}

export function usersOf({ app }: Subject, { users, data }: Pick<StudyEnvironment, 'users' | 'data'>): readonly User[] {
  return users ?? app.users(data.values, data.password);
}

/** What a person can act on ends the group; a defect, and an interruption, end the study. */
async function orFailure<T>(
  work: Promise<T>,
  { emit, signal }: StudyEnvironment,
): Promise<{ readonly value: T } | { readonly failure: TierbenchError }> {
  try {
    return { value: await work };
  } catch (error) {
    const first = firstOf(error, emit);
    if (signal.aborted || !(first instanceof TierbenchError)) throw first;
    return { failure: first };
  }
}

/** Of all groups together; undefined when at least one was measured, and none ended early. */
function failureOf(ended: readonly EndedGroup[]): TierbenchError | undefined {
  if (ended.length > 0 && ended.every(({ notRun }) => notRun.length > 0)) {
    return new TierbenchError(
      'NO_TIER_CAN_RUN',
      'none of the tiers can run on this machine',
      'Run `tierbench doctor`: it names what is missing and the command that installs it.',
      {
        problems: ended.flatMap(({ subjects, notRun }) =>
          notRun.map((obstacle) => ({ what: `tier ${subjects.join(', ')}`, obstacle })),
        ),
      },
    );
  }
  const failed = ended.flatMap(({ subjects, failure }) =>
    failure === undefined ? [] : [{ name: subjects.join(', '), failure }],
  );
  const [first, ...others] = failed;
  if (first === undefined || others.length === 0) return first?.failure;
  return new TierbenchError(
    'TIERS_ENDED_EARLY',
    `${failed.length} of ${ended.length} tiers ended early`,
    'Fix what is named above. What was measured until then is kept; `tierbench report` shows it.',
    {
      problems: failed.flatMap(({ name, failure: { code, message, nextStep, problems } }): Problem[] => [
        { what: `tier ${name}: ${code}: ${message}`, nextStep },
        ...problems,
      ]),
    },
  );
}

function notStarted({ id, tier, variant = [] }: Subject, provider: Provider): SubjectFacts {
  return {
    id,
    tier,
    variant,
    provider: provider.name,
    services: [],
    data: null,
    startS: 0,
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
