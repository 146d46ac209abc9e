import type { GeneratorHealth, Interval, Trial } from '../../core/trial.ts';
import { LatencyHistogram } from '../../histograms/latency-histogram.ts';
import type { RawResponse } from '../../http-client/message.ts';
import { monotonicS } from '../../machine/clock.ts';
import type { TrialRequest } from '../engine.ts';
import { createAccounting } from './accounting.ts';
import {
  type ArrivalSchedule,
  arrivalsOf,
  arrivalsOfShare,
  createArrivalSchedule,
  nothingScheduled,
  type Share,
} from './arrivals.ts';
import { watchGenerator } from './generator-health.ts';
import type { KeptSessions } from './kept-sessions.ts';
import type { NextAction } from './scenario-runner.ts';
import { createSessionSetup, longestSetupS } from './session-setup.ts';
import type { Transport } from './transport.ts';
import { createVirtualUsers, type VirtualUser } from './virtual-users.ts';
import { createWakeTimer, type WakeTimer } from './wake-timer.ts';

/** So long answers are awaited after the window of a trial whose users go on in the next one. */
const LONGEST_DRAIN_S = 5;

export interface DriveSettings {
  readonly engine: string;
  readonly transport: Transport;
  readonly mostConnections: number;
  readonly share: Share;
  /** Left out where none are kept. */
  readonly sessions?: KeptSessions;
  /** Called when all is ready to begin: gives when warming up begins, by `performance.now()`, not before that. */
  opening(): Promise<number>;
}

/**
 * The life cycle of a trial on every engine that runs in Node, by timers and the clock: session set-up, warm-up, window,
 * end. Decisions are in the pure files beside it; the transport sends the requests.
 */
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
  const { engine, transport, mostConnections } = settings;
  const sessions = settings.sessions?.of(request.sessionsKey) ?? new Map();
  const users = createVirtualUsers(request, share, transport, {
    mostConnections,
    sessions,
    onResponse,
    onDefect: finish,
  });
  const sessionSetup = createSessionSetup({ begin: setUpUser, onAll: openWhenAllAreReady });
  const sendLag = LatencyHistogram.empty();
  const timers: NodeJS.Timeout[] = [];
  const { promise: over, resolve: resolveOver, reject: rejectOver } = Promise.withResolvers<void>();

  /** Null until everybody has begun: only then there is a window to count from. */
  let windowStartMs: number | null = null;
  let startedAt = new Date();
  let startedAtMonotonicS = monotonicS();
  let watch: ReturnType<typeof watchGenerator> | undefined;
  let health: Omit<GeneratorHealth, 'sendLagP99S'> = { utilizationRatio: 0, eventLoopLagP99S: 0 };
  let wakeTimer: WakeTimer | undefined;
  let schedule: ArrivalSchedule = nothingScheduled;
  let endedAtS = 0 - plan.warmUpS;
  let inFlightSinceS: number[] = [];
  let isReady = false;
  let isOver = false;
  /** The window is over, and answers to what is in flight are still awaited. */
  let isDraining = false;
  let awaited = 0;

  const secondsAt = (ms: number): number =>
    windowStartMs === null ? Number.NEGATIVE_INFINITY : (ms - windowStartMs) / 1000;
  const onAbort = (): void => (isDraining ? endDrain() : finish());
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
    // What is in flight before there is a window belongs to the session set-up.
    inFlightSinceS = windowStartMs === null ? [] : users.inFlightSinceMs().map(secondsAt);
    // Scheduled by now, but the thread was too late to start it.
    for (; schedule.nextMs < nowMs; schedule.advance()) {
      accounting.iterationStarted(secondsAt(schedule.nextMs));
      inFlightSinceS.push(secondsAt(schedule.nextMs));
    }
    if (error !== undefined) {
      close();
      rejectOver(error);
      return;
    }
    isDraining = request.sessionsKey !== undefined && !signal.aborted;
    if (isDraining) timers.push(setTimeout(endDrain, Math.min(plan.timeoutS, LONGEST_DRAIN_S) * 1000));
    awaited = users.inFlightSinceMs().length;
    if (!isDraining || awaited === 0) endDrain();
  }

  function close(): void {
    isDraining = false;
    for (const timer of timers) clearInterval(timer);
    signal.removeEventListener('abort', onAbort);
    users.close();
  }

  function endDrain(): void {
    settings.sessions?.keep(request.sessionsKey, users.sessions(), users.count * share.of);
    close();
    resolveOver();
  }

  /**
   * After the window: the user stops where the iteration would go on, and keeps the session. Abandoned in the middle of a
   * request nobody would know what the session is worth, and after an overload each user would have to sign in again.
   */
  function endRequest(user: VirtualUser, response: RawResponse): void {
    user.isSending = false;
    const { ended, next } = user.runner.answer(response);
    if (next.kind === 'done') user.hasFailed = next.failed;
    else if (ended.outcome !== 'ok') user.hasFailed = true;
    users.release(user);
    awaited -= 1;
    if (awaited === 0) endDrain();
  }

  function setUpAll(): void {
    const all = users.all();
    if (scenario.begin === undefined) {
      openWhenAllAreReady();
      return;
    }
    const without: number[] = [];
    for (const user of all) {
      if (user.runner.begun() === undefined) without.push(user.index);
      else {
        user.phase = 'ready';
        if (isOpen) users.release(user);
      }
    }
    timers.push(setTimeout(guarded(openWhenAllAreReady), longestSetupS(plan, without.length * share.of) * 1000));
    sessionSetup.start(without, share.of);
  }

  function setUpUser(index: number): boolean {
    const user = users.take(index);
    if (user === undefined) return false;
    user.phase = 'setting-up';
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
    startedAtMonotonicS = monotonicS() + untilWindowMs / 1000;
    timers.push(setTimeout(guarded(watchFromHere), Math.max(0, untilWindowMs)));
    timers.push(setInterval(guarded(report), 1000));
    endWindow();
    if (!isOpen) {
      for (const user of users.all()) if (user.phase !== 'setting-up') startUser(user);
      return;
    }
    users.startTurns();
    schedule = createArrivalSchedule(
      arrivalsOfShare(share, arrivalsOf(load, plan.seed, 0 - plan.warmUpS)),
      windowStartMs,
      plan.durationS,
    );
    wakeTimer?.start(
      windowStartMs,
      guarded(() => startScheduled(performance.now())),
      finish,
    );
    startScheduled(nowMs);
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
    // What was scheduled in a second is started before the second is closed: after the last one it would count nowhere.
    startScheduled(nowMs);
    for (const interval of accounting.advance(secondsAt(nowMs))) onInterval(interval);
  }

  /** Everything that is scheduled by now, each with its own start. */
  function startScheduled(nowMs: number): void {
    while (schedule.nextMs <= nowMs && !isOver) {
      const scheduledMs = schedule.nextMs;
      schedule.advance();
      startArrival(scheduledMs, secondsAt(scheduledMs));
    }
  }

  function startArrival(scheduledMs: number, scheduledS: number): void {
    const user = users.takeFree();
    if (user === undefined) {
      accounting.iterationDropped(scheduledS);
      return;
    }
    user.phase = 'iterating';
    accounting.iterationStarted(scheduledS);
    perform(user, user.runner.startIteration(), scheduledMs, scheduledMs);
    if (scheduledS >= 0 && user.isSending) sendLag.record((user.startedMs - scheduledMs) / 1000);
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
   * Does what a scenario decided at `decidedMs`, meant for `scheduledMs`. A loop, because an iteration may end without a request,
   * and the next one begin at once.
   */
  function perform(user: VirtualUser, first: NextAction, scheduledMs: number, decidedMs: number): void {
    for (let next = first; !isOver; ) {
      if (next.kind === 'send') {
        const nowMs = performance.now();
        user.isSending = true;
        user.scheduledMs = Math.min(scheduledMs, nowMs);
        user.startedMs = nowMs;
        user.connection?.send(next.request, nowMs, user.scheduledMs + timeoutMs);
        return;
      }
      if (next.kind === 'think') {
        const resumeMs = scheduledMs + next.durationS * 1000;
        const resume = guarded(() => perform(user, user.runner.resume(), resumeMs, performance.now()));
        user.thinking = setTimeout(resume, Math.max(0, resumeMs - performance.now()));
        return;
      }
      user.hasFailed = next.failed;
      if (user.phase === 'setting-up') {
        onSetUp(user);
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

  function onSetUp(user: VirtualUser): void {
    user.phase = 'ready';
    user.sessionSinceMs = performance.now();
    if (isOpen) users.release(user);
    else if (windowStartMs !== null) startUser(user);
    sessionSetup.ended();
  }

  function onResponse(user: VirtualUser | undefined, response: RawResponse, nowMs: number): void {
    if (isOver && !isDraining) return;
    try {
      // What was scheduled before this response comes before it, also in the accounts.
      if (schedule.nextMs <= nowMs) startScheduled(nowMs);
      const nowS = secondsAt(nowMs);
      // On a busy thread answers may come after the window's end and before its timer.
      if (nowS >= plan.durationS) finish();
      if (isDraining && user !== undefined) endRequest(user, response);
      if (isOver || user === undefined) return;
      user.isSending = false;
      const { ended, next } = user.runner.answer(response);
      const { step, outcome, status, bodyBytes, resource } = ended;
      if (outcome !== 'ok') user.hasFailed = true;
      const latencyS = (nowMs - user.scheduledMs) / 1000;
      const serviceTimeS = (nowMs - user.startedMs) / 1000;
      const { isClosedLoopSample } = user;
      const { describe } = ended;
      const times = { latencyS, serviceTimeS, isClosedLoopSample };
      accounting.requestEnded(nowS, { step, outcome, status, bodyBytes, resource, ...times, describe });
      perform(user, next, nowMs, nowMs);
    } catch (error) {
      if (isDraining) endDrain();
      else finish(error);
    }
  }

  if (signal.aborted) finish();
  else {
    signal.addEventListener('abort', onAbort);
    if (isOpen) {
      const window = { fromS: 0 - plan.warmUpS, untilS: plan.durationS };
      wakeTimer = await createWakeTimer({ load, seed: plan.seed, share, ...window });
    }
    guarded(setUpAll)();
    await over.finally(async () => {
      await wakeTimer?.stop();
      await transport.close?.();
    });
  }

  const accounted = accounting.close(endedAtS, inFlightSinceS);
  report();
  return {
    engine,
    plan,
    startedAt: startedAt.toISOString(),
    startedAtMonotonicS,
    ...accounted,
    generator: { ...health, sendLagP99S: isOpen ? (sendLag.count === 0 ? 0 : sendLag.quantileS(0.99)) : null },
  };
}
