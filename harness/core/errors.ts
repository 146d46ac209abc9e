import type { ErrorCode } from './error-codes.ts';
import type { Obstacle, Remedy } from './findings.ts';

/** One thing that is wrong with an input, said so that a person can fix it. */
export interface Problem {
  /** What happened, with the value: `arrivalRatePerS must be above 0, but is -3`. */
  readonly what: string;
  /** The next step to take. */
  readonly nextStep?: string;
  /** Why, where a finding says it: the command line adds its words to `what`. */
  readonly obstacle?: Obstacle;
  /** Where it stands, if it stands in a file. Lines and columns count from 1. */
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
}

/**
 * An error a user can act on. `code` is stable and documented in docs/errors.md. `nextStep` names no option of the command
 * line, which adds the one that belongs to `remedy`. It prints the error without a stack trace; anything else that is
 * thrown is a defect of tierbench.
 */
export class TierbenchError extends Error {
  override readonly name = 'TierbenchError';
  readonly code: ErrorCode;
  readonly nextStep: string;
  readonly remedy: Remedy | undefined;
  readonly problems: readonly Problem[];

  constructor(
    code: ErrorCode,
    what: string,
    nextStep: string,
    options: { problems?: readonly Problem[]; cause?: unknown; remedy?: Remedy } = {},
  ) {
    super(what, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.nextStep = nextStep;
    this.remedy = options.remedy;
    this.problems = options.problems ?? [];
  }
}

/** An error as it goes from one process to another; with a code it is a `TierbenchError`. */
export interface ReportedError {
  readonly message: string;
  readonly code?: ErrorCode;
  readonly nextStep?: string;
  readonly problems?: readonly Problem[];
}

export function reportedError(error: unknown): ReportedError {
  if (!(error instanceof TierbenchError)) return { message: stackOf(error) };
  const { message, code, nextStep, problems } = error;
  return { message, code, nextStep, problems };
}

export function errorOf({ message, code, nextStep = '', problems = [] }: ReportedError): Error {
  return code === undefined ? new Error(message) : new TierbenchError(code, message, nextStep, { problems });
}

export function describeProblem(problem: Problem): string {
  const place = [problem.file, problem.line, problem.column].filter((part) => part !== undefined).join(':');
  return [place, problem.what, problem.nextStep]
    .filter((part) => part !== undefined && part !== '')
    .join(place === '' ? '; ' : ': ');
}

/** Longer texts of others are cut: what was thrown may be a document. */
const LONGEST_THROWN = 500;

/**
 * What was thrown, as text: the message of an error. Anything may be thrown, and what has a getter, a trap or a `toString` of
 * its own may throw in turn.
 */
export function describeThrown(thrown: unknown): string {
  return textOf(thrown, 'message', LONGEST_THROWN);
}

/** What a scenario threw, as an error that can be looked at without throwing again. */
export function asError(thrown: unknown): Error {
  try {
    if (thrown instanceof Error && typeof thrown.message === 'string') return thrown;
  } catch {
    // A proxy, or a getter.
  }
  // Its stack would show where this is, and not where it was thrown.
  return Object.assign(new Error(describeThrown(thrown)), { stack: '' });
}

/** The stack of an error, for the place where it was thrown; of anything else what `describeThrown` gives. */
export function stackOf(thrown: unknown): string {
  return textOf(thrown, 'stack', 8 * LONGEST_THROWN);
}

function textOf(thrown: unknown, field: 'message' | 'stack', longest: number): string {
  let text: string;
  try {
    const isError = thrown instanceof Error;
    text = isError ? String(thrown[field] || thrown.message || thrown.name) : String(thrown);
  } catch {
    text = typeof thrown === 'object' ? 'an object that cannot be shown' : `a ${typeof thrown} that cannot be shown`;
  }
  return text.length <= longest ? text : `${text.slice(0, longest)}...`;
}

/** `text` without the given values and without passwords in URLs. */
export function redact(text: string, secrets: readonly string[]): string {
  let redacted = text;
  for (const secret of secrets.toSorted((left, right) => right.length - left.length)) {
    if (secret.length >= 4) redacted = redacted.replaceAll(secret, '[redacted]');
  }
  return redacted.replace(/(\w+:\/\/[^\s:/@]*):[^\s@/]+@/g, '$1:[redacted]@');
}
