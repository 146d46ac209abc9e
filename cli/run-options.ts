import { type Problem, TierbenchError } from '../harness/core/errors.ts';
import type { RunQuestion } from '../harness/core/run.ts';
import type { StudySettings } from '../harness/core/study-record.ts';
import type { DataSize } from '../harness/core/tier.ts';
import { parseBaseUrls } from '../harness/providers/url.ts';
import { readFaultChoices } from './fault-choices.ts';
import { type EngineName, engineNames, readLoads, type TypedLoadOptions } from './load-options.ts';
import { splitList, typedReader } from './typed-reader.ts';

/** What commander hands over: words as they were typed. */
export interface TypedRunOptions extends TypedLoadOptions {
  readonly tier?: string;
  readonly scenario?: string;
  readonly engine?: string;
  readonly provider?: string;
  readonly url?: string;
  readonly allowRemote?: boolean;
  readonly cacert?: string;
  readonly insecure?: boolean;
  readonly quick?: boolean;
  readonly out?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly seed?: string;
  readonly duration?: string;
  readonly warmUp?: string;
  readonly coolDown?: string;
  readonly timeout?: string;
  readonly users?: string;
  readonly userCount?: string;
  readonly tasksPerUser?: string;
  readonly skipThinkTimes?: boolean;
  readonly targets?: string;
  readonly allowMissed?: boolean;
  /** Each may hold several, separated by commas. */
  readonly fault?: readonly string[];
  readonly faults?: boolean;
  readonly installMissing?: boolean;
}

export interface RunOptions {
  /** Names and files; undefined for all built-in tiers. */
  readonly tiers: readonly string[] | undefined;
  readonly url: string | undefined;
  readonly allowRemote: boolean;
  /** Certificate authorities that are trusted besides those of the system. */
  readonly authoritiesFile: string | undefined;
  readonly insecure: boolean;
  readonly data: DataSize;
  readonly usersFile: string | undefined;
  readonly targetsFile: string | undefined;
  /** The k6 to use and no other; undefined where one is looked for. */
  readonly k6Path: string | undefined;
  readonly out: string | undefined;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly allowMissed: boolean;
  readonly installMissing: boolean;
  readonly question: RunQuestion;
  readonly settings: StudySettings & { readonly engine: EngineName; readonly provider: ProviderName };
}

const providerNames = ['auto', 'local', 'containers', 'url'] as const;
export type ProviderName = (typeof providerNames)[number];

/** Quick: those that need no pauses, so that a run of all tiers is done in about seven minutes. */
const quickScenarios = ['login', 'crud'];
const fullScenarios = ['login', 'crud', 'browse'];

/** @throws TierbenchError OPTIONS_INVALID with every problem of the command line at once. */
export function readRunOptions(typed: TypedRunOptions): RunOptions {
  const problems: Problem[] = [];
  const read = typedReader(problems);
  const quick = typed.quick ?? false;
  const engine = read.oneOf('--engine', typed.engine ?? engineNames[0], engineNames);
  if (typed.stages !== undefined && typed.duration !== undefined) {
    problems.push({ what: '--stages and --duration exclude each other', nextStep: 'the last stage says when it ends' });
  }
  const { workers, ...loads } = readLoads(typed, engine, quick, read, problems);
  const scenarios = typed.scenario === undefined ? (quick ? quickScenarios : fullScenarios) : splitList(typed.scenario);
  if (scenarios.length === 0)
    problems.push({ what: '--scenario names no scenario', nextStep: 'see `tierbench scenarios`' });
  if (typed.url !== undefined && typed.tier !== undefined) {
    problems.push({
      what: `--url ${typed.url} and --tier ${typed.tier} exclude each other`,
      nextStep: 'an API that already runs has no tier to start: leave out one of them',
    });
  }
  if (typed.url !== undefined) readUrl(typed.url, problems);
  if (typed.users !== undefined && typed.url === undefined) {
    problems.push({
      what: '--users goes with --url only',
      nextStep: 'tierbench creates the users of a tier that it starts',
    });
  }
  if (typed.allowRemote === true && typed.url === undefined) {
    problems.push({
      what: '--allow-remote goes with --url only',
      nextStep: 'tiers that tierbench starts run on this machine',
    });
  }
  for (const option of ['cacert', 'insecure'] as const) {
    if (typed[option] === undefined || typed.url !== undefined) continue;
    problems.push({ what: `--${option} goes with --url only`, nextStep: 'tiers that tierbench starts speak HTTP' });
  }
  if (typed.cacert !== undefined && typed.insecure === true) {
    problems.push({ what: '--cacert and --insecure exclude each other', nextStep: 'leave one of them out' });
  }
  const provider = read.oneOf(
    '--provider',
    typed.provider ?? (typed.url === undefined ? 'auto' : 'url'),
    providerNames,
  );
  if ((provider === 'url') !== (typed.url !== undefined)) {
    problems.push({
      what: `--provider ${provider} ${typed.url === undefined ? 'needs --url' : 'does not go with --url'}`,
      nextStep: 'give --url http://127.0.0.1:PORT with the url provider, and only with it',
    });
  }
  const tiers = typed.tier === undefined ? undefined : splitList(typed.tier);
  if (tiers?.length === 0) problems.push({ what: '--tier names no tier', nextStep: 'see `tierbench tiers`' });
  const faults = readFaultChoices((typed.fault ?? []).flatMap(splitList), typed.faults ?? false, problems);
  if (typed.url !== undefined) refuseWithUrl(typed, problems);
  const seed = read.number('--seed', typed.seed, 1, { from: 0, to: 4_294_967_295, whole: true });
  const userCount = read.number('--user-count', typed.userCount, 1000, { from: 1, to: 1_000_000, whole: true });
  const highest = loads.concurrencies?.at(-1) ?? 1;
  if (userCount < highest) {
    problems.push({
      what: `--user-count ${userCount} is less than the highest concurrency, ${highest}`,
      nextStep: 'no two virtual users share a user: raise --user-count or lower --concurrency',
    });
  }
  const options: RunOptions = {
    tiers,
    url: typed.url,
    allowRemote: typed.allowRemote ?? false,
    authoritiesFile: typed.cacert,
    insecure: typed.insecure ?? false,
    data: {
      users: userCount,
      tasksPerUser: read.number('--tasks-per-user', typed.tasksPerUser, quick ? 100 : 1000, {
        from: 0,
        to: 100_000,
        whole: true,
      }),
      seed,
    },
    usersFile: typed.users,
    targetsFile: typed.targets,
    k6Path: typed.k6,
    out: typed.out,
    json: typed.json ?? false,
    quiet: typed.quiet ?? false,
    allowMissed: typed.allowMissed ?? false,
    installMissing: typed.installMissing ?? false,
    question: {
      quick,
      scenarios,
      durationS: read.seconds('--duration', typed.duration, quick ? 6 : 30, { from: 1, to: 86_400 }),
      warmUpS: read.seconds('--warm-up', typed.warmUp, quick ? 1 : 5, { from: 0, to: 3600 }),
      timeoutS: read.seconds('--timeout', typed.timeout, 10, { from: 1, to: 600 }),
      ...loads,
      faults,
    },
    settings: {
      engine,
      provider,
      workers,
      seed,
      coolDownS: read.seconds('--cool-down', typed.coolDown, quick ? 2 : 5, { from: 0, to: 3600 }),
      skipThinkTimes: typed.skipThinkTimes ?? false,
    },
  };
  if (problems.length > 0) {
    const what = problems.length === 1 ? 'an option is wrong' : `${problems.length} options are wrong`;
    throw new TierbenchError(
      'OPTIONS_INVALID',
      what,
      'Fix the options named above; `tierbench run --help` lists them all.',
      { problems },
    );
  }
  return options;
}

/** What needs services of our own. */
function refuseWithUrl({ fault, faults, installMissing, tasksPerUser }: TypedRunOptions, problems: Problem[]): void {
  const given = {
    '--fault': fault !== undefined && fault.length > 0,
    '--faults': faults === true,
    '--install-missing': installMissing === true,
    '--tasks-per-user': tasksPerUser !== undefined,
  };
  for (const [option, isGiven] of Object.entries(given)) {
    if (!isGiven) continue;
    problems.push({
      what: `${option} does not go with --url`,
      nextStep: 'it applies to services that tierbench starts: choose tiers with --tier instead',
    });
  }
}

function readUrl(url: string, problems: Problem[]): void {
  try {
    parseBaseUrls(url);
  } catch (error) {
    if (!(error instanceof TierbenchError)) throw error;
    problems.push({ what: `--url: ${error.message}`, nextStep: error.nextStep });
  }
}
