import { TierbenchError } from '../../core/errors.ts';
import { type RequestOutcome, requestOutcomes } from '../../core/trial.ts';

/** What the script of a trial and k6 itself tell, of all that k6 measures. Times are milliseconds. */
export type K6Sample = K6Event & {
  /** By the clock of the machine. */
  readonly atMs: number;
};

export type K6Event =
  /** The scenario of k6 began then, by the clock of the test run. */
  | { readonly kind: 'origin'; readonly runMs: number }
  /** Was scheduled but never started. */
  | { readonly kind: 'dropped'; readonly count: number }
  /** Began then, by the clock of the test run. */
  | { readonly kind: 'iteration'; readonly vu: number; readonly runMs: number }
  /** Goes on with a request after a think time, which was over then. */
  | { readonly kind: 'request'; readonly vu: number; readonly runMs: number }
  | { readonly kind: 'service-time'; readonly vu: number; readonly durationMs: number }
  /** A request ended. Comes right after its service time. */
  | { readonly kind: 'latency'; readonly vu: number; readonly durationMs: number; readonly ended: EndedInK6 }
  /** An iteration ended, without a request at its end. */
  | { readonly kind: 'done'; readonly vu: number; readonly failed: boolean };

export interface EndedInK6 {
  readonly step: string;
  readonly outcome: RequestOutcome;
  readonly status: number;
  /** What comes next: a request at once, a think time, or the end of the iteration. */
  readonly follows: (typeof whatFollows)[number];
}

const whatFollows = ['send', 'think', 'done', 'failed'] as const;

/** The metrics of the script. Their tag `t` holds words: the virtual user, then what the kind of sample needs. */
export const k6Metrics = {
  origin: 'tierbench_origin',
  started: 'tierbench_started',
  serviceTime: 'tierbench_service_time',
  latency: 'tierbench_latency',
  done: 'tierbench_done',
} as const;

const HEADER = /^metric_name,timestamp,metric_value,/;
/** What k6 measures by itself. */
const OWN = /^(?:http_req|data_|iteration|vus|group_duration|checks)/;
const ROW = /^([a-z_]+),(\d{10,13})(\d{6}),(-?\d+\.\d+),(?:t=([^,&]*))?,$/;

/**
 * Reads what k6 writes with `--out csv` and K6_CSV_TIME_FORMAT=unix_nano, in whatever pieces it comes.
 * @throws TierbenchError K6_FAILED when that is something else
 */
export function createSampleReader(onSample: (sample: K6Sample) => void): { read(text: string): void; end(): void } {
  let rest = '';
  let hasBegun = false;

  function readLine(line: string): void {
    if (!hasBegun) {
      if (!HEADER.test(line)) throw notMeasured(line);
      hasBegun = true;
      return;
    }
    if (OWN.test(line)) return;
    const sample = sampleIn(line);
    if (sample === undefined) throw notMeasured(line);
    onSample(sample);
  }

  return {
    read(text) {
      const all = rest + text;
      let from = 0;
      for (let to = all.indexOf('\n'); to >= 0; to = all.indexOf('\n', from)) {
        readLine(all.slice(from, to));
        from = to + 1;
      }
      rest = all.slice(from);
      if (rest.length > LONGEST_LINE) throw notMeasured(rest);
    },
    end() {
      // Killed, it may have been in the middle of a line.
      rest = '';
    },
  };
}

const LONGEST_LINE = 100_000;

function sampleIn(line: string): K6Sample | undefined {
  const row = ROW.exec(line);
  if (row === null) return undefined;
  const [, metric = '', milliseconds = '', nanoseconds = '', number = '', words = ''] = row;
  const event = eventOf(metric, Number(number), words.split(' '));
  return event && { ...event, atMs: Number(milliseconds) + Number(nanoseconds) / 1e6 };
}

function eventOf(metric: string, value: number, words: readonly string[]): K6Event | undefined {
  if (metric === 'dropped_iterations') return { kind: 'dropped', count: value };
  if (metric === k6Metrics.origin) return { kind: 'origin', runMs: value };
  const vu = Number(words[0]);
  if (!Number.isInteger(vu) || vu < 1) return undefined;
  switch (metric) {
    case k6Metrics.started: {
      const kind = words[1];
      return kind === 'iteration' || kind === 'request' ? { kind, vu, runMs: value } : undefined;
    }
    case k6Metrics.serviceTime:
      return { kind: 'service-time', vu, durationMs: value };
    case k6Metrics.latency: {
      const ended = endedIn(words);
      return ended && { kind: 'latency', vu, durationMs: value, ended };
    }
    case k6Metrics.done:
      return { kind: 'done', vu, failed: value !== 0 };
    default:
      return undefined;
  }
}

function endedIn([, followsWord, outcomeWord, statusWord, stepWord]: readonly string[]): EndedInK6 | undefined {
  const follows = whatFollows.find((word) => word === followsWord);
  const outcome = requestOutcomes.find((word) => word === outcomeWord);
  const status = Number(statusWord);
  if (follows === undefined || outcome === undefined || !Number.isInteger(status) || !stepWord) return undefined;
  return { follows, outcome, status, step: decodeURIComponent(stepWord) };
}

function notMeasured(line: string): TierbenchError {
  const shown = line.length > 200 ? `${line.slice(0, 200)}...` : line;
  return new TierbenchError(
    'K6_FAILED',
    `k6 wrote ${JSON.stringify(shown)} where its measurements are read.`,
    'Check with `k6 version` that this is k6 as Grafana publishes it, and that nothing else writes to its output.',
  );
}
