import { type Problem, TierbenchError } from '../harness/core/errors.ts';
import type { RunSettings } from '../harness/core/run.ts';
import type { DataSize } from '../harness/core/tier.ts';
import { suggestion } from '../harness/core/words.ts';
import { parseBaseUrl } from '../harness/providers/url.ts';
import { readFaultChoices } from './fault-choices.ts';

/** What commander hands over: words as they were typed. */
export interface TypedRunOptions {
  readonly tier?: string;
  readonly scenario?: string;
  readonly engine?: string;
  readonly provider?: string;
  readonly url?: string;
  readonly allowRemote?: boolean;
  readonly quick?: boolean;
  readonly out?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly seed?: string;
  readonly duration?: string;
  readonly warmUp?: string;
  readonly coolDown?: string;
  readonly timeout?: string;
  readonly concurrency?: string;
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
  readonly scaleModel?: boolean;
}

export interface RunOptions {
  /** Names and files; undefined for all built-in tiers. */
  readonly tiers: readonly string[] | undefined;
  readonly url: string | undefined;
  readonly allowRemote: boolean;
  readonly data: DataSize;
  readonly usersFile: string | undefined;
  readonly targetsFile: string | undefined;
  readonly out: string | undefined;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly allowMissed: boolean;
  readonly installMissing: boolean;
  /** The factor follows from the tiers and the machine. */
  readonly scaleModel: boolean;
  readonly settings: RunSettings & { readonly engine: EngineName; readonly provider: ProviderName };
}

const engineNames = ['autocannon', 'open-loop'] as const;
export type EngineName = (typeof engineNames)[number];
const providerNames = ['auto', 'local', 'containers', 'url'] as const;
export type ProviderName = (typeof providerNames)[number];

const fullLadder = [1, 2, 5, 10, 25, 50, 100];
/** The ends and the middle: a quick run of all tiers is done within six minutes. */
const quickLadder = [1, 10, 100];

/** @throws TierbenchError OPTIONS_INVALID with every problem of the command line at once. */
export function readRunOptions(typed: TypedRunOptions): RunOptions {
  const problems: Problem[] = [];
  const oneOf = <T extends string>(option: string, value: string, known: readonly T[]): T => {
    const found = known.find((word) => word === value);
    if (found === undefined)
      problems.push({ what: `${option} '${value}' is unknown`, nextStep: suggestion(value, known) });
    return found ?? (known[0] as T);
  };
  const number = (option: string, text: string | undefined, otherwise: number, range: NumberRange): number => {
    if (text === undefined) return otherwise;
    const value = Number(text);
    if (text.trim() !== '' && Number.isFinite(value) && value >= range.from && value <= range.to) {
      if (!range.whole || Number.isInteger(value)) return value;
    }
    const kind = range.whole ? 'a whole number' : 'a number';
    problems.push({ what: `${option} must be ${kind} from ${range.from} to ${range.to}, but is '${text}'` });
    return otherwise;
  };
  const seconds = (option: string, text: string | undefined, otherwise: number, range: NumberRange): number =>
    number(option, text?.replace(/\s*s$/, ''), otherwise, range);
  const list = (text: string): string[] =>
    text
      .split(',')
      .map((word) => word.trim())
      .filter((word) => word !== '');

  const quick = typed.quick ?? false;
  const concurrencies =
    typed.concurrency === undefined
      ? quick
        ? quickLadder
        : fullLadder
      : list(typed.concurrency).map((word) => number('--concurrency', word, 1, { from: 1, to: 10_000, whole: true }));
  const scenarios = list(typed.scenario ?? 'login,crud');
  if (scenarios.length === 0)
    problems.push({ what: '--scenario names no scenario', nextStep: 'see `tierbench scenarios`' });
  if (concurrencies.length === 0)
    problems.push({
      what: '--concurrency names no concurrency',
      nextStep: 'give whole numbers: --concurrency 1,10,100',
    });
  if (typed.url !== undefined && typed.tier !== undefined) {
    problems.push({
      what: `--url ${typed.url} and --tier ${typed.tier} exclude each other`,
      nextStep: 'an API that already runs has no tier to bring up: leave out one of them',
    });
  }
  if (typed.url !== undefined) readUrl(typed.url, problems);
  if (typed.users !== undefined && typed.url === undefined) {
    problems.push({
      what: '--users goes with --url only',
      nextStep: 'a tier that is brought up is filled with users of its own',
    });
  }
  if (typed.allowRemote === true && typed.url === undefined) {
    problems.push({
      what: '--allow-remote goes with --url only',
      nextStep: 'tiers that are brought up run on this machine',
    });
  }
  const provider = oneOf('--provider', typed.provider ?? (typed.url === undefined ? 'auto' : 'url'), providerNames);
  if ((provider === 'url') !== (typed.url !== undefined)) {
    problems.push({
      what: `--provider ${provider} ${typed.url === undefined ? 'needs --url' : 'does not go with --url'}`,
      nextStep: 'give --url http://127.0.0.1:PORT with the url provider, and only with it',
    });
  }
  const tiers = typed.tier === undefined ? undefined : list(typed.tier);
  if (tiers?.length === 0) problems.push({ what: '--tier names no tier', nextStep: 'see `tierbench tiers`' });
  const faults = readFaultChoices((typed.fault ?? []).flatMap(list), typed.faults ?? false, problems);
  if (typed.url !== undefined) refuseWithUrl(typed, problems);
  const seed = number('--seed', typed.seed, 1, { from: 0, to: 4_294_967_295, whole: true });
  const ladder = [...new Set(concurrencies)].toSorted((left, right) => left - right);
  const userCount = number('--user-count', typed.userCount, 1000, { from: 1, to: 1_000_000, whole: true });
  const highest = ladder.at(-1) ?? 1;
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
    data: {
      users: userCount,
      tasksPerUser: number('--tasks-per-user', typed.tasksPerUser, quick ? 100 : 1000, {
        from: 0,
        to: 100_000,
        whole: true,
      }),
      seed,
    },
    usersFile: typed.users,
    targetsFile: typed.targets,
    out: typed.out,
    json: typed.json ?? false,
    quiet: typed.quiet ?? false,
    allowMissed: typed.allowMissed ?? false,
    installMissing: typed.installMissing ?? false,
    scaleModel: typed.scaleModel ?? false,
    settings: {
      quick,
      engine: oneOf('--engine', typed.engine ?? 'autocannon', engineNames),
      provider,
      scenarios,
      seed,
      durationS: seconds('--duration', typed.duration, quick ? 6 : 30, { from: 1, to: 86_400 }),
      warmUpS: seconds('--warm-up', typed.warmUp, quick ? 1 : 5, { from: 0, to: 3600 }),
      timeoutS: seconds('--timeout', typed.timeout, 10, { from: 1, to: 600 }),
      coolDownS: seconds('--cool-down', typed.coolDown, quick ? 2 : 5, { from: 0, to: 3600 }),
      arrivalRatesPerS: [],
      arrivals: 'poisson',
      concurrencies: ladder,
      workers: 1,
      skipThinkTimes: typed.skipThinkTimes ?? false,
      scaleModelFactor: null,
      faults,
    },
  };
  if (problems.length > 0) {
    const what = problems.length === 1 ? 'an option is wrong' : `${problems.length} options are wrong`;
    throw new TierbenchError(
      'OPTIONS_INVALID',
      what,
      'Mend the options named above; `tierbench run --help` lists them all.',
      { problems },
    );
  }
  return options;
}

/** What needs services of our own. */
function refuseWithUrl(
  { fault, faults, scaleModel, installMissing, tasksPerUser }: TypedRunOptions,
  problems: Problem[],
): void {
  const given = {
    '--fault': fault !== undefined && fault.length > 0,
    '--faults': faults === true,
    '--scale-model': scaleModel === true,
    '--install-missing': installMissing === true,
    '--tasks-per-user': tasksPerUser !== undefined,
  };
  for (const [option, isGiven] of Object.entries(given)) {
    if (!isGiven) continue;
    problems.push({
      what: `${option} does not go with --url`,
      nextStep: 'it is about services that tierbench brings up: choose tiers with --tier instead',
    });
  }
}

interface NumberRange {
  readonly from: number;
  readonly to: number;
  readonly whole?: boolean;
}

function readUrl(url: string, problems: Problem[]): void {
  try {
    parseBaseUrl(url);
  } catch (error) {
    if (!(error instanceof TierbenchError)) throw error;
    problems.push({ what: `--url: ${error.message}`, nextStep: error.nextStep });
  }
}
