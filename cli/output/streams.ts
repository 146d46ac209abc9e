import { describeProblem, TierbenchError } from '../../harness/core/errors.ts';
import { describeObstacle } from '../../reports/describe/notes.ts';
import { withOption } from '../remedy-options.ts';

/** Where a command writes. Results go to `out`; progress, notes and errors to `err`, so that `--json | jq` works. */
export interface Output {
  out(text: string): void;
  err(text: string): void;
  readonly errIsTerminal: boolean;
  readonly color: boolean;
  /** Columns of each; without a terminal standard error has no end of the line. */
  readonly width: number;
  readonly errWidth: number;
}

export const processOutput: Output = {
  out: (text) => process.stdout.write(`${text}\n`),
  err: (text) => process.stderr.write(`${text}\n`),
  errIsTerminal: process.stderr.isTTY === true,
  color: process.stdout.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb',
  width: process.stdout.columns ?? 100,
  errWidth: process.stderr.columns ?? Number.POSITIVE_INFINITY,
};

/** A user's mistake without a stack trace; anything else is a defect of tierbench, and then the trace is what helps. */
export function printError(error: unknown, output: Output): void {
  if (!(error instanceof TierbenchError)) {
    const trace = error instanceof Error ? (error.stack ?? error.message) : String(error);
    output.err(`error INTERNAL: this is a defect of tierbench; please report it with these lines:\n${trace}`);
    return;
  }
  output.err(`error ${error.code}: ${error.message}`);
  for (const problem of error.problems) {
    const why = problem.obstacle === undefined ? '' : `: ${describeObstacle(problem.obstacle)}`;
    output.err(`  ${describeProblem(problem)}${why}`);
  }
  output.err(`next: ${withOption(error.nextStep, error.remedy)}`);
}
