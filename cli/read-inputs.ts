import { type Problem, TierbenchError } from '../harness/core/errors.ts';
import type { Target } from '../harness/core/target.ts';
import type { Tier } from '../harness/core/tier.ts';
import { builtInScenarios, loadScenario, scenarioFile } from '../harness/files/load-scenario.ts';
import { readTargets } from '../harness/files/target-file.ts';
import { builtInTiers, readTier } from '../harness/files/tier-file.ts';
import { readUsers } from '../harness/files/users-file.ts';
import { externalTier } from '../harness/providers/url.ts';
import type { ScenarioSource } from '../harness/studies/environment.ts';
import type { User } from '../scenarios/kit.ts';
import { type Mix, mixedScenario } from '../scenarios/mixed.ts';
import { checkFaultServices } from './fault-choices.ts';
import { type MixChoice, mixOf } from './mix-option.ts';
import type { RunOptions } from './run-options.ts';
import { readVariants, type Variant } from './sweep-option.ts';
import { withTypedTargets } from './typed-targets.ts';

export interface Inputs {
  readonly tiers: readonly Tier[];
  /** What is measured: the tiers, and in a sweep each of them with each of its values. */
  readonly variants: readonly Variant[];
  readonly targets: readonly Target[];
  readonly scenarios: ReadonlyMap<string, ScenarioSource>;
  /** The name of each scenario by what was typed for it. */
  readonly names: ReadonlyMap<string, string>;
  readonly usersOfFile: readonly User[] | undefined;
  /** Of the built-in scenario `mixed`; undefined where it is not among the scenarios. */
  readonly mix: Mix | undefined;
}

/** Reads every file the run needs before anything starts. @throws TierbenchError with the problems of all of them. */
export async function readInputs(options: RunOptions): Promise<Inputs> {
  const failures: TierbenchError[] = [];
  const attempt = async <T>(reading: Promise<T>): Promise<T | undefined> => {
    try {
      return await reading;
    } catch (error) {
      if (!(error instanceof TierbenchError)) throw error;
      failures.push(error);
      return undefined;
    }
  };
  const check = (checking: () => void) => attempt(Promise.resolve().then(checking));
  const names = options.tiers ?? (await builtInTiers());
  const tiers =
    options.url === undefined
      ? (await Promise.all(names.map((name) => attempt(readTier(name))))).filter((tier) => tier !== undefined)
      : [externalTier];
  const isSweep = options.question.sweep.length > 0 && tiers.length === names.length;
  const variants = isSweep
    ? await attempt(readVariants(names, options.question.sweep))
    : tiers.map((tier) => ({ id: tier.name, tier, variant: [] }));
  const loaded = await Promise.all(options.question.scenarios.map((name) => attempt(readScenario(name, options.mix))));
  const scenarios = loaded.filter((scenario) => scenario !== undefined);
  const targets = await attempt(
    readTargets(targetFiles(options), {
      scenarios: [...builtInScenarios(), ...scenarios.map(({ scenario }) => scenario.name)],
      // A target may be about a tier that this run leaves out.
      tiers: [...(await builtInTiers()), ...tiers.map(({ name }) => name)],
    }).then((ofFiles) => withTypedTargets(ofFiles, options.targets)),
  );
  await check(() => eachTierOnce(tiers));
  await check(() => eachScenarioOnce(scenarios));
  // Of a tier that could not be read nobody knows the services.
  if (tiers.length === names.length) await check(() => checkFaultServices(options.question.faults, tiers));
  const usersOfFile = options.usersFile === undefined ? undefined : await attempt(readUsers(options.usersFile));
  const highest = options.question.concurrencies?.at(-1) ?? 1;
  if (usersOfFile !== undefined && usersOfFile.length < highest) {
    failures.push(
      new TierbenchError(
        'TOO_FEW_USERS',
        `${options.usersFile} has ${usersOfFile.length} users, but the highest concurrency is ${highest}`,
        'No two virtual users share a user: add users or lower --concurrency.',
      ),
    );
  }
  const [first, ...others] = failures;
  if (first !== undefined && others.length === 0) throw first;
  if (first !== undefined || targets === undefined || variants === undefined) throw allOf(failures);
  return {
    tiers,
    variants,
    targets,
    scenarios: new Map(scenarios.map((source) => [source.scenario.name, source])),
    names: new Map(scenarios.map(({ reference, scenario }) => [reference, scenario.name])),
    usersOfFile,
    mix: scenarios.find((source) => source.mix !== undefined)?.mix,
  };
}

/**
 * The documents are about the tiers: an API of somebody else is judged by them only when it is asked for. Whoever types
 * targets asks for these.
 */
function targetFiles({ targetsFile, targets, url }: RunOptions): readonly string[] | undefined {
  if (targetsFile === 'documents') return undefined;
  if (targetsFile !== undefined) return [targetsFile];
  return url === undefined && targets.length === 0 ? undefined : [];
}

export interface ReadScenario extends ScenarioSource {
  readonly reference: string;
  readonly file: string;
  /** Of the built-in `mixed` only. */
  readonly mix: Mix | undefined;
}

/** A built-in scenario or one of a file. @throws TierbenchError of its file, and of the file of its mix */
export async function readScenario(reference: string, choice: MixChoice): Promise<ReadScenario> {
  const mix = reference === 'mixed' ? await mixOf(choice) : undefined;
  const scenario = mix === undefined ? await loadScenario(reference) : mixedScenario(mix);
  return { reference, scenario, file: scenarioFile(reference), mix };
}

/** Trials, reports and comparisons know a tier by its name. */
function eachTierOnce(tiers: readonly Tier[]): void {
  const names = tiers.map(({ name }) => name);
  const repeated = [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
  if (repeated.length === 0) return;
  throw new TierbenchError(
    'OPTIONS_INVALID',
    `--tier names more than one tier '${repeated.join("', '")}'`,
    'Name each tier once, or give your own tier file another `name`.',
  );
}

/** Trials know a scenario by the name it gives itself. */
function eachScenarioOnce(scenarios: readonly ReadScenario[]): void {
  const problems = [...Map.groupBy(scenarios, ({ scenario }) => scenario.name)].flatMap(([name, same]): Problem[] =>
    same.length === 1
      ? []
      : [{ what: `${same.map(({ reference }) => reference).join(' and ')} are both called '${name}'` }],
  );
  if (problems.length === 0) return;
  const nextStep = 'Give each scenario a `name` of its own.';
  throw new TierbenchError('OPTIONS_INVALID', 'two scenarios have one name', nextStep, { problems });
}

export function allOf(failures: readonly TierbenchError[]): TierbenchError {
  const problems = failures.flatMap(({ code, message, nextStep, problems: inner }): Problem[] => [
    { what: `${code}: ${message}`, nextStep },
    ...inner,
  ]);
  return new TierbenchError('INPUTS_INVALID', `${failures.length} inputs are wrong`, 'Fix what is named above.', {
    problems,
  });
}
