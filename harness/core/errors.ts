/** One thing that is wrong with an input, told so that a person can mend it. */
export interface Problem {
  /** What happened, with the value: `arrivalRatePerS must be above 0, but is -3`. */
  readonly what: string;
  /** The next step to take. */
  readonly nextStep?: string;
  /** Where it stands, if it stands in a file. Lines and columns count from 1. */
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
}

/**
 * An error a user can act on. `code` is stable (upper snake case) and documented in docs/errors.md.
 * The command line prints it without a stack trace; anything else that is thrown is a defect of tierbench.
 */
export class TierbenchError extends Error {
  override readonly name = 'TierbenchError';
  readonly code: string;
  readonly nextStep: string;
  readonly problems: readonly Problem[];

  constructor(
    code: string,
    what: string,
    nextStep: string,
    options: { problems?: readonly Problem[]; cause?: unknown } = {},
  ) {
    super(what, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.nextStep = nextStep;
    this.problems = options.problems ?? [];
  }
}

export function describeProblem(problem: Problem): string {
  const place = [problem.file, problem.line, problem.column].filter((part) => part !== undefined).join(':');
  return [place, problem.what, problem.nextStep]
    .filter((part) => part !== undefined && part !== '')
    .join(place === '' ? '; ' : ': ');
}
