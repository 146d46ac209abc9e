import { isErrorCode } from '../../core/error-codes.ts';
import { TierbenchError } from '../../core/errors.ts';
import type { RequestOutcome } from '../../core/trial.ts';
import { ERROR_LINE, FAILURE_LINE } from './drive-in-k6.ts';

/** What k6 says beside its measurements: lines of the script for tierbench, and words for a person. */
export interface K6Words {
  hear(text: string): void;
  end(): void;
  /** What the script ended the test with. */
  error(): TierbenchError | undefined;
  /** What the script reported of the first request of a step that ended so. */
  failure(kind: { readonly step: string; readonly outcome: RequestOutcome }): string;
  /** The last lines for a person, as one. */
  last(): string;
}

const LINES_KEPT = 5;
const LONGEST_LINE = 300;
/** k6 says so of every request without an answer, and no more. */
const OF_EVERY_REQUEST = 'Request Failed';

export function createK6Words(): K6Words {
  const failures = new Map<string, string>();
  const lines: string[] = [];
  let rest = '';
  let error: TierbenchError | undefined;

  function hearLine(line: string): void {
    if (line.startsWith(ERROR_LINE)) error ??= errorIn(line.slice(ERROR_LINE.length));
    else if (line.startsWith(FAILURE_LINE)) hearFailure(line.slice(FAILURE_LINE.length));
    else if (line.trim() !== '' && line !== OF_EVERY_REQUEST) {
      lines.push(line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}...` : line);
      if (lines.length > LINES_KEPT) lines.shift();
    }
  }

  function hearFailure(json: string): void {
    const { step, outcome, message } = fieldsIn(json);
    const key = `${outcome} ${step}`;
    if (message !== undefined && !failures.has(key)) failures.set(key, message);
  }

  return {
    hear(text) {
      const [last = '', ...before] = `${rest}${text}`.split('\n').reverse();
      rest = last;
      for (const line of before.reverse()) hearLine(line);
    },
    end() {
      hearLine(rest);
      rest = '';
    },
    error: () => error,
    failure: ({ step, outcome }) => failures.get(`${outcome} ${step}`) ?? 'k6 reported no more of it',
    last: () => lines.join(' | '),
  };
}

function errorIn(json: string): TierbenchError | undefined {
  const { code, message, nextStep } = fieldsIn(json);
  return code === undefined || !isErrorCode(code) ? undefined : new TierbenchError(code, message ?? '', nextStep ?? '');
}

/** A line may be cut short where k6 was killed. */
function fieldsIn(json: string): Readonly<Record<string, string | undefined>> {
  try {
    return JSON.parse(json);
  } catch {
    return {};
  }
}
