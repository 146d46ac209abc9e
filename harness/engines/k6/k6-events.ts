import { isErrorCode } from '../../core/error-codes.ts';
import { describeThrown, TierbenchError } from '../../core/errors.ts';
import { type GeneratorResource, type RequestOutcome, requestOutcomes } from '../../core/trial.ts';
import type { EndedRequest } from '../shared/classify-response.ts';
import type { NextAction } from '../shared/scenario-runner.ts';
import type { Observer } from './virtual-user-in-k6.ts';

/**
 * What the script of a trial reports, on its console: it writes in k6, and tierbench reads. This costs k6 a fraction of what
 * a sample of a metric costs, and lines that were written are not lost when k6 interrupts a virtual user. Times are
 * milliseconds by the clock of the test run, unless they say otherwise.
 */
export type K6Event =
  /** The scenario of k6 began then. */
  | { readonly kind: 'origin'; readonly runMs: number }
  /** An iteration began. */
  | { readonly kind: 'iteration'; readonly vu: number; readonly runMs: number }
  /** It goes on with a request after a think time, which was over then. */
  | { readonly kind: 'request'; readonly vu: number; readonly runMs: number }
  /** A request ended: so long after it was scheduled, as far as k6 knows, and so long after it was sent. */
  | {
      readonly kind: 'ended';
      readonly vu: number;
      readonly runMs: number;
      readonly latencyMs: number;
      readonly serviceTimeMs: number;
      /** Of the body of the answer. */
      readonly bodyBytes: number;
      readonly how: EndedInK6;
    }
  /** An iteration ended, without a request at its end. */
  | { readonly kind: 'done'; readonly vu: number; readonly runMs: number; readonly failed: boolean }
  /** All that a virtual user did up to then was reported. */
  | ReportedInK6
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

export interface ReportedInK6 {
  readonly kind: 'reported';
  readonly vu: number;
  readonly runMs: number;
  /** The same moment by the clock of the machine, whole milliseconds. */
  readonly wallMs: number;
  /** It may do more before it reports again; else it waits for an answer, thinks or has nothing to do. */
  readonly holdsBack: boolean;
}

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

/** What begins a record, besides the number of a way to end, which counts from the next one. The time comes after it. */
const ITERATION = 0;
const REQUEST = 1;
const DONE = 2;
const FAILED = 3;
const FIRST_WAY = 4;

/** A line takes k6 about as long as a request. */
const REPORT_INTERVAL_MS = 250;
/** Numbers; each virtual user of k6 has its own. */
const CAPACITY = 512;
const LONGEST_RECORD = 5;

/** What a writer needs of k6. */
export interface Console {
  write(lines: string): void;
  base64(bytes: ArrayBuffer): string;
}

/**
 * Writes what a virtual user does, as records of numbers: texts of numbers and of lines are made and joined slowly in k6.
 * Those that wait for long report before they do, and those that are answered soon every 250 ms.
 */
export function eventWriter({ write, base64 }: Console, vu: number, originMs: number, nowMs: () => number): Observer {
  /** Number of each way to end that was written once. */
  const ways = new Map<string, number>();
  const failures = new Set<string>();
  const records = new Float64Array(CAPACITY);
  let used = 0;
  let lines = `${MARK}o ${originMs}\n`;
  let holdsBack = false;
  let reportedMs = Number.NEGATIVE_INFINITY;
  /** The last answer came soon, so the next one probably will. */
  let isQuick = true;

  function add(code: number, atMs: number): void {
    records[used] = code;
    records[used + 1] = atMs;
    used += 2;
  }

  function wayOf(follows: EndedInK6['follows'], outcome: RequestOutcome, status: number, step: string): number {
    const way = `${follows} ${outcome} ${status} ${step}`;
    const known = ways.get(way);
    if (known !== undefined) return known;
    const number = FIRST_WAY + ways.size;
    ways.set(way, number);
    lines += `${MARK}w ${vu} ${number} ${follows} ${outcome} ${status} ${encodeURIComponent(step)}\n`;
    return number;
  }

  function report(): void {
    // In this order: what is read last is not too early.
    const wallMs = Date.now();
    reportedMs = nowMs();
    const bytes = base64(records.buffer.slice(0, used * records.BYTES_PER_ELEMENT));
    write(`${lines}${MARK}b ${vu} ${reportedMs} ${wallMs} ${holdsBack ? 1 : 0} ${bytes}`);
    lines = '';
    used = 0;
  }

  return {
    iterationStarted: (atMs) => add(ITERATION, atMs),
    requestScheduled: (atMs) => add(REQUEST, atMs),
    requestEnded(ended, next, scheduledMs, sentMs, endedMs) {
      const { outcome, status, bodyBytes, step } = ended;
      records[used] = wayOf(followsOf(next), outcome, status, step);
      records[used + 1] = endedMs;
      records[used + 2] = scheduledMs;
      records[used + 3] = sentMs;
      records[used + 4] = bodyBytes;
      used += LONGEST_RECORD;
      isQuick = endedMs - sentMs < REPORT_INTERVAL_MS;
      if (outcome !== 'ok') noteFailure(ended);
    },
    iterationEnded: (atMs, failed) => add(failed ? FAILED : DONE, atMs),
    waits(sinceMs, isForAnswer) {
      const willHold = isForAnswer && isQuick;
      const isTime = sinceMs - reportedMs >= REPORT_INTERVAL_MS || used > CAPACITY - 3 * LONGEST_RECORD;
      if (holdsBack === willHold && !isTime && (willHold || used === 0)) return;
      holdsBack = willHold;
      report();
    },
  };

  function noteFailure({ outcome, step, resource, describe }: EndedRequest): void {
    const failure = `${outcome} ${step}`;
    if (failures.has(failure)) return;
    failures.add(failure);
    lines += `${MARK}f ${JSON.stringify({ step, outcome, message: describe(), resource })}\n`;
  }
}

export function writeError(write: (lines: string) => void, error: unknown): void {
  if (!(error instanceof TierbenchError)) {
    write(describeThrown(error));
    return;
  }
  const { code, message, nextStep } = error;
  write(`${MARK}x ${JSON.stringify({ code, message, nextStep })}`);
}

function followsOf(next: NextAction): EndedInK6['follows'] {
  if (next.kind !== 'done') return next.kind;
  return next.failed ? 'failed' : 'done';
}

/** Reads what `eventWriter` wrote, in order, in whole lines. @throws TierbenchError K6_FAILED when that is damaged */
export function createEventReader(onEvent: (event: K6Event) => void): { read(lines: string): void } {
  const ways = new Map<number, readonly EndedInK6[]>();

  function readLine(line: string): void {
    const [kind = '', ...fields] = line.slice(1).split(' ');
    if (kind === 'f') onEvent({ kind: 'failure', ...JSON.parse(line.slice(3)) });
    else if (kind === 'x') onEvent(errorIn(JSON.parse(line.slice(3))));
    else if (kind === 'o') onEvent({ kind: 'origin', runMs: Number(fields[0]) });
    else if (kind === 'w') {
      const [vu = Number.NaN, number] = fields.map(Number);
      const known = ways.get(vu) ?? [];
      if (number !== FIRST_WAY + known.length) damaged(line);
      ways.set(vu, [...known, wayIn(fields.slice(1)) ?? damaged(line)]);
    } else if (kind === 'b') {
      const [vu = Number.NaN, runMs = Number.NaN, wallMs = Number.NaN, holds] = fields.slice(0, 4).map(Number);
      readRecords(vu, numbersIn(fields[4] ?? damaged(line)), line);
      onEvent({ kind: 'reported', vu, runMs, wallMs, holdsBack: holds === 1 });
    } else damaged(line);
  }

  function readRecords(vu: number, records: Float64Array, line: string): void {
    const known = ways.get(vu) ?? [];
    for (let at = 0; at < records.length; ) {
      const [code = Number.NaN, runMs = Number.NaN, scheduledMs = 0, sentMs = 0, bodyBytes = 0] = records.subarray(
        at,
        at + LONGEST_RECORD,
      );
      at += code < FIRST_WAY ? 2 : LONGEST_RECORD;
      if (Number.isNaN(runMs)) damaged(line);
      if (code === ITERATION) onEvent({ kind: 'iteration', vu, runMs });
      else if (code === REQUEST) onEvent({ kind: 'request', vu, runMs });
      else if (code === DONE || code === FAILED) onEvent({ kind: 'done', vu, runMs, failed: code === FAILED });
      else {
        const how = known[code - FIRST_WAY];
        if (how === undefined || at > records.length) damaged(line);
        const times = { latencyMs: runMs - scheduledMs, serviceTimeMs: runMs - sentMs };
        onEvent({ kind: 'ended', vu, runMs, ...times, bodyBytes, how });
      }
    }
  }

  return {
    read(lines) {
      for (const line of lines.split('\n')) {
        if (line.startsWith(MARK)) readLine(line);
        else onEvent({ kind: 'text', text: line });
      }
    },
  };
}

function numbersIn(base64: string): Float64Array {
  const bytes = Buffer.from(base64, 'base64');
  const length = Math.floor(bytes.length / Float64Array.BYTES_PER_ELEMENT);
  const numbers = new Float64Array(length);
  for (let index = 0; index < length; index += 1) numbers[index] = bytes.readDoubleLE(index * 8);
  return numbers;
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
