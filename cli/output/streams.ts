import { describeProblem, stackOf, TierbenchError } from '../../harness/core/errors.ts';
import { describeObstacle } from '../../reports/describe/notes.ts';
import { forTerminal } from '../../reports/text.ts';
import { withOption } from '../remedy-options.ts';

/** What a script learns from the exit code. */
export const exitCodes = {
  /** The targets are met, or the command has no verdict to give and did what it was asked. */
  met: 0,
  /** The command could not run, or was interrupted. */
  couldNotRun: 1,
  /** A target was missed. */
  missed: 2,
  /** The measurement does not decide. */
  inconclusive: 3,
} as const;

/**
 * Where a command writes. Results go to `out`; progress, notes and errors to `err`, so that `--json | jq` works. Both show
 * control characters instead of sending them, whoever wrote the text, and neither ever throws.
 */
export interface Output {
  out(text: string): void;
  err(text: string): void;
  /** The last line of a terminal, until something else is written; empty: no such line. */
  live(line: string): void;
  readonly errIsTerminal: boolean;
  /** Columns of each; without a terminal standard error has no end of the line. */
  readonly width: number;
  readonly errWidth: number;
}

/** The part of a stream that is used here. */
export interface OutputStream {
  write(text: string): unknown;
  on(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

const CLEAR_LINE = '\r\u001b[2K';
/** Of a terminal that does not say how wide it is, or says 0. */
const USUAL_COLUMNS = 80;
/** Whoever reads has read enough (`| head`), or its terminal is gone. What was begun is brought to its end all the same. */
const goneCodes = new Set(['EPIPE', 'EIO', 'ERR_STREAM_DESTROYED']);

/** `lost`: is called once, when standard output cannot be written for another reason, such as a full disk. */
export function outputOn(
  stdout: OutputStream,
  stderr: OutputStream,
  environment: Readonly<Record<string, string | undefined>>,
  lost: (output: Output, error: Error) => void,
): Output {
  const colored = ({ isTTY }: OutputStream) => isTTY === true && !environment.NO_COLOR && environment.TERM !== 'dumb';
  const [outColored, errColored] = [colored(stdout), colored(stderr)];
  let live = false;
  const clear = () => {
    if (live) stderr.write(CLEAR_LINE);
    live = false;
  };
  const output: Output = {
    out(text) {
      clear();
      stdout.write(`${forTerminal(text, outColored)}\n`);
    },
    err(text) {
      clear();
      stderr.write(`${forTerminal(text, errColored)}\n`);
    },
    live(line) {
      clear();
      if (line === '' || stderr.isTTY !== true) return;
      stderr.write(forTerminal(line, errColored));
      live = true;
    },
    errIsTerminal: stderr.isTTY === true,
    // Read each time: a window may be resized.
    get width() {
      return stdout.columns || (stdout.isTTY === true ? USUAL_COLUMNS : 100);
    },
    get errWidth() {
      return stderr.isTTY === true ? stderr.columns || USUAL_COLUMNS : Number.POSITIVE_INFINITY;
    },
  };
  let isLost = false;
  stdout.on('error', (error) => {
    if (!isLost && !goneCodes.has(error.code ?? '')) lost(output, error);
    isLost = true;
  });
  stderr.on('error', () => undefined);
  return output;
}

export const processOutput: Output = outputOn(process.stdout, process.stderr, process.env, (output, error) => {
  const nextStep = 'Free space, or send standard output elsewhere. The results folder is not affected.';
  printError(new TierbenchError('CANNOT_WRITE', `standard output is lost: ${error.message}`, nextStep), output);
  process.on('exit', (code) => {
    if (code === 0) process.exitCode = 1;
  });
});

/** A user's mistake without a stack trace; anything else is a defect of tierbench, and then the trace is what helps. */
export function printError(error: unknown, output: Output): void {
  if (!(error instanceof TierbenchError)) {
    output.err(`error INTERNAL: this is a defect of tierbench; please report it with these lines:\n${stackOf(error)}`);
    return;
  }
  output.err(`error ${error.code}: ${error.message}`);
  for (const problem of error.problems) {
    const why = problem.obstacle === undefined ? '' : `: ${describeObstacle(problem.obstacle)}`;
    output.err(`  ${describeProblem(problem)}${why}`);
  }
  output.err(`next: ${withOption(error.nextStep, error.remedy)}`);
}
