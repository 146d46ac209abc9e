import autocannon from 'autocannon';
import { TierbenchError } from '../core/errors.ts';
import { describeLoad } from '../core/load.ts';
import type { GeneratorHealth, Trial } from '../core/trial.ts';
import { type Accounting, createAccounting } from './accounting.ts';
import { type AutocannonConnection, adoptAutocannonClient } from './autocannon-connection.ts';
import { checkBaseUrl } from './base-url.ts';
import { checkConcurrency } from './check-concurrency.ts';
import type { LoadEngine, TrialRequest } from './engine.ts';
import { watchGenerator } from './generator-health.ts';
import { runnerForUser } from './runner-for-user.ts';
import type { NextAction, ScenarioRunner } from './scenario-runner.ts';
import { cannotThink } from './think-times.ts';

/**
 * Closed load by autocannon: one connection for each virtual user. autocannon sends and parses; what to send, when, and
 * what it took is ours. It is never given a rate, because then it reports about half of the real latency.
 */
export const autocannonEngine: LoadEngine = {
  name: 'autocannon',
  supports: new Set(['closed']),
  arrivals: new Set(),
  canThink: false,
  run,
};

/** Signing in may be the dearest thing a system does: a hundred at once would time out before anything is measured. */
const BEGINS_AT_ONCE = 10;
/** When users take longer than this to begin, the others begin as a part of their first iteration. */
const LONGEST_BEGINNING_S = 10;
const LONGEST_BEGINNING_PER_USER_S = 0.1;
/** How often autocannon looks whether it was stopped. */
const AUTOCANNON_TICK_MS = 100;
/** The longest its timer takes; it is stopped by us. */
const AUTOCANNON_DURATION_S = 2_000_000;

interface VirtualUserState {
  readonly runner: ScenarioRunner;
  connection: AutocannonConnection | undefined;
  phase: 'waiting' | 'beginning' | 'begun' | 'iterating';
}

async function run(
  request: TrialRequest,
  signal: AbortSignal,
  onInterval: Parameters<LoadEngine['run']>[2] = () => {},
): Promise<Trial> {
  const concurrency = checkRequest(request);
  const { plan } = request;
  const baseUrl = checkBaseUrl(plan.baseUrl);
  const pathPrefix = baseUrl.pathname.replace(/\/+$/, '');
  const accounting: Accounting = createAccounting(plan);
  const virtualUsers = Array.from(
    { length: concurrency },
    (_, index): VirtualUserState => ({
      runner: runnerForUser(request, index),
      connection: undefined,
      phase: 'waiting',
    }),
  );

  /** Null until everybody has begun: only then there is a window to count from. */
  let windowStartMs: number | null = null;
  let startedAt = new Date();
  let watch: ReturnType<typeof watchGenerator> | undefined;
  let health: Omit<GeneratorHealth, 'sendLagP99S'> = { utilizationRatio: 0, eventLoopLagP99S: 0 };
  let endedAtS = 0 - plan.warmUpS;
  let underWaySinceS: readonly number[] = [];
  let nextToBegin = 0;
  let begun = 0;
  let isOver = false;
  const timers: NodeJS.Timeout[] = [];
  const { promise: over, resolve: resolveOver, reject: rejectOver } = Promise.withResolvers<void>();

  const nowS = (): number =>
    windowStartMs === null ? Number.NEGATIVE_INFINITY : (performance.now() - windowStartMs) / 1000;

  function finish(error?: unknown): void {
    if (isOver) return;
    isOver = true;
    endedAtS = nowS();
    if (watch !== undefined) health = watch.stop();
    for (const timer of timers) clearInterval(timer);
    signal.removeEventListener('abort', onAbort);
    underWaySinceS = virtualUsers.flatMap((user) => inFlightSinceS(user) ?? []);
    for (const user of virtualUsers) user.connection?.close();
    if (error === undefined) resolveOver();
    else rejectOver(error);
  }
  function inFlightSinceS({ connection }: VirtualUserState): number | undefined {
    const sinceMs = connection?.inFlightSinceMs();
    return sinceMs === undefined || windowStartMs === null ? undefined : (sinceMs - windowStartMs) / 1000;
  }
  const onAbort = (): void => finish();
  const guarded = (work: () => void) => (): void => {
    try {
      work();
    } catch (error) {
      finish(error);
    }
  };

  function beginAll(): void {
    if (request.scenario.begin === undefined) {
      openWarmUp();
      return;
    }
    const longestS = LONGEST_BEGINNING_S + plan.timeoutS + LONGEST_BEGINNING_PER_USER_S * concurrency;
    timers.push(setTimeout(guarded(openWarmUp), longestS * 1000));
    for (let started = 0; started < BEGINS_AT_ONCE; started += 1) beginNext();
  }

  function beginNext(): void {
    const user = virtualUsers[nextToBegin];
    if (user === undefined) return;
    nextToBegin += 1;
    user.phase = 'beginning';
    perform(user, user.runner.begin(), nowS());
  }

  function openWarmUp(): void {
    if (windowStartMs !== null) return;
    windowStartMs = performance.now() + plan.warmUpS * 1000;
    startedAt = new Date(Date.now() + plan.warmUpS * 1000);
    timers.push(setTimeout(guarded(watchFromHere), plan.warmUpS * 1000));
    timers.push(setInterval(guarded(report), 1000));
    endWindow();
    for (const user of virtualUsers) if (user.phase !== 'beginning') iterate(user);
  }

  /** Timers may fire a little early, and a window is not over before it is. */
  function endWindow(): void {
    const leftS = plan.durationS - nowS();
    if (leftS > 0) timers.push(setTimeout(endWindow, Math.ceil(leftS * 1000)));
    else finish();
  }

  function watchFromHere(): void {
    watch = watchGenerator();
  }

  function report(): void {
    for (const interval of accounting.advance(nowS())) onInterval(interval);
  }

  function iterate(user: VirtualUserState): void {
    user.phase = 'iterating';
    const startedS = nowS();
    accounting.iterationStarted(startedS);
    perform(user, user.runner.startIteration(), startedS);
  }

  /**
   * Does what a scenario decided then: the end of an iteration counts where its last request does. A loop, because an
   * iteration may end without a request, and the next one begin at once.
   */
  function perform(user: VirtualUserState, first: NextAction, decidedS: number): void {
    for (let next = first; !isOver; ) {
      if (next.kind === 'send') {
        user.connection?.send(next.request);
        return;
      }
      if (next.kind === 'think') throw cannotThink(autocannonEngine.name, plan.scenario);
      if (user.phase === 'beginning') {
        user.phase = 'begun';
        begun += 1;
        if (windowStartMs !== null) iterate(user);
        else if (begun === concurrency) openWarmUp();
        else beginNext();
        return;
      }
      accounting.iterationEnded(decidedS, next.failed);
      accounting.iterationStarted(decidedS);
      next = user.runner.startIteration();
    }
  }

  if (signal.aborted) finish();
  else {
    signal.addEventListener('abort', onAbort);
    let adopted = 0;
    const { promise: autocannonEnded, resolve: onAutocannonEnd } = Promise.withResolvers<void>();
    const instance = autocannon(
      {
        url: baseUrl.href,
        connections: concurrency,
        duration: AUTOCANNON_DURATION_S,
        sampleInt: AUTOCANNON_TICK_MS,
        setupClient(client) {
          const user = virtualUsers[adopted];
          adopted += 1;
          if (user !== undefined) user.connection = adopt(client, user);
        },
      },
      (error) => {
        if (error !== null) finish(error);
        onAutocannonEnd();
      },
    );
    guarded(beginAll)();
    await over.finally(async () => {
      instance.stop();
      await autocannonEnded;
    });
  }

  function adopt(client: autocannon.Client, user: VirtualUserState): AutocannonConnection {
    return adoptAutocannonClient(
      client,
      { timeoutS: plan.timeoutS, pathPrefix },
      {
        onAnswer(answer, latencyS) {
          // On a busy thread answers may come after the window's end and before its timer.
          const answeredAtS = nowS();
          if (answeredAtS >= plan.durationS) finish();
          if (isOver) return;
          const { ended, next } = user.runner.answer(answer);
          accounting.requestEnded(answeredAtS, { ...ended, latencyS });
          perform(user, next, answeredAtS);
        },
        onDefect: finish,
      },
    );
  }

  const accounted = accounting.close(endedAtS, underWaySinceS);
  report();
  return {
    engine: autocannonEngine.name,
    plan,
    startedAt: startedAt.toISOString(),
    ...accounted,
    generator: { ...health, sendLagP99S: null },
  };
}

/** What cannot be run is refused before anything is sent. Gives the concurrency. */
function checkRequest({ plan, scenario, users, skipThinkTimes }: TrialRequest): number {
  if (plan.load.model !== 'closed') {
    throw new TierbenchError(
      'LOAD_MODEL_NOT_SUPPORTED',
      `autocannon cannot offer ${describeLoad(plan.load)}: with a rate it reports wrong latencies.`,
      'Ask for a concurrency, or choose an engine that offers arrival rates.',
    );
  }
  const { concurrency } = plan.load;
  checkConcurrency(concurrency, users.length);
  if (scenario.thinks === true && skipThinkTimes !== true) throw cannotThink(autocannonEngine.name, scenario.name);
  return concurrency;
}
