import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type Scalar,
  visit,
} from 'yaml';
import { z } from 'zod';
import { suggestion } from '../core/closest-match.ts';
import type { ErrorCode } from '../core/error-codes.ts';
import { describeProblem, type Problem, TierbenchError } from '../core/errors.ts';
import { type Parsed, parseIn, type Unit } from '../core/units.ts';
import { readRegularFile } from '../machine/file-system.ts';
import { describeValue, shorten } from './written-value.ts';

/** A YAML file that was read: plain values, and where in the file each of them stands. */
export interface YamlFile {
  readonly path: string;
  readonly value: unknown;
  /** The place of a value or, with `key`, of its name. What does not exist is placed at the nearest thing around it. */
  place(path: readonly PropertyKey[], part?: 'key' | 'value'): Place;
  /** Keys written twice and the like: the rest of the file could still be read. */
  readonly problems: readonly Problem[];
}

interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** What a kind of file is called in errors: `{ kind: 'tier', invalid: 'TIER_FILE_INVALID' }`. */
export interface FileKind {
  readonly kind: string;
  readonly invalid: ErrorCode;
}

const LARGEST_FILE_BYTES = 1024 * 1024;
/** Aliases inside aliases multiply; a hundred is more than any honest file needs. */
const MOST_ALIASES = 100;

/**
 * @throws TierbenchError FILE_NOT_FOUND, FILE_NOT_READABLE (a folder, no permission, too large, not text),
 * or the kind's own code when the file is no YAML, with every syntax error and its place.
 */
export async function readYamlFile(path: string, kind: FileKind): Promise<YamlFile> {
  const text = await readTextFile(path, kind);
  return parseYaml(text, path, kind);
}

/** @throws TierbenchError FILE_NOT_FOUND, FILE_NOT_READABLE (a folder, no permission, more than 1 MiB, not text) */
export async function readTextFile(path: string, { kind }: Pick<FileKind, 'kind'>): Promise<string> {
  try {
    const found = await readRegularFile(path, LARGEST_FILE_BYTES);
    if (found.kind === 'folder') throw notReadable(path, 'it is a folder', `Name the ${kind} file inside it.`);
    if (found.kind === 'special') throw notReadable(path, 'it is not a regular file', `Name a ${kind} file.`);
    if (found.kind === 'too-large') {
      throw notReadable(path, `it has ${found.bytes} bytes, more than 1 MiB`, `Check that this is a ${kind} file.`);
    }
    const text = new TextDecoder('utf-8', { fatal: true }).decode(found.content);
    if (text.includes('\0')) throw notReadable(path, 'it is not a text file', `Name a ${kind} file.`);
    return text;
  } catch (cause) {
    if (cause instanceof TierbenchError) throw cause;
    const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    if (reason === 'ENOENT' || reason === 'ENOTDIR') {
      throw new TierbenchError('FILE_NOT_FOUND', `there is no file ${path}`, 'Check the path.', { cause });
    }
    if (reason === 'ERR_ENCODING_INVALID_ENCODED_DATA') {
      throw notReadable(path, 'it is not text in UTF-8', 'Save it as UTF-8.', cause);
    }
    const nextStep = reason === 'EACCES' ? 'Give yourself permission to read it.' : 'Check the path.';
    throw notReadable(path, reason, nextStep, cause);
  }
}

function notReadable(path: string, why: string, nextStep: string, cause?: unknown): TierbenchError {
  return new TierbenchError('FILE_NOT_READABLE', `cannot read ${path}: ${why}`, nextStep, { cause });
}

/** As `readYamlFile`, from text that was read already; `path` is what errors call it. */
export function parseYaml(text: string, path: string, kind: FileKind): YamlFile {
  const lines = new LineCounter();
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(Math.max(0, Math.min(offset, text.length)));
    return { file: path, line: Math.max(1, line), column: Math.max(1, col) };
  };
  const whole = (what: string, nextStep: string) => invalidFile(path, kind, [{ ...placeAt(0), what, nextStep }]);

  let document: Document.Parsed;
  const tooDeep = () => whole('the file is nested too deeply to be read', 'Check that it is what you think it is.');
  try {
    document = parseDocument(text, {
      lineCounter: lines,
      prettyErrors: false,
      stringKeys: true,
      logLevel: 'error',
      // The parser compares each key with all before it; `repeatedKeys` takes one look at each.
      uniqueKeys: false,
    });
  } catch {
    // The parser is recursive: a file of nothing but brackets exhausts the stack, here or where it catches that itself.
    throw tooDeep();
  }
  if (document.errors.some(({ message }) => message.includes('call stack'))) throw tooDeep();
  const problems = [...document.errors, ...document.warnings].map((found): Problem => {
    const known = syntaxProblems[found.code];
    const what = known?.what ?? firstLine(found.message);
    return { ...placeAt(found.pos[0]), what, nextStep: known?.nextStep ?? 'Fix the YAML there.' };
  });
  for (const key of repeatedKeys(document)) {
    problems.push({
      ...placeAt(key.range?.[0] ?? 0),
      what: 'this key is written twice',
      nextStep: 'Remove one of the two.',
    });
  }
  if (document.errors.length > 0) throw invalidFile(path, kind, problems);
  if (document.contents === null || (isScalar(document.contents) && document.contents.value === null)) {
    throw whole('the file is empty', `Write a ${kind.kind} into it.`);
  }
  // To resolve one takes a look at all that stands before it.
  const aliases = aliasesIn(document);
  const excess = aliases[MOST_ALIASES];
  if (excess !== undefined) {
    const what = `the file has ${aliases.length} aliases (*name), and ${MOST_ALIASES} is the most`;
    const nextStep = 'Write the values out instead of using aliases.';
    throw invalidFile(path, kind, [{ ...placeAt(excess.range?.[0] ?? 0), what, nextStep }]);
  }
  try {
    const value: unknown = document.toJS({ maxAliasCount: MOST_ALIASES });
    return { path, value, place: (keys, part) => placeAt(offsetOf(document, keys, part)), problems };
  } catch (cause) {
    if (cause instanceof RangeError) throw tooDeep();
    const what = firstLine(String(cause));
    const nextStep = 'Write the values out instead of using aliases (*name).';
    throw invalidFile(path, kind, [{ ...placeAt(offsetOfAlias(document)), what, nextStep }]);
  }
}

/** What the parser says in words of YAML's grammar, in words of everyday. */
const syntaxProblems: Partial<Record<string, { readonly what?: string; readonly nextStep: string }>> = {
  TAB_AS_INDENT: { what: 'a tab is used to indent', nextStep: 'Indent with spaces.' },
  BAD_INDENT: { nextStep: 'Line it up with its neighbours, or close the bracket or quote before it.' },
  MULTIPLE_DOCS: { what: 'the file holds more than one document', nextStep: 'Remove the line --- and what follows.' },
  NON_STRING_KEY: { what: 'a key must be text', nextStep: 'Put the key between quotes.' },
  MISSING_CHAR: { nextStep: 'Close the quote or bracket that was opened before it.' },
  TAG_RESOLVE_FAILED: { nextStep: 'Remove the tag (!name).' },
  UNEXPECTED_TOKEN: { nextStep: "Put text that starts with >, |, %, @ or a quote between quotes, as in '>= 5'." },
};

function repeatedKeys(document: Document.Parsed): readonly Scalar[] {
  const repeated: Scalar[] = [];
  visit(document, {
    Map(_, { items }) {
      const seen = new Set<unknown>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        if (seen.has(key.value)) repeated.push(key);
        seen.add(key.value);
      }
    },
  });
  return repeated;
}

function aliasesIn(document: Document.Parsed): readonly Alias[] {
  const aliases: Alias[] = [];
  visit(document, { Alias: (_, alias) => void aliases.push(alias) });
  return aliases;
}

/** Of the first alias that leads nowhere, else of the first one. */
function offsetOfAlias(document: Document.Parsed): number {
  const aliases = aliasesIn(document);
  const wrong = aliases.find((alias) => alias.resolve(document) === undefined) ?? aliases[0];
  return wrong?.range?.[0] ?? 0;
}

function firstLine(message: string): string {
  return message.replace(/^\w*Error: /u, '').split('\n')[0] ?? message;
}

/** Where the value at `keys` starts, or the nearest thing around it. */
function offsetOf(document: Document.Parsed, keys: readonly PropertyKey[], part: 'key' | 'value' = 'value'): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const [depth, key] of keys.entries()) {
    if (isAlias(node)) node = node.resolve(document);
    const item: unknown = isMap(node)
      ? node.items.findLast((pair) => isScalar(pair.key) && String(pair.key.value) === String(key))
      : isSeq(node)
        ? node.items[Number(key)]
        : undefined;
    if (item === undefined) break;
    const named = isPair(item);
    node = named ? item.value : item;
    const wantsKey = named && part === 'key' && depth === keys.length - 1;
    offset = (wantsKey ? undefined : startOf(node)) ?? (named ? startOf(item.key) : undefined) ?? offset;
  }
  return offset;
}

function startOf(node: unknown): number | undefined {
  // An empty value has a range of no length behind its colon: its key says more.
  if (!isNode(node) || (isScalar(node) && node.value === null && node.source === '')) return undefined;
  return (node as Node).range?.[0];
}

/** More would hide the ones to begin with. */
const MOST_PROBLEMS = 50;

export function invalidFile(path: string, { kind, invalid }: FileKind, problems: readonly Problem[]): TierbenchError {
  const different = new Map(problems.map((problem) => [describeProblem(problem), problem]));
  const sorted = [...different.values()].toSorted(
    (left, right) =>
      compareText(left.file ?? '', right.file ?? '') ||
      (left.line ?? 0) - (right.line ?? 0) ||
      (left.column ?? 0) - (right.column ?? 0),
  );
  const count = sorted.length === 1 ? 'a problem' : `${sorted.length} problems`;
  const rest = sorted.length > MOST_PROBLEMS ? `; the first ${MOST_PROBLEMS} are listed` : '';
  const nextStep = sorted.length === 1 ? sorted[0]?.nextStep : undefined;
  return new TierbenchError(
    invalid,
    `the ${kind} file ${path} has ${count}${rest}`,
    nextStep ?? 'Fix what is listed.',
    {
      problems: sorted.slice(0, MOST_PROBLEMS),
    },
  );
}

function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** An object that has these keys and no others. An unknown key is reported with the nearest known one. */
export function closedObject<Shape extends z.core.$ZodShape>(shape: Shape) {
  return z.strictObject(shape, {
    // One line for each unknown key, which `schemaProblems` takes apart again.
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys
            .slice(0, MOST_PROBLEMS + 1)
            .map((key) => suggestion(key, Object.keys(shape)))
            .join('\n')
        : undefined,
  });
}

/** The value as the schema has it, and everything that is wrong with it, each with its place. */
export function checkSchema<T>(
  file: YamlFile,
  schema: z.ZodType<T>,
): { readonly value: T | undefined; readonly problems: readonly Problem[] } {
  const result = schema.safeParse(file.value, { error: describeIssue });
  return result.success
    ? { value: result.data, problems: [] }
    : { value: undefined, problems: result.error.issues.flatMap((issue) => schemaProblems(file, issue)) };
}

function schemaProblems(file: YamlFile, issue: z.core.$ZodIssue): Problem[] {
  if (issue.code === 'unrecognized_keys') {
    const suggestions = issue.message.split('\n');
    return issue.keys.slice(0, MOST_PROBLEMS + 1).map((key, index) => ({
      ...file.place([...issue.path, key], 'key'),
      what: `unknown key '${shorten(key)}'`,
      // What follows a comma inside { } is the next key.
      nextStep: /\s/u.test(key) ? 'Put text that holds a comma between quotes.' : (suggestions[index] ?? 'Remove it.'),
    }));
  }
  const [what = '', nextStep] = issue.message.split('\n');
  const name = issue.path.map(String).map(shorten).join('.');
  return [
    {
      ...file.place(issue.path, issue.code === 'invalid_key' ? 'key' : 'value'),
      what: name === '' ? `the file ${what}` : `${name}${what.startsWith("'") ? ':' : ''} ${what}`,
      ...(nextStep !== undefined && { nextStep }),
    },
  ];
}

/** What is wrong, after the name of the value; a second line is the next step. */
function describeIssue(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined
        ? `is missing\nAdd it: ${expectedWords[issue.expected] ?? issue.expected} is needed.`
        : `must be ${expectedWords[issue.expected] ?? issue.expected}, but is ${describeValue(issue.input)}`;
    case 'invalid_value':
      if (issue.input === undefined) return `is missing\nAdd it. Known: ${issue.values.join(', ')}.`;
      return typeof issue.input === 'string'
        ? `is '${shorten(issue.input)}', which is unknown\n${suggestion(issue.input, issue.values.map(String))}`
        : `must be one of ${issue.values.join(', ')}, but is ${describeValue(issue.input)}`;
    case 'too_small':
      if (issue.origin !== 'number' && issue.origin !== 'int') return 'is empty';
      return `must be ${issue.inclusive === false ? 'above' : 'at least'} ${issue.minimum}, but is ${describeValue(issue.input)}`;
    case 'too_big':
      if (issue.origin !== 'number' && issue.origin !== 'int') return `is longer than ${issue.maximum}`;
      return `must be ${issue.inclusive === false ? 'below' : 'at most'} ${issue.maximum}, but is ${describeValue(issue.input)}`;
    case 'invalid_key':
      return issue.issues[0]?.message;
    default:
      return undefined;
  }
}

const expectedWords: Partial<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a group of keys and values',
  record: 'a group of keys and values',
  array: 'a list',
  tuple: 'a list',
};

/** A quantity with its unit, read into that unit: `z.number()` for `memory: 512 MiB`. */
export function quantityIn(unit: Unit) {
  return z.unknown().transform((written, context): number => {
    const parsed: Parsed<number> =
      typeof written === 'string' || typeof written === 'number'
        ? parseIn(String(written), unit)
        : { problem: `must be a number with a unit, but is ${describeValue(written)}` };
    if ('value' in parsed) return parsed.value;
    context.addIssue({ code: 'custom', message: parsed.problem });
    return z.NEVER;
  });
}
