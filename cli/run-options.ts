import type { DataValues } from '../harness/core/app.ts';
import { type Problem, TierbenchError } from '../harness/core/errors.ts';
import type { RunQuestion } from '../harness/core/run.ts';
import type { StudySettings } from '../harness/core/study-record.ts';
import type { Target } from '../harness/core/target.ts';
import { parseBaseUrls } from '../harness/providers/url.ts';
import { dataOptions, usersOption } from './app.ts';
import { readFaultChoices } from './fault-choices.ts';
import { type EngineName, engineNames, readLoads, type TypedLoadOptions } from './load-options.ts';
import { type MixChoice, readMixChoice } from './mix-option.ts';
import { readSweep } from './sweep-option.ts';
import { splitList, type TypedReader, typedReader } from './typed-reader.ts';
import { readTypedTargets, type TypedTargets } from './typed-targets.ts';

/** What commander hands over: words as they were typed. */
export interface TypedRunOptions extends TypedLoadOptions, TypedTargets {
  readonly tier?: string;
  readonly scenario?: string;
  readonly mix?: string;
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
  readonly skipThinkTimes?: boolean;
  readonly targets?: string;
  readonly allowMissed?: boolean;
  /** Each may hold several, separated by commas. */
  readonly fault?: readonly string[];
  readonly faults?: boolean;
  readonly installMissing?: boolean;
  readonly sweep?: readonly string[];
  readonly all?: boolean;
  /** Those that say how much data the app has, by their names. */
  readonly [dataOption: string]: string | boolean | readonly string[] | undefined;
}

export interface RunOptions {
  /** Names and files; undefined for all built-in tiers. */
  readonly tiers: readonly string[] | undefined;
  readonly url: string | undefined;
  /** Several that run already, by the names of their tiers. */
  readonly urls?: Readonly<Record<string, string>>;
  readonly allowRemote: boolean;
  /** Certificate authorities that are trusted besides those of the system. */
  readonly authoritiesFile: string | undefined;
  readonly insecure: boolean;
  readonly data: DataValues;
  readonly usersFile: string | undefined;
  readonly targetsFile: string | undefined;
  /** Those of the command line itself. */
  readonly targets: readonly Target[];
  /** The k6 to use and no other; undefined where one is looked for. */
  readonly k6Path: string | undefined;
  readonly mix: MixChoice;
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

/** Quick: those that need no pauses, so that a run of all tiers is done in about eight minutes. */
const quickScenarios = ['login', 'crud', 'mixed'];
const fullScenarios = [...quickScenarios, 'browse'];

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
  const sweep = readSweep(typed.sweep ?? [], problems);
  const isSweep = sweep.length > 0;
  const usualScenarios = quick || isSweep ? quickScenarios : fullScenarios;
  const scenarios = typed.scenario === undefined ? usualScenarios : [...new Set(splitList(typed.scenario))];
  if (typed.all === true && !isSweep) {
    problems.push({ what: '--all goes with --sweep only', nextStep: 'every load of a run without it is measured' });
  }
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
  const data: DataValues = { ...readData(typed, quick, read), seed };
  const highest = loads.concurrencies?.at(-1) ?? 1;
  const users = usersOption && data[usersOption.name];
  if (users !== undefined && users < highest) {
    problems.push({
      what: `${usersOption?.option} ${users} is less than the highest concurrency, ${highest}`,
      nextStep: `no two virtual users share a user: raise ${usersOption?.option} or lower --concurrency`,
    });
  }
  const options: RunOptions = {
    tiers,
    url: typed.url,
    allowRemote: typed.allowRemote ?? false,
    authoritiesFile: typed.cacert,
    insecure: typed.insecure ?? false,
    data,
    usersFile: typed.users,
    targetsFile: typed.targets,
    targets: readTypedTargets(typed, problems),
    k6Path: typed.k6,
    mix: readMixChoice(typed.mix, scenarios, read, problems),
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
      // One search for each value, and nothing else unless it is asked for.
      concurrencies: isSweep && typed.concurrency === undefined ? [] : loads.concurrencies,
      faults,
      sweep,
      sweepsAll: typed.all ?? false,
    },
    settings: {
      engine,
      provider,
      workers,
      seed,
      coolDownS: read.seconds('--cool-down', typed.coolDown, quick ? 1 : 5, { from: 0, to: 3600 }),
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

function readData(typed: TypedRunOptions, quick: boolean, read: TypedReader): DataValues {
  const values = dataOptions.map(({ name, option, default: usual, quick: few, least, most }): [string, number] => {
    const text = typed[name];
    const range = { from: least, to: most, whole: true };
    return [
      name,
      read.number(option, typeof text === 'string' ? text : undefined, quick ? (few ?? usual) : usual, range),
    ];
  });
  return Object.fromEntries(values);
}

/** What needs services of our own. */
function refuseWithUrl(typed: TypedRunOptions, problems: Problem[]): void {
  const { fault, faults, installMissing, sweep } = typed;
  // How many users there are is asked for with a URL too.
  const ofData = dataOptions.filter((each) => each !== usersOption);
  const given = {
    '--fault': fault !== undefined && fault.length > 0,
    '--faults': faults === true,
    '--install-missing': installMissing === true,
    '--sweep': sweep !== undefined,
    ...Object.fromEntries(ofData.map(({ name, option }) => [option, typed[name] !== undefined])),
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
