import { isErrorCode } from '../../core/error-codes.ts';
import { describeThrown, TierbenchError } from '../../core/errors.ts';
import { type GeneratorResource, type RequestOutcome, requestOutcomes } from '../../core/trial.ts';
import type { NextAction } from '../shared/scenario-runner.ts';
import type { Observer } from './virtual-user-in-k6.ts';

/**
 * What the script of a trial reports, as lines on its console: it writes them in k6, and tierbench reads them. One line for
 * each request costs k6 a fraction of what a sample of a metric costs, and what a virtual user did before k6 interrupts it
 * is not lost. Times are milliseconds by the clock of the test run, unless they say otherwise; in lines whole microseconds.
 */
export type K6Event =
  /** The scenario of k6 began then. */
  | { readonly kind: 'origin'; readonly runMs: number }
  /** An iteration began. `wallMs` by the clock of the machine, whole milliseconds. */
  | { readonly kind: 'iteration'; readonly vu: number; readonly runMs: number; readonly wallMs: number }
  /** It goes on with a request after a think time, which was over then. */
  | { readonly kind: 'request'; readonly vu: number; readonly runMs: number }
  /** A request ended: so long after it was scheduled, as far as k6 knows, and so long after it was sent. */
  | {
      readonly kind: 'ended';
      readonly vu: number;
      readonly runMs: number;
      readonly latencyMs: number;
      readonly serviceTimeMs: number;
      readonly how: EndedInK6;
    }
  /** An iteration ended, without a request at its end. */
  | { readonly kind: 'done'; readonly vu: number; readonly runMs: number; readonly failed: boolean }
  /** The first request of a step that ended so, of this virtual user. */
  | {
      readonly kind: 'failure';
      readonly step: string;
      readonly outcome: RequestOutcome;
      readonly message: string;
      /** Of `generator-limit`: what ran out. */
      readonly resource?: GeneratorResource;
    }
  /** The script ended the test with this. */
  | { readonly kind: 'error'; readonly error: TierbenchError }
  /** Something else was written, by the scenario itself. */
  | { readonly kind: 'text'; readonly text: string };

/** How a request ended, and what comes next: a request at once, a think time, or the end of the iteration. */
export interface EndedInK6 {
  readonly step: string;
  readonly outcome: RequestOutcome;
  readonly status: number;
  readonly follows: (typeof whatFollows)[number];
}

const whatFollows = ['send', 'think', 'done', 'failed'] as const;

/** Each line begins with it: what a scenario writes does not. */
const MARK = '\u0002';

/** Writes what a virtual user does. Lines are kept until it waits, because each call of the console takes k6 some time. */
export function eventWriter(write: (lines: string) => void, vu: number, originMs: number): Observer {
  /** Number of each way to end that was written once. */
  const ways = new Map<string, number>();
  const failures = new Set<string>();
  let lines = `${MARK}o ${inUs(originMs)}`;

  function wayOf(follows: EndedInK6['follows'], outcome: RequestOutcome, status: number, step: string): number {
    const way = `${follows} ${outcome} ${status} ${step}`;
    const known = ways.get(way);
    if (known !== undefined) return known;
    const number = ways.size;
    ways.set(way, number);
    lines += `\n${MARK}w ${vu} ${number} ${follows} ${outcome} ${status} ${encodeURIComponent(step)}`;
    return number;
  }

  return {
    iterationStarted(atMs) {
      lines += `\n${MARK}i ${vu} ${inUs(atMs)} ${Date.now()}`;
    },
    requestScheduled(atMs) {
      lines += `\n${MARK}r ${vu} ${inUs(atMs)}`;
    },
    requestEnded(ended, next, scheduledMs, sentMs, endedMs) {
      const { outcome, status, step, resource } = ended;
      const way = wayOf(followsOf(next), outcome, status, step);
      lines += `\n${MARK}e ${vu} ${inUs(endedMs)} ${inUs(endedMs - scheduledMs)} ${inUs(endedMs - sentMs)} ${way}`;
      if (outcome === 'ok' || failures.has(`${outcome} ${step}`)) return;
      failures.add(`${outcome} ${step}`);
      lines += `\n${MARK}f ${JSON.stringify({ step, outcome, message: ended.describe(), resource })}`;
    },
    iterationEnded(atMs, failed) {
      lines += `\n${MARK}d ${vu} ${inUs(atMs)} ${failed ? 1 : 0}`;
    },
    waits() {
      if (lines === '') return;
      write(lines[0] === '\n' ? lines.slice(1) : lines);
      lines = '';
    },
  };
}

export function writeError(write: (lines: string) => void, error: unknown): void {
  if (!(error instanceof TierbenchError)) {
    write(describeThrown(error));
    return;
  }
  const { code, message, nextStep } = error;
  write(`${MARK}x ${JSON.stringify({ code, message, nextStep })}`);
}

const inUs = (milliseconds: number): number => Math.round(milliseconds * 1000);

function followsOf(next: NextAction): EndedInK6['follows'] {
  if (next.kind !== 'done') return next.kind;
  return next.failed ? 'failed' : 'done';
}

/** Reads what `eventWriter` wrote, in order, in whole lines. @throws TierbenchError K6_FAILED when that is damaged */
export function createEventReader(onEvent: (event: K6Event) => void): { read(lines: string): void } {
  const ways = new Map<string, EndedInK6>();

  function eventIn(line: string): K6Event | undefined {
    const fields = line.slice(1).split(' ');
    const [kind = '', vuField = '', ...rest] = fields;
    if (kind === 'f') return { kind: 'failure', ...JSON.parse(line.slice(3)) };
    if (kind === 'x') return errorIn(JSON.parse(line.slice(3)));
    if (kind === 'o') return { kind: 'origin', runMs: Number(vuField) / 1000 };
    const vu = Number(vuField);
    if (kind === 'w') {
      ways.set(`${vu} ${rest[0]}`, wayIn(rest) ?? damaged(line));
      return undefined;
    }
    const [first = Number.NaN, second = Number.NaN, third = Number.NaN] = rest.map(Number);
    const runMs = first / 1000;
    if (kind === 'i') return { kind: 'iteration', vu, runMs, wallMs: second };
    if (kind === 'r') return { kind: 'request', vu, runMs };
    if (kind === 'd') return { kind: 'done', vu, runMs, failed: second === 1 };
    const how = kind === 'e' ? ways.get(`${vu} ${rest[3]}`) : undefined;
    if (how === undefined) return damaged(line);
    return { kind: 'ended', vu, runMs, latencyMs: second / 1000, serviceTimeMs: third / 1000, how };
  }

  return {
    read(lines) {
      for (const line of lines.split('\n')) {
        const event: K6Event | undefined = line.startsWith(MARK) ? eventIn(line) : { kind: 'text', text: line };
        if (event !== undefined) onEvent(event);
      }
    },
  };
}

function wayIn([, followsWord, outcomeWord, statusWord, step = '']: readonly string[]): EndedInK6 | undefined {
  const follows = whatFollows.find((word) => word === followsWord);
  const outcome = requestOutcomes.find((word) => word === outcomeWord);
  if (follows === undefined || outcome === undefined) return undefined;
  return { follows, outcome, status: Number(statusWord), step: decodeURIComponent(step) };
}

function errorIn({ code, message, nextStep }: Readonly<Record<string, string>>): K6Event {
  if (code === undefined || !isErrorCode(code)) return { kind: 'text', text: String(message) };
  return { kind: 'error', error: new TierbenchError(code, message ?? '', nextStep ?? '') };
}

/** What k6 itself reports of an open load: iterations that were scheduled and never started, then. */
export interface DroppedInK6 {
  readonly count: number;
  /** By the clock of the machine. */
  readonly wallMs: number;
}

const CSV_HEADER = /^metric_name,timestamp,metric_value,/;
const DROPPED = /^dropped_iterations,(\d{10,13})(\d{6}),(\d+)/gm;
const LONGEST_LINE = 100_000;

/**
 * Finds iterations that were dropped in what k6 writes with `--out csv` and K6_CSV_TIME_FORMAT=unix_nano, in whatever pieces
 * it comes. @throws TierbenchError K6_FAILED when that is something else
 */
export function createDroppedReader(onDropped: (dropped: DroppedInK6) => void): { read(text: string): void } {
  let rest = '';
  let hasBegun = false;
  return {
    read(text) {
      const all = rest + text;
      const end = all.lastIndexOf('\n') + 1;
      rest = all.slice(end);
      if (rest.length > LONGEST_LINE || (end > 0 && !hasBegun && !CSV_HEADER.test(all))) damaged(all);
      hasBegun ||= end > 0;
      for (const [, milliseconds, nanoseconds, count] of all.slice(0, end).matchAll(DROPPED)) {
        onDropped({ wallMs: Number(milliseconds) + Number(nanoseconds) / 1e6, count: Number(count) });
      }
    },
  };
}

/** @throws TierbenchError K6_FAILED always */
function damaged(text: string): never {
  const shown = text.length > 200 ? `${text.slice(0, 200)}...` : text;
  throw new TierbenchError(
    'K6_FAILED',
    `k6 wrote ${JSON.stringify(shown)} where its measurements are read.`,
    'Check with `k6 version` that this is k6 as Grafana publishes it, and that nothing else writes to its output.',
  );
}
