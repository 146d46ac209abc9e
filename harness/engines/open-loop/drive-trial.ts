import type { GeneratorHealth, Interval, Trial } from '../../core/trial.ts';
import { LatencyHistogram } from '../../histograms/latency-histogram.ts';
import { Connection, type ConnectionSettings, endpointOf } from '../../http-client/connection.ts';
import { createRequestEncoder } from '../../http-client/encode-request.ts';
import { createAccounting } from '../accounting.ts';
import type { TrialRequest } from '../engine.ts';
import { watchGenerator } from '../generator-health.ts';
import type { Answer } from '../scenario-response.ts';
import type { NextAction } from '../scenario-runner.ts';
import { arrivalsOf } from './arrivals.ts';
import { createBeginnings } from './beginnings.ts';
import { createMetronome, type Metronome } from './metronome.ts';
import { arrivalsIn, countIn, type Share } from './share.ts';
import { createTimetable, nothingDue, type Timetable } from './timetable.ts';
import { createVirtualUsers, type VirtualUser } from './virtual-users.ts';

export interface DriveSettings extends Omit<ConnectionSettings, 'endpoint' | 'readBuffer' | 'pausesAfterFailures'> {
  readonly baseUrl: URL;
  readonly mostConnections: number;
  readonly share: Share;
  /** Called when all is ready to begin: gives when warming up begins, by `performance.now()`, not before that. */
  opening(): Promise<number>;
}

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
  const { share } = settings;
  const isOpen = load.model === 'open';
  const timeoutMs = plan.timeoutS * 1000;
  const accounting = createAccounting(plan);
  const encode = createRequestEncoder(settings.baseUrl);
  const connectionSettings: ConnectionSettings = {
    ...settings,
    endpoint: endpointOf(settings.baseUrl),
    pausesAfterFailures: !isOpen,
    readBuffer: Buffer.allocUnsafeSlow(READ_BUFFER_BYTES),
  };
  const users = createVirtualUsers(request, share, {
    mostConnections: countIn(share, settings.mostConnections),
    connect: () => new Connection<VirtualUser>(connectionSettings, onAnswer),
  });
  const beginnings = createBeginnings(users.count, { begin: beginUser, onAll: openWhenAllAreReady });
  const sendLag = LatencyHistogram.empty();
  const timers: NodeJS.Timeout[] = [];
  const { promise: over, resolve: resolveOver, reject: rejectOver } = Promise.withResolvers<void>();

  /** Null until everybody has begun: only then there is a window to count from. */
  let windowStartMs: number | null = null;
  let startedAt = new Date();
  let watch: ReturnType<typeof watchGenerator> | undefined;
  let health: Omit<GeneratorHealth, 'sendLagP99S'> = { utilizationRatio: 0, eventLoopLagP99S: 0 };
  let metronome: Metronome | undefined;
  let due: Timetable = nothingDue;
  let endedAtS = 0 - plan.warmUpS;
  let underWaySinceS: number[] = [];
  let isReady = false;
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
    underWaySinceS = users.close().map(secondsAt);
    // Due by now, but the thread was too late to start it.
    for (; due.nextMs < nowMs; due.advance()) {
      accounting.iterationStarted(secondsAt(due.nextMs));
      underWaySinceS.push(secondsAt(due.nextMs));
    }
    if (error === undefined) resolveOver();
    else rejectOver(error);
  }

  function beginAll(): void {
    users.all();
    if (scenario.begin === undefined) {
      openWhenAllAreReady();
      return;
    }
    const longestS =
      LONGEST_BEGINNING_S + (isOpen ? 0 : plan.timeoutS + LONGEST_BEGINNING_PER_USER_S * users.count * share.of);
    timers.push(setTimeout(guarded(openWhenAllAreReady), longestS * 1000));
    beginnings.start(share.of);
  }

  function beginUser(index: number): boolean {
    const user = users.take(index);
    if (user === undefined) return false;
    user.phase = 'beginning';
    const nowMs = performance.now();
    perform(user, user.runner.begin(), nowMs, nowMs);
    return true;
  }

  function openWhenAllAreReady(): void {
    if (isReady) return;
    isReady = true;
    settings.opening().then((startMs) => guarded(() => openWarmUp(startMs))(), finish);
  }

  function openWarmUp(startMs: number): void {
    windowStartMs = startMs + plan.warmUpS * 1000;
    const nowMs = performance.now();
    const untilWindowMs = windowStartMs - nowMs;
    startedAt = new Date(Date.now() + untilWindowMs);
    timers.push(setTimeout(guarded(watchFromHere), Math.max(0, untilWindowMs)));
    timers.push(setInterval(guarded(report), 1000));
    endWindow();
    if (!isOpen) {
      for (const user of users.all()) if (user.phase !== 'beginning') startUser(user);
      return;
    }
    users.startTurns();
    due = createTimetable(
      arrivalsIn(share, arrivalsOf(load, plan.seed, 0 - plan.warmUpS)),
      windowStartMs,
      plan.durationS,
    );
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
    const nowMs = performance.now();
    // What was due in a second is started before the second is closed: after the last one it would count nowhere.
    startWhatIsDue(nowMs);
    for (const interval of accounting.advance(secondsAt(nowMs))) onInterval(interval);
  }

  /** Everything that is due by now, each with its own intended start. */
  function startWhatIsDue(nowMs: number): void {
    while (due.nextMs <= nowMs && !isOver) {
      const dueMs = due.nextMs;
      due.advance();
      startArrival(dueMs, secondsAt(dueMs));
    }
  }

  function startArrival(dueMs: number, dueS: number): void {
    const user = users.takeFree();
    if (user === undefined) {
      accounting.iterationDropped(dueS);
      return;
    }
    user.phase = 'iterating';
    accounting.iterationStarted(dueS);
    perform(user, user.runner.startIteration(), dueMs, dueMs);
    if (dueS >= 0 && user.isSending) sendLag.record((user.startedMs - dueMs) / 1000);
  }

  function startUser({ index }: VirtualUser): void {
    const user = users.take(index);
    if (user === undefined) throw new Error('there are fewer connections than virtual users');
    user.phase = 'iterating';
    const nowMs = performance.now();
    accounting.iterationStarted(secondsAt(nowMs));
    perform(user, user.runner.startIteration(), nowMs, nowMs);
  }

  /**
   * Does what a scenario decided at `decidedMs`, meant for `dueMs`. A loop, because an iteration may end without a request,
   * and the next one begin at once.
   */
  function perform(user: VirtualUser, first: NextAction, dueMs: number, decidedMs: number): void {
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
        users.release(user);
        return;
      }
      accounting.iterationStarted(nowS);
      next = user.runner.startIteration();
    }
  }

  function onBegun(user: VirtualUser): void {
    user.phase = 'begun';
    if (isOpen) users.release(user);
    else if (windowStartMs !== null) startUser(user);
    beginnings.ended();
  }

  function onAnswer(connection: Connection<VirtualUser>, answer: Answer, nowMs: number): void {
    if (isOver) return;
    try {
      // What was due before this answer comes before it, also in the accounts.
      if (due.nextMs <= nowMs) startWhatIsDue(nowMs);
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
      const { isCoordinated } = user;
      const { describe } = ended;
      accounting.requestEnded(nowS, { step, outcome, status, latencyS, serviceTimeS, isCoordinated, describe });
      perform(user, next, nowMs, nowMs);
    } catch (error) {
      finish(error);
    }
  }

  if (signal.aborted) finish();
  else {
    signal.addEventListener('abort', onAbort);
    if (isOpen) {
      const window = { fromS: 0 - plan.warmUpS, untilS: plan.durationS };
      metronome = await createMetronome({ load, seed: plan.seed, share, ...window });
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
