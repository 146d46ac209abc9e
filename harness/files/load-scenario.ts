import { fork } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import type { Scenario } from '../../scenarios/kit.ts';
import { suggestion } from '../core/closest-match.ts';
import {
  asError,
  describeProblem,
  describeThrown,
  errorOf,
  type Problem,
  type ReportedError,
  reportedError,
  stackOf,
  TierbenchError,
} from '../core/errors.ts';
import { ownModule } from '../machine/own-package.ts';

const builtIn: Readonly<Record<string, { load: () => Promise<object>; file: URL }>> = {
  login: { load: () => import('../../scenarios/login.ts'), file: builtInFile('login') },
  crud: { load: () => import('../../scenarios/crud.ts'), file: builtInFile('crud') },
  mixed: { load: () => import('../../scenarios/mixed.ts'), file: builtInFile('mixed') },
  browse: { load: () => import('../../scenarios/browse.ts'), file: builtInFile('browse') },
  visit: { load: () => import('../../scenarios/visit.ts'), file: builtInFile('visit') },
};

export function builtInScenarios(): readonly string[] {
  return Object.keys(builtIn);
}

/**
 * A built-in scenario by its name, or one from a file by its path (`./mine.ts`; whatever holds a slash or ends like a
 * script is a path). A file is imported in a process of its own first, which can be ended when it loops without end.
 * Throws SCENARIO_NOT_FOUND or SCENARIO_INVALID.
 */
export async function loadScenario(reference: string): Promise<Scenario> {
  const file = scenarioFile(reference);
  if (!Object.hasOwn(builtIn, reference)) await tryInProcess(file);
  return importScenario(reference);
}

/** The same at once, for a process that may be ended at any time. */
export async function importScenario(reference: string): Promise<Scenario> {
  const known = Object.hasOwn(builtIn, reference) ? builtIn[reference] : undefined;
  const file = scenarioFile(reference);
  const module = known === undefined ? await importFile(file) : await known.load();
  try {
    return validScenario(module, file);
  } catch (thrown) {
    // Fields may be getters.
    const error = asError(thrown);
    throw error instanceof TierbenchError ? error : cannotImport(file, error);
  }
}

/** The file a scenario is read from. Throws SCENARIO_NOT_FOUND. */
export function scenarioFile(reference: string): string {
  const known = Object.hasOwn(builtIn, reference) ? builtIn[reference] : undefined;
  if (known !== undefined) return fileURLToPath(known.file);
  if (!looksLikePath(reference)) {
    throw new TierbenchError(
      'SCENARIO_NOT_FOUND',
      `There is no scenario '${reference}'.`,
      `${suggestion(reference, builtInScenarios())} Your own is given by its path: ./${reference}.ts`,
    );
  }
  const file = resolve(reference);
  if (!existsSync(file)) {
    throw new TierbenchError(
      'SCENARIO_NOT_FOUND',
      `There is no scenario file ${file}.`,
      'Check the path, or let `tierbench init scenario NAME` write one to start from.',
    );
  }
  const found = statSync(file);
  if (!found.isFile()) {
    throw new TierbenchError('SCENARIO_NOT_FOUND', `${file} is not a file.`, 'Give the path of a scenario file.');
  }
  if (found.size > LARGEST_FILE_BYTES) {
    throw invalid([{ file, what: `has ${found.size} bytes, which is too large` }], DEFINE_ONLY);
  }
  if (!/\.(ts|mts|js|mjs)$/.test(file)) {
    throw new TierbenchError(
      'SCENARIO_INVALID',
      `${file} is neither TypeScript nor JavaScript by its name.`,
      'Let its name end in .ts (or .mts, .js, .mjs).',
    );
  }
  return file;
}

/** Far above any program that people write; loading it takes under a second. */
const LARGEST_FILE_BYTES = 16 * 1024 * 1024;

/** How much longer than an import a process may take to start and to say what it found. */
const LONGEST_START_S = 5;

/**
 * Imports the file in a process of its own and throws what that throws: this one could not end an endless loop.
 * What the file prints is left out here, for it is printed when this process imports it.
 */
async function tryInProcess(file: string): Promise<void> {
  const child = fork(ownModule('./try-scenario', import.meta.url), [file, String(process.pid)], {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const kill = () => child.kill('SIGKILL');
  const isTooLate = setTimeout(kill, (LONGEST_IMPORT_S + LONGEST_START_S) * 1000);
  process.once('exit', kill);
  const result = Promise.withResolvers<ReportedError | null>();
  child.once('message', (reported: ReportedError | null) => result.resolve(reported));
  child.once('error', result.reject);
  child.once('exit', (exitCode, signal) => {
    const what =
      signal === 'SIGKILL'
        ? NEVER_LOADS
        : `ends its process with ${signal ?? `exit code ${exitCode}`} when it is loaded`;
    result.resolve(reportedError(invalid([{ file, what }], DEFINE_ONLY)));
  });
  try {
    const reported = await result.promise;
    if (reported !== null) throw errorOf(reported);
  } finally {
    clearTimeout(isTooLate);
    process.off('exit', kill);
    kill();
  }
}

function builtInFile(name: string): URL {
  return ownModule(`../../scenarios/${name}`, import.meta.url);
}

function looksLikePath(reference: string): boolean {
  return /[\\/]/.test(reference) || /\.\w+$/.test(reference);
}

/** Of the files that scenarios of others consist of, as far as this process has imported them. */
const ownUrlsOfScenarios = new Set<string>();

/**
 * What was thrown where nobody catches it, such as in a timer: SCENARIO_THREW when it comes from the file of a scenario, or
 * is nothing that tierbench throws and there is such a file; else as it is.
 */
export function uncaughtError(thrown: unknown): Error {
  const error = asError(thrown);
  const isOdd = error !== thrown || ('code' in error && error.code === 'ERR_UNHANDLED_REJECTION');
  const stack = stackOf(error);
  const frame = stack.split('\n').find((line) => [...ownUrlsOfScenarios].some((url) => line.includes(url)));
  if (frame === undefined && !(isOdd && ownUrlsOfScenarios.size > 0)) return error;
  const problem = { ...placeIn(error, frame), what: firstLine(describeThrown(error)) };
  return new TierbenchError(
    'SCENARIO_THREW',
    `A scenario threw where nothing catches it, such as in a timer: ${describeProblem(problem)}`,
    DEFINE_ONLY,
    { cause: error },
  );
}

/**
 * A scenario lies anywhere, in a folder with or without a package.json: `tierbench/scenarios` is our own kit there,
 * installed or not, and what it imports by paths is ESM, whatever the folder says.
 */
async function importFile(file: string): Promise<object> {
  const kit = builtInFile('kit').href;
  const entry = pathToFileURL(file).href;
  const ownUrls = ownUrlsOfScenarios.add(entry);
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      if (specifier === 'tierbench/scenarios') return { url: kit, shortCircuit: true };
      if (specifier === 'tierbench/scenarios/mixed') return { url: builtInFile('mixed').href, shortCircuit: true };
      const resolved = next(specifier, context);
      const isOwn = resolved.url === entry || (isPath(specifier) && ownUrls.has(context.parentURL ?? ''));
      if (!isOwn || !/\.[mc]?[tj]s$/.test(resolved.url)) return resolved;
      ownUrls.add(resolved.url);
      return { ...resolved, format: resolved.url.endsWith('ts') ? 'module-typescript' : 'module' };
    },
  });
  // A file that ends the process would end tierbench as if all were well.
  const { exit } = process;
  const exited = Promise.withResolvers<never>();
  process.exit = (code) => {
    const error = invalid([{ file, what: `calls process.exit(${code ?? ''}) when it is loaded` }], DEFINE_ONLY);
    exited.reject(error);
    throw error;
  };
  // It also keeps a process alive that would end because nothing is left to wait for.
  const timer = setTimeout(
    () => exited.reject(invalid([{ file, what: NEVER_LOADS }], DEFINE_ONLY)),
    LONGEST_IMPORT_S * 1000,
  );
  try {
    return await Promise.race([import(entry), exited.promise]);
  } catch (thrown) {
    const error = asError(thrown);
    throw error instanceof TierbenchError ? error : cannotImport(file, error);
  } finally {
    clearTimeout(timer);
    process.exit = exit;
    hooks.deregister();
  }
}

const LONGEST_IMPORT_S = 10;
const NEVER_LOADS = `did not load within ${LONGEST_IMPORT_S} s: a loop or an await at its top level does not end`;
const DEFINE_ONLY = 'Let the file define its scenario and do nothing else; work belongs in begin and iteration.';

function isPath(specifier: string): boolean {
  return /^(\.{0,2}\/|file:)/.test(specifier);
}

function cannotImport(file: string, error: Error): TierbenchError {
  const code = 'code' in error ? describeThrown(error.code) : '';
  const message = firstLine(describeThrown(error));
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX') {
    return invalid(
      [{ file, ...placeIn(error), what: message }],
      'Only types can be stripped: write it without enums, namespaces with values and parameter properties.',
      error,
    );
  }
  if (code.startsWith('ERR_MODULE_NOT_FOUND') || code === 'ERR_UNSUPPORTED_DIR_IMPORT') {
    return invalid(
      [{ file, what: message }],
      "Import 'tierbench/scenarios', and your own files by relative paths with their ending: './pages.ts'.",
      error,
    );
  }
  if (error instanceof SyntaxError) {
    return invalid([{ file, ...placeIn(error), what: message }], 'Fix the file there.', error);
  }
  return invalid([{ file, ...placeIn(error), what: `throws when it is loaded: ${message}` }], DEFINE_ONLY, error);
}

type Place = Pick<Problem, 'file' | 'line' | 'column'>;

/**
 * Where Node says it went wrong, maybe in a file the scenario imports; empty where it does not say. A syntax error's
 * stack begins with `file:line`, the line itself and carets under the place; another error's has `file:line:column`.
 */
function placeIn(error: Error, frames = stackOf(error)): Place {
  const stack = stripVTControlCharacters(frames);
  const place =
    error instanceof SyntaxError
      ? /^(?!\s*at )(.+?):(\d+)$/m.exec(stack)
      : /\bat (?:.*\()?(.+?):(\d+):(\d+)\)?$/m.exec(stack);
  const [, where, line, column] = place ?? [];
  if (where === undefined || line === undefined || where.startsWith('node:')) return {};
  const file = where.startsWith('file:') ? fileURLToPath(where) : where;
  const columnInLine = column === undefined ? caretColumn(stack) : Number(column);
  return { file, line: Number(line), ...(columnInLine === undefined ? {} : { column: columnInLine }) };
}

function caretColumn(stack: string): number | undefined {
  const carets = /^( *)\^+$/m.exec(stack)?.[1];
  return carets === undefined ? undefined : carets.length + 1;
}

function firstLine(message: string): string {
  return stripVTControlCharacters(message).trim().split('\n')[0] ?? '';
}

function invalid(problems: readonly Problem[], nextStep: string, cause?: unknown): TierbenchError {
  return new TierbenchError(
    'SCENARIO_INVALID',
    `The scenario cannot be used: ${problems.map(describeProblem).join('; ')}`,
    nextStep,
    { problems, cause },
  );
}

const FIELDS = ['name', 'description', 'hasThinkTime', 'begin', 'iteration'];

function validScenario(module: object, file: string): Scenario {
  const scenario: unknown = 'default' in module ? module.default : undefined;
  if (typeof scenario !== 'object' || scenario === null) {
    const what =
      scenario === undefined ? 'has no default export' : `its default export is a ${typeof scenario}, not a scenario`;
    throw invalid(
      [{ file, what }],
      'End it with `export default defineScenario({ name, description, *iteration() { ... } })`.',
    );
  }
  const fields = scenario as Readonly<Record<string, unknown>>;
  const problems: Problem[] = [];
  const complain = (what: string, nextStep?: string) =>
    problems.push(nextStep === undefined ? { file, what } : { file, what, nextStep });

  if (typeof fields.name !== 'string' || !/^[A-Za-z0-9][\w.-]{0,63}$/.test(fields.name)) {
    complain(
      `name must be 1 to 64 letters, digits, dots or dashes, but is ${typeof fields.name === 'string' ? JSON.stringify(fields.name) : describeThrown(fields.name)}`,
    );
  }
  if (typeof fields.description !== 'string') complain('description must be a text');
  if (fields.hasThinkTime !== undefined && typeof fields.hasThinkTime !== 'boolean')
    complain('hasThinkTime must be true or false');
  if (!isGeneratorFunction(fields.iteration))
    complain(`iteration must be a generator: *iteration({ user, random }) { ... }`);
  if (fields.begin !== undefined && !isGeneratorFunction(fields.begin)) {
    complain('begin must be a generator: *begin({ user, random }) { ... }');
  }
  for (const field of Object.keys(fields)) {
    if (!FIELDS.includes(field)) complain(`there is no field '${field}'`, suggestion(field, FIELDS));
  }
  if (problems.length > 0)
    throw invalid(problems, 'Fix these fields; `tierbench init scenario NAME` writes an example.');
  return scenario as Scenario;
}

/** A plain function may give back a generator; what is async cannot. */
function isGeneratorFunction(value: unknown): boolean {
  return typeof value === 'function' && !Object.prototype.toString.call(value).includes('Async');
}
