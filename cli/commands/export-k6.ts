import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { exportForK6 } from '../../exports/k6/export.ts';
import type { ExportPlan } from '../../exports/k6/export-files.ts';
import { type Problem, TierbenchError } from '../../harness/core/errors.ts';
import type { OfferedLoad } from '../../harness/core/load.ts';
import type { Target } from '../../harness/core/target.ts';
import { absoluteFolder, cannotWrite, writeAtomically } from '../../harness/files/atomic-write.ts';
import { builtInScenarios } from '../../harness/files/load-scenario.ts';
import { readTargets } from '../../harness/files/target-file.ts';
import { builtInTiers, readTier } from '../../harness/files/tier-file.ts';
import { makeFolder } from '../../harness/machine/file-system.ts';
import { type MixChoice, readMixChoice } from '../mix-option.ts';
import { exitCodes, type Output } from '../output/streams.ts';
import { allOf, readScenario } from '../read-inputs.ts';
import { typedReader } from '../typed-reader.ts';
import { readTypedTargets, type TypedTargets, withTypedTargets } from '../typed-targets.ts';

/** What commander hands over: words as they were typed. */
export interface TypedExportOptions extends TypedTargets {
  readonly scenario?: string;
  readonly mix?: string;
  readonly rate?: string;
  readonly concurrency?: string;
  readonly duration?: string;
  readonly warmUp?: string;
  readonly timeout?: string;
  readonly seed?: string;
  readonly userCount?: string;
  readonly targets?: string;
  readonly tier?: string;
  readonly out?: string;
}

/** How long an iteration of a scenario that pauses may take: a visit of the built-in ones takes half a minute. */
const LONGEST_USUAL_VISIT_S = 40;

/** Writes a folder that plain `k6 run` can run anywhere. */
export async function exportK6(typed: TypedExportOptions, output: Output): Promise<number> {
  const options = readExportOptions(typed);
  const { scenarioName, out, load } = options;
  const [scenario, tier, folder] = await Promise.allSettled([
    readScenario(scenarioName, options.mix),
    options.tier === undefined ? undefined : readTier(options.tier),
    refuseToOverwrite(out),
  ]);
  const [targets] = await Promise.allSettled([
    readTargets(filesOf(options), {
      scenarios: [...builtInScenarios(), ...(scenario.status === 'fulfilled' ? [scenario.value.scenario.name] : [])],
      // A target may be about another tier than the one that is measured.
      tiers: [...(await builtInTiers()), ...(tier.status === 'fulfilled' && tier.value ? [tier.value.name] : [])],
    }).then((ofFiles) => withTypedTargets(ofFiles, options.targets)),
  ]);
  if (scenario.status === 'rejected' || targets.status === 'rejected' || tier.status === 'rejected') {
    throw failureOf([scenario, tier, targets, folder]);
  }
  if (folder.status === 'rejected') throw folder.reason;
  const { name, description, hasThinkTime = false } = scenario.value.scenario;
  const plan: ExportPlan = {
    scenario: name,
    description,
    hasThinkTime,
    mix: scenario.value.mix,
    tier: tier.value?.name,
    load,
    warmUpS: options.warmUpS,
    durationS: options.durationS,
    seed: options.seed,
    timeoutS: options.timeoutS,
    virtualUsers: options.userCount ?? defaultVirtualUsers(load, hasThinkTime, options.timeoutS),
  };
  const files = await exportForK6(scenario.value.file, plan, targets.value);
  const place = absoluteFolder(out);
  await makeFolder(place).catch((cause) => {
    throw cannotWrite(out, cause);
  });
  for (const [file, content] of files) await writeAtomically(join(place, file), content);
  const run = `k6 run -e BASE_URL=http://127.0.0.1:3000 -e USERS=users.json ${join(out, 'script.js')}`;
  output.out(`wrote ${[...files.keys()].join(', ')} into ${out}\nrun it: ${run}\n${join(out, 'README.md')} says more.`);
  return exitCodes.met;
}

/** Those that may be busy at once, as far as is known beforehand; each takes k6 a quarter of a megabyte. */
function defaultVirtualUsers(load: OfferedLoad, hasThinkTime: boolean, timeoutS: number): number {
  if (load.model === 'closed') return load.concurrency;
  const { arrivalRatePerS } = load;
  const stuck = Math.max(Math.min(arrivalRatePerS * timeoutS, 1000), arrivalRatePerS);
  return Math.max(10, Math.ceil(hasThinkTime ? arrivalRatePerS * LONGEST_USUAL_VISIT_S : stuck));
}

async function refuseToOverwrite(folder: string): Promise<void> {
  const names = await readdir(folder).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return [];
    throw cannotWrite(folder, cause);
  });
  if (names.length === 0) return;
  throw new TierbenchError(
    'FOLDER_NOT_EMPTY',
    `${folder} holds files already, ${names.toSorted()[0]} among them`,
    'Choose another folder with --out, or remove this one.',
  );
}

/** The built-in targets only where no others are given. */
function filesOf({ targetsFile, targets }: ExportOptions): readonly string[] | undefined {
  if (targetsFile !== undefined) return [targetsFile];
  return targets.length > 0 ? [] : undefined;
}

/** What went wrong, all of it; a defect before any mistake. */
function failureOf(attempts: readonly PromiseSettledResult<unknown>[]): unknown {
  const reasons = attempts.flatMap((attempt) => (attempt.status === 'rejected' ? [attempt.reason] : []));
  const defect = reasons.find((reason) => !(reason instanceof TierbenchError));
  return defect ?? (reasons.length === 1 ? reasons[0] : allOf(reasons));
}

interface ExportOptions {
  readonly scenarioName: string;
  readonly mix: MixChoice;
  readonly load: OfferedLoad;
  readonly durationS: number;
  readonly warmUpS: number;
  readonly timeoutS: number;
  readonly seed: number;
  /** Undefined: as many as the load is likely to need. */
  readonly userCount: number | undefined;
  readonly targetsFile: string | undefined;
  /** Those of the command line itself. */
  readonly targets: readonly Target[];
  readonly tier: string | undefined;
  readonly out: string;
}

/** @throws TierbenchError OPTIONS_INVALID with every problem of the command line at once. */
export function readExportOptions(typed: TypedExportOptions): ExportOptions {
  const problems: Problem[] = [];
  const read = typedReader(problems);
  const needed = (option: string, value: string | undefined, nextStep: string): string => {
    if (value === undefined || value.trim() === '') problems.push({ what: `${option} is missing`, nextStep });
    return value ?? '';
  };
  const scenarioName = needed('--scenario', typed.scenario, 'name a built-in scenario or a file of your own');
  const out = needed('--out', typed.out, 'name the folder to write');
  if ((typed.rate === undefined) === (typed.concurrency === undefined)) {
    problems.push({
      what: typed.rate === undefined ? '--rate is missing' : '--rate and --concurrency exclude each other',
      nextStep: 'a folder has one load: give --rate 200 (arrivals per second) or --concurrency 50 (closed-loop users)',
    });
  }
  const concurrency = read.number('--concurrency', typed.concurrency, 1, { from: 1, to: 100_000, whole: true });
  const arrivalRatePerS = read.number('--rate', typed.rate, 1, { from: 0.01, to: 100_000 });
  const load: OfferedLoad =
    typed.concurrency === undefined
      ? { model: 'open', arrivalRatePerS, arrivals: 'constant' }
      : { model: 'closed', concurrency };
  const userCount =
    typed.userCount === undefined
      ? undefined
      : read.number('--user-count', typed.userCount, 1, { from: 1, to: 100_000, whole: true });
  if (userCount !== undefined && typed.concurrency !== undefined && userCount !== concurrency) {
    problems.push({
      what: `--user-count ${userCount} does not go with --concurrency ${typed.concurrency}`,
      nextStep: 'so many virtual users there are then: leave --user-count out',
    });
  }
  const options: ExportOptions = {
    scenarioName,
    mix: readMixChoice(typed.mix, [scenarioName], read, problems),
    load,
    durationS: read.seconds('--duration', typed.duration, 30, { from: 1, to: 86_400 }),
    warmUpS: read.seconds('--warm-up', typed.warmUp, 5, { from: 0, to: 3600 }),
    timeoutS: read.seconds('--timeout', typed.timeout, 10, { from: 0.1, to: 600 }),
    seed: read.number('--seed', typed.seed, 1, { from: 0, to: 4_294_967_295, whole: true }),
    userCount,
    targetsFile: typed.targets,
    targets: readTypedTargets(typed, problems),
    tier: typed.tier,
    out,
  };
  if (problems.length === 0) return options;
  throw new TierbenchError(
    'OPTIONS_INVALID',
    problems.length === 1 ? 'an option is wrong' : `${problems.length} options are wrong`,
    'Fix what is named above; `tierbench export k6 --help` lists the options.',
    { problems },
  );
}
