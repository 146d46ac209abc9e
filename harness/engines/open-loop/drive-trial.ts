import type { GeneratorHealth, Interval, Trial } from '../../core/trial.ts';
import { LatencyHistogram } from '../../histograms/latency-histogram.ts';
import { createAccounting } from '../accounting.ts';
import type { TrialRequest } from '../engine.ts';
import { watchGenerator } from '../generator-health.ts';
import type { Answer } from '../scenario-response.ts';
import type { NextAction } from '../scenario-runner.ts';
import { type Arrivals, arrivalsOf } from './arrivals.ts';
import { Connection, type ConnectionSettings } from './connection.ts';
import { createRequestEncoder } from './encode-request.ts';
import { createFreeUsers } from './free-users.ts';
import { createIdleConnections } from './idle-connections.ts';
import { createMetronome, type Metronome } from './metronome.ts';
import { type VirtualUserState, virtualUser } from './virtual-user.ts';

export interface DriveSettings extends Omit<ConnectionSettings, 'readBuffer' | 'pausesAfterFailures'> {
  readonly mostConnections: number;
}

/** Signing in may be the dearest thing a system does: a hundred at once would time out before anything is measured. */
const BEGINS_AT_ONCE = 10;
/** When users take longer than this to begin, the others begin as a part of their first iteration. */
const LONGEST_BEGINNING_S = 10;
/** Closed load: all of them are needed, so they are waited for longer. */
const LONGEST_BEGINNING_PER_USER_S = 0.1;
const READ_BUFFER_BYTES = 64 * 1024;

/** Runs one trial on sockets, timers and the clock; what it decides is in the pure files beside it. */
export async function driveTrial(
  request: TrialRequest,
  settings: DriveSettings,
  signal: AbortSignal,
  onInterval: (interval: Interval) => void,
): Promise<Trial> {
  const { plan, scenario } = request;
  const { load } = plan;
  const isOpen = load.model === 'open';
  const timeoutMs = plan.timeoutS * 1000;
  const userCount = isOpen ? request.users.length : load.concurrency;
  const accounting = createAccounting(plan);
  const encode = createRequestEncoder(settings.baseUrl);
  const users: VirtualUserState[] = [];
  const freeUsers = createFreeUsers(userCount, scenario.begin === undefined);
  const connectionSettings: ConnectionSettings = {
    ...settings,
    pausesAfterFailures: !isOpen,
    readBuffer: Buffer.allocUnsafeSlow(READ_BUFFER_BYTES),
  };
  const connections = createIdleConnections(
    settings.mostConnections,
    () => new Connection<VirtualUserState>(connectionSettings, onAnswer),
  );
  const sendLag = LatencyHistogram.empty();
  const timers: NodeJS.Timeout[] = [];
  const { promise: over, resolve: resolveOver, reject: rejectOver } = Promise.withResolvers<void>();

  /** Null until everybody has begun: only then there is a window to count from. */
  let windowStartMs: number | null = null;
  let startedAt = new Date();
  let watch: ReturnType<typeof watchGenerator> | undefined;
  let health: Omit<GeneratorHealth, 'sendLagP99S'> = { utilizationRatio: 0, eventLoopLagP99S: 0 };
  let metronome: Metronome | undefined;
  let arrivals: Arrivals = () => Number.POSITIVE_INFINITY;
  let nextDueMs = Number.POSITIVE_INFINITY;
  let endedAtS = 0 - plan.warmUpS;
  let underWaySinceS: number[] = [];
  let nextToBegin = 0;
  let begun = 0;
  let isOver = false;

  const secondsAt = (ms: number): number =>
    windowStartMs === null ? Number.NEGATIVE_INFINITY : (ms - windowStartMs) / 1000;
  const onAbort = (): void => finish();
  const guarded = (work: () => void) => (): void => {
    try {
      if (!isOver) work();
    } catch (error) {
      finish(error);
    }
  };

  function finish(error?: unknown): void {
    if (isOver) return;
    isOver = true;
    const nowMs = performance.now();
    endedAtS = secondsAt(nowMs);
    if (watch !== undefined) health = watch.stop();
    for (const timer of timers) clearInterval(timer);
    signal.removeEventListener('abort', onAbort);
    underWaySinceS = users.flatMap((user) => (user.isSending ? [secondsAt(user.dueMs)] : []));
    // Due by now, but the thread was too late to start it.
    for (const untilS = Math.min(endedAtS, plan.durationS); secondsAt(nextDueMs) < untilS; nextDueMs = nextDue()) {
      accounting.iterationStarted(secondsAt(nextDueMs));
      underWaySinceS.push(secondsAt(nextDueMs));
    }
    for (const user of users) clearTimeout(user.thinking);
    for (const connection of connections.all()) connection.close();
    if (error === undefined) resolveOver();
    else rejectOver(error);
  }

  function userAt(index: number): VirtualUserState {
    const known = users[index];
    if (known !== undefined) return known;
    const user = virtualUser(request, index);
    users[index] = user;
    return user;
  }

  function beginAll(): void {
    for (let index = 0; index < userCount; index += 1) userAt(index);
    if (scenario.begin === undefined) {
      openWarmUp();
      return;
    }
    const longestS = LONGEST_BEGINNING_S + (isOpen ? 0 : plan.timeoutS + LONGEST_BEGINNING_PER_USER_S * userCount);
    timers.push(setTimeout(guarded(openWarmUp), longestS * 1000));
    for (let started = 0; started < BEGINS_AT_ONCE; started += 1) beginNext();
  }

  function beginNext(): void {
    if (nextToBegin >= userCount) return;
    const connection = connections.take();
    if (connection === undefined) return;
    const user = userAt(nextToBegin);
    nextToBegin += 1;
    freeUsers.reserve(user.index);
    user.phase = 'beginning';
    occupy(user, connection);
    const nowMs = performance.now();
    perform(user, user.runner.begin(), nowMs, nowMs);
  }

  function openWarmUp(): void {
    if (windowStartMs !== null) return;
    const nowMs = performance.now();
    windowStartMs = nowMs + plan.warmUpS * 1000;
    startedAt = new Date(Date.now() + plan.warmUpS * 1000);
    timers.push(setTimeout(guarded(watchFromHere), plan.warmUpS * 1000));
    timers.push(setInterval(guarded(report), 1000));
    endWindow();
    if (!isOpen) {
      for (const user of users) if (user.phase !== 'beginning') startUser(user);
      return;
    }
    freeUsers.startTurns();
    arrivals = arrivalsOf(load, plan.seed, 0 - plan.warmUpS);
    nextDueMs = nextDue();
    metronome?.start(
      windowStartMs,
      guarded(() => startWhatIsDue(performance.now())),
      finish,
    );
    startWhatIsDue(nowMs);
  }

  /** Timers may fire a little early, and a window is not over before it is. */
  function endWindow(): void {
    const leftS = plan.durationS - secondsAt(performance.now());
    if (leftS > 0) timers.push(setTimeout(endWindow, Math.ceil(leftS * 1000)));
    else finish();
  }

  function watchFromHere(): void {
    watch = watchGenerator();
  }

  function report(): void {
    for (const interval of accounting.advance(secondsAt(performance.now()))) onInterval(interval);
  }

  function nextDue(): number {
    return (windowStartMs ?? 0) + arrivals() * 1000;
  }

  /** Everything that is due by now, each with its own intended start. */
  function startWhatIsDue(nowMs: number): void {
    for (; nextDueMs <= nowMs && !isOver; nextDueMs = nextDue()) startArrival(nextDueMs);
  }

  function startArrival(dueMs: number): void {
    const dueS = secondsAt(dueMs);
    if (dueS >= plan.durationS) {
      arrivals = () => Number.POSITIVE_INFINITY;
      return;
    }
    const connection = connections.take();
    const index = connection === undefined ? -1 : freeUsers.take();
    if (connection === undefined || index < 0) {
      if (connection !== undefined) connections.giveBack(connection);
      accounting.iterationDropped(dueS);
      return;
    }
    const user = userAt(index);
    occupy(user, connection);
    user.phase = 'iterating';
    accounting.iterationStarted(dueS);
    perform(user, user.runner.startIteration(), dueMs, dueMs);
    if (dueS >= 0) sendLag.record((user.startedMs - dueMs) / 1000);
  }

  function startUser(user: VirtualUserState): void {
    const connection = user.connection ?? connections.take();
    if (connection === undefined) throw new Error('there are fewer connections than virtual users');
    occupy(user, connection);
    user.phase = 'iterating';
    const nowMs = performance.now();
    accounting.iterationStarted(secondsAt(nowMs));
    perform(user, user.runner.startIteration(), nowMs, nowMs);
  }

  /**
   * Does what a scenario decided at `decidedMs`, meant for `dueMs`. A loop, because an iteration may end without a request,
   * and the next one begin at once.
   */
  function perform(user: VirtualUserState, first: NextAction, dueMs: number, decidedMs: number): void {
    for (let next = first; !isOver; ) {
      if (next.kind === 'send') {
        const nowMs = performance.now();
        user.isSending = true;
        user.dueMs = Math.min(dueMs, nowMs);
        user.startedMs = nowMs;
        user.connection?.send(encode(next.request), next.request.method, nowMs, user.dueMs + timeoutMs);
        return;
      }
      if (next.kind === 'think') {
        const resumeMs = dueMs + next.durationS * 1000;
        const resume = guarded(() => perform(user, user.runner.resume(), resumeMs, performance.now()));
        user.thinking = setTimeout(resume, Math.max(0, resumeMs - performance.now()));
        return;
      }
      if (user.phase === 'beginning') {
        onBegun(user);
        return;
      }
      const nowS = secondsAt(decidedMs);
      accounting.iterationEnded(nowS, next.failed);
      if (isOpen) {
        release(user);
        return;
      }
      accounting.iterationStarted(nowS);
      next = user.runner.startIteration();
    }
  }

  function onBegun(user: VirtualUserState): void {
    user.phase = 'begun';
    begun += 1;
    if (isOpen) release(user);
    if (windowStartMs !== null) {
      if (!isOpen) startUser(user);
    } else if (begun === userCount) openWarmUp();
    else beginNext();
  }

  function occupy(user: VirtualUserState, connection: Connection<VirtualUserState>): void {
    user.connection = connection;
    connection.owner = user;
  }

  function release(user: VirtualUserState): void {
    freeUsers.giveBack(user.index);
    if (user.connection === undefined) return;
    user.connection.owner = undefined;
    connections.giveBack(user.connection);
    user.connection = undefined;
  }

  function onAnswer(connection: Connection<VirtualUserState>, answer: Answer, nowMs: number): void {
    if (isOver) return;
    try {
      // What was due before this answer comes before it, also in the accounts.
      if (nextDueMs <= nowMs) startWhatIsDue(nowMs);
      const nowS = secondsAt(nowMs);
      // On a busy thread answers may come after the window's end and before its timer.
      if (nowS >= plan.durationS) finish();
      const user = connection.owner;
      if (isOver || user === undefined) return;
      user.isSending = false;
      const { ended, next } = user.runner.answer(answer);
      const { step, outcome, status } = ended;
      const latencyS = (nowMs - user.dueMs) / 1000;
      const serviceTimeS = (nowMs - user.startedMs) / 1000;
      accounting.requestEnded(nowS, { step, outcome, status, latencyS, serviceTimeS, describe: ended.describe });
      perform(user, next, nowMs, nowMs);
    } catch (error) {
      finish(error);
    }
  }

  if (signal.aborted) finish();
  else {
    signal.addEventListener('abort', onAbort);
    if (isOpen) {
      metronome = await createMetronome(load, plan.seed, { fromS: 0 - plan.warmUpS, untilS: plan.durationS });
    }
    guarded(beginAll)();
    await over.finally(() => metronome?.stop());
  }

  const accounted = accounting.close(endedAtS, underWaySinceS);
  report();
  return {
    engine: 'open-loop',
    plan,
    startedAt: startedAt.toISOString(),
    ...accounted,
    generator: { ...health, sendLagP99S: isOpen ? (sendLag.count === 0 ? 0 : sendLag.quantileS(0.99)) : null },
  };
}
