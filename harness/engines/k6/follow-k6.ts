import { closeSync, openSync, readSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { TierbenchError } from '../../core/errors.ts';
import type { GeneratorHealth, Interval, Trial, TrialPlan } from '../../core/trial.ts';
import { monotonicS } from '../../machine/clock.ts';
import { thisSystem } from '../../operating-system/this-system.ts';
import { watchGenerator } from '../shared/generator-health.ts';
import { createK6Accounts } from './k6-accounts.ts';
import { createDroppedReader, createEventReader } from './k6-events.ts';
import type { K6Load } from './k6-load.ts';
import type { K6Process, K6Program } from './k6-program.ts';

/** The names are those in the folder. */
export interface K6Files {
  readonly folder: string;
  readonly script: string;
  readonly users: string;
  /** Certificate authorities that are trusted besides those of the system's folder. */
  readonly authorities?: string;
}

export interface K6Task {
  readonly plan: TrialPlan;
  readonly load: K6Load;
  readonly virtualUsers: number;
  /** What may pass before it offers load, on top of its own start. */
  readonly longestBeginningS: number;
  /** What may pass until it ends, after its load or when it was asked to. */
  readonly longestEndS: number;
}

const SAVE_INTERVAL_MS = 200;
/** k6 reports what it dropped once per save interval. After this time all that was reported was read. */
/**
 * So many take k6 some 150 MB. With more in use between two garbage collections it collects less often, and sends a fifth
 * more; with many more users that would take gigabytes.
 */
const MOST_USERS_IN_SPARE_MEMORY = 200;
const COMPLETE_AFTER_MS = 1000;
const LOOK_MS = 200;
/** After it was asked to stop: more than what they hold back takes, unless one waits for an answer. */
const LONGEST_REPORT_MS = 1000;
/** Until its virtual users are there, and the load begins. */
const LONGEST_START_S = 60;
/** The console of the script, in the folder of k6. */
const EVENTS_FILE = 'events.txt';
const CLOCK_WAS_SET_MS = 50;
const LINES_KEPT = 5;
const LONGEST_LINE = 300;

/** Runs a script of `k6Script` and makes a trial of what k6 reports. k6 has ended when this settles. */
export async function followK6(
  program: K6Program,
  { folder, script, users, authorities }: K6Files,
  { plan, load, virtualUsers, longestBeginningS, longestEndS }: K6Task,
  signal: AbortSignal,
  onInterval: (interval: Interval) => void,
): Promise<Omit<Trial, 'repeatWith'>> {
  const accounts = createK6Accounts(plan, load.nextScheduledS, load.startsLate);
  const log = createLog();
  const scriptPath = join(folder, script);
  let problem: unknown;
  let reported: TierbenchError | undefined;
  let stoppedMs: number | undefined;
  let isAsked = false;
  let k6ProcessId: number | undefined;
  let k6Cpus = 1;
  const busy: { atMs: number; busyS: number }[] = [];
  let watch: ReturnType<typeof watchGenerator> | undefined;
  let ownHealth: Omit<GeneratorHealth, 'sendLagP99S'> | undefined;
  /** The clock of the machine in full resolution, which may be set meanwhile: then as if it were not. */
  const clockMs = Date.now() - performance.now();
  const nowMs = (): number => clockMs + performance.now();
  let limitMs = nowMs() + (LONGEST_START_S + longestBeginningS) * 1000;
  let hasLimitOfLoad = false;

  const eventsFile = join(folder, EVENTS_FILE);
  const isOpen = plan.load.model === 'open';
  const k6 = program.start(argumentsFor(scriptPath, eventsFile, isOpen), {
    cwd: folder,
    env: {
      USERS: join(folder, users),
      ...(authorities !== undefined && { SSL_CERT_FILE: join(folder, authorities) }),
      EVENTS: '1',
      K6_CSV_TIME_FORMAT: 'unix_nano',
      K6_CSV_SAVE_INTERVAL: `${SAVE_INTERVAL_MS}ms`,
      ...(virtualUsers <= MOST_USERS_IN_SPARE_MEMORY && { GOGC: '400' }),
      // HTTP/1.1 alone, as on the other engines.
      GODEBUG: 'http2client=0',
    },
  });
  const ended = endOf(k6);

  function fail(error: unknown): void {
    problem ??= error;
    k6.kill('SIGKILL');
  }
  function onAbort(): void {
    stoppedMs = nowMs();
    accounts.stopAt(stoppedMs);
    limitMs = stoppedMs + longestEndS * 1000;
    hasLimitOfLoad = true;
  }
  /** k6 interrupts all at once, and what its virtual users hold back would be lost: those who can report it first. */
  function askToEnd(atMs: number): void {
    if (isAsked || stoppedMs === undefined) return;
    isAsked = accounts.knowsUntil(stoppedMs) || atMs > stoppedMs + LONGEST_REPORT_MS;
    if (isAsked) k6.kill('SIGINT');
  }
  const events = createEventReader((event) => {
    if (event.kind === 'error') reported ??= event.error;
    else if (event.kind === 'text') log.add(`${event.text}\n`);
    else accounts.add(event);
  });
  const dropped = createDroppedReader((event) => {
    // Of k6 by the clock of the machine alone. A few milliseconds are its resolution; more, and it was set meanwhile.
    const setByMs = Date.now() - nowMs();
    accounts.addDropped(Math.abs(setByMs) < CLOCK_WAS_SET_MS ? event : { ...event, wallMs: event.wallMs - setByMs });
  });
  const console = tailOf(eventsFile);
  k6.stdout.setEncoding('latin1').on('data', (text: string) => {
    try {
      if (problem === undefined) dropped.read(text);
    } catch (error) {
      fail(error);
    }
  });
  k6.stderr.setEncoding('utf8').on('data', log.add);

  function look(): void {
    try {
      const atMs = nowMs();
      console.read(events.read);
      askToEnd(atMs);
      for (const interval of accounts.advance(atMs - COMPLETE_AFTER_MS)) onInterval(interval);
      const windowStartMs = accounts.windowStartMs();
      if (windowStartMs !== undefined) followWindow(atMs, windowStartMs);
      if (atMs > limitMs) {
        if (stoppedMs === undefined) problem ??= didNotEnd(windowStartMs !== undefined, longestEndS, log.lines());
        k6.kill('SIGKILL');
      }
    } catch (error) {
      fail(error);
    }
  }
  function followWindow(atMs: number, windowStartMs: number): void {
    if (!hasLimitOfLoad) {
      hasLimitOfLoad = true;
      limitMs = windowStartMs + (load.executorS - plan.warmUpS + longestEndS) * 1000;
    }
    const isInside = atMs >= windowStartMs && atMs < windowStartMs + plan.durationS * 1000;
    if (isInside) watch ??= watchGenerator();
    else if (watch !== undefined) ownHealth ??= watch.stop();
    if (isInside || busy.length === 0) void noteCpu();
  }
  async function noteCpu(): Promise<void> {
    k6ProcessId ??= await thisSystem.processWithArgument(scriptPath);
    const busyS = k6ProcessId === undefined ? undefined : await thisSystem.busyS(k6ProcessId);
    if (k6ProcessId === undefined || busyS === undefined) return;
    k6Cpus = thisSystem.allowedCpus(k6ProcessId).length || availableParallelism();
    busy.push({ atMs: nowMs(), busyS });
  }

  const looking = setInterval(look, LOOK_MS);
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort);
  const end = await ended.finally(() => {
    clearInterval(looking);
    signal.removeEventListener('abort', onAbort);
    if (problem === undefined) console.read(events.read);
    console.close();
  });
  ownHealth ??= watch?.stop();

  if (reported !== undefined) throw reported;
  if (problem !== undefined) throw problem;
  const windowStartMs = accounts.windowStartMs();
  if (stoppedMs === undefined) checkEnd(end, log.lines(), windowStartMs !== undefined);
  const { sendLagP99S, ...account } = accounts.close();
  const last = accounts.advance(Number.POSITIVE_INFINITY);
  for (const interval of last) onInterval(interval);
  return {
    engine: 'k6',
    plan,
    startedAt: new Date(windowStartMs ?? nowMs()).toISOString(),
    startedAtMonotonicS: monotonicS() - (windowStartMs === undefined ? 0 : (nowMs() - windowStartMs) / 1000),
    ...account,
    generator: {
      utilizationRatio: Math.max(ownHealth?.utilizationRatio ?? 0, busyRatio(busy, k6Cpus)),
      eventLoopLagP99S: null,
      sendLagP99S,
    },
  };
}

function argumentsFor(script: string, eventsFile: string, isOpen: boolean): readonly string[] {
  return [
    'run',
    '--quiet',
    '--no-color',
    // It would keep every latency in memory.
    ...['--summary-mode', 'disabled', '--no-thresholds'],
    // Only k6 knows which iterations were dropped, and when. It then writes all that it measures, which takes it time.
    ...(isOpen ? ['--out', 'csv=-'] : []),
    // A file, because a reader that is woken by every line would take the CPU of k6.
    ...['--console-output', eventsFile],
    ...['--log-output', 'stderr', '--log-format', 'raw'],
    // No server to control it.
    ...['--address', ''],
    script,
  ];
}

interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** It could not be started. */
  readonly error?: Error;
}

/** Once it has ended and all it wrote was read. */
function endOf(k6: K6Process): Promise<End> {
  return new Promise((resolve) => {
    let error: Error | undefined;
    k6.on('error', (thrown) => {
      error = thrown;
      // One that was never started does not close.
      if (k6.pid === undefined) resolve({ code: null, signal: null, error: thrown });
    });
    k6.on('close', (code, signal) => resolve({ code, signal, ...(error !== undefined && { error }) }));
  });
}

function checkEnd({ code, signal, error }: End, lastWords: string, hasBegun: boolean): void {
  const said = lastWords === '' ? 'It said nothing.' : `Its last words: ${lastWords}`;
  if (error !== undefined || signal !== null || code !== 0) {
    const how =
      signal !== null
        ? `was ended by ${signal}`
        : error !== undefined
          ? `could not be run: ${error.message}`
          : `ended with exit code ${code}`;
    throw failed(`k6 ${how} before the trial was over. ${said}`);
  }
  if (!hasBegun) throw failed(`k6 ended without having made any load. ${said}`);
}

function didNotEnd(hasBegun: boolean, longestEndS: number, lastWords: string): TierbenchError {
  const what = hasBegun ? `did not end within ${longestEndS} s of its load` : 'did not begin its load in time';
  return failed(`k6 ${what} and was killed. ${lastWords === '' ? 'It said nothing.' : `Its last words: ${lastWords}`}`);
}

function failed(what: string): TierbenchError {
  return new TierbenchError(
    'K6_FAILED',
    what,
    'Run the script of the trial by hand to see more: it is in the results folder, and says how at its top.',
  );
}

/** Of all CPUs it may use. */
function busyRatio(busy: readonly { atMs: number; busyS: number }[], cpus: number): number {
  const [first, last] = [busy[0], busy.at(-1)];
  if (first === undefined || last === undefined || last.atMs <= first.atMs) return 0;
  return Math.min(1, (1000 * (last.busyS - first.busyS)) / (last.atMs - first.atMs) / cpus);
}

/** The whole lines that are new in a file that somebody else appends to, once it is there. */
function tailOf(file: string): { read(onLines: (lines: string) => void): void; close(): void } {
  const buffer = Buffer.allocUnsafe(1 << 20);
  let descriptor: number | undefined;
  let position = 0;
  return {
    read(onLines) {
      descriptor ??= openIfThere(file);
      if (descriptor === undefined) return;
      for (;;) {
        const length = readSync(descriptor, buffer, 0, buffer.length, position);
        const end = buffer.lastIndexOf(10, length - 1);
        if (length === 0 || end < 0) return;
        position += end + 1;
        onLines(buffer.toString('utf8', 0, end));
      }
    },
    close() {
      if (descriptor !== undefined) closeSync(descriptor);
      descriptor = undefined;
    },
  };
}

function openIfThere(file: string): number | undefined {
  try {
    return openSync(file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The last lines that k6 wrote for a person. */
function createLog(): { readonly add: (text: string) => void; lines(): string } {
  const lines: string[] = [];
  let rest = '';
  return {
    add(text) {
      const whole = `${rest}${text}`.split('\n');
      rest = (whole.pop() ?? '').slice(0, LONGEST_LINE);
      for (const line of whole) {
        // k6 says no more of a request without an answer, and says it of each.
        if (line.trim() === '' || line === 'Request Failed') continue;
        lines.push(line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}...` : line);
        if (lines.length > LINES_KEPT) lines.shift();
      }
    },
    lines: () => (rest === '' ? lines : [...lines, rest]).join(' | '),
  };
}
