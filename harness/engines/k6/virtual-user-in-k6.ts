import type { Scenario, User } from '../../../scenarios/kit.ts';
import { type RawResponse, reconnectPauseMs } from '../../http-client/message.ts';
import type { EndedRequest } from '../shared/classify-response.ts';
import type { PreparedRequest } from '../shared/prepare-request.ts';
import { type Begun, createScenarioRunner, type NextAction, type ScenarioRunner } from '../shared/scenario-runner.ts';
import { answerFromK6, type Base64, bodyForK6, type K6Answer } from './answer-from-k6.ts';

/** What a script of k6 is to run: written into it as it is. Holds no secrets. */
export interface K6Plan {
  /** Without a slash at its end. */
  readonly baseUrl: string;
  /** The named ones, likewise. */
  readonly baseUrls?: Readonly<Record<string, string>>;
  readonly seed: number;
  readonly timeoutS: number;
  readonly skipThinkTimes?: boolean;
  /** Whether arrivals are scheduled. In a closed load a virtual user pauses after failures, as on the other engines. */
  readonly isOpen: boolean;
  readonly warmUpS: number;
  readonly durationS: number;
  /** How long the scenario of k6 lasts; k6 knows none shorter than a second. */
  readonly executorS: number;
  /**
   * A trial of the engine: what a virtual user does before its first iteration is observed as a part of it, and a request
   * in flight at the end is cut off and not observed.
   */
  readonly isTrial: boolean;
}

type Send<Answer> = (method: string, url: string, body: string | ArrayBuffer | null, params: object) => Answer;

/** What a script imports from k6, handed over so that nothing here needs k6 to be read or tested. */
export interface K6Modules {
  readonly http: {
    readonly request: Send<K6Answer>;
    readonly asyncRequest: Send<Promise<K6Answer>>;
    readonly CookieJar: new () => object;
  };
  readonly exec: {
    readonly vu: { readonly idInTest: number };
    readonly scenario: { readonly progress: number };
    /** Milliseconds, in full resolution: `Date.now()` of k6 knows whole ones alone. */
    readonly instance: { readonly currentTestRunDuration: number };
    readonly test: { abort(reason?: string): void };
  };
  sleep(seconds: number): void;
  /** Only where the bytes of bodies are counted. */
  readonly base64?: Base64;
}

/** Hears what a virtual user does. Times are milliseconds by the clock of the test run. */
export interface Observer {
  iterationStarted(atMs: number): void;
  /** A think time is over, and a request follows. */
  requestScheduled(atMs: number): void;
  requestEnded(ended: EndedRequest, next: NextAction, scheduledMs: number, sentMs: number, endedMs: number): void;
  /** With something else than a request at its end. */
  iterationEnded(atMs: number, failed: boolean): void;
  /** Called before the virtual user waits: k6 may interrupt it then, and nothing is heard of it any more. */
  waits(sinceMs: number, isForAnswer: boolean): void;
}

/** Makes the observer of one virtual user. `nowMs` is the clock of the test run. */
export type Observe = (virtualUser: number, originMs: number, nowMs: () => number) => Observer;

const READINGS_OF_THE_ORIGIN = 5;

/** One virtual user of k6, for each of whose iterations k6 calls the function that is returned. */
export function createVirtualUser(
  scenario: Scenario,
  plan: K6Plan,
  users: readonly User[],
  k6: K6Modules,
  observe: Observe,
  begun?: Begun | null,
): () => void {
  const { sleep, http } = k6;
  // k6 makes each of these anew whenever it is asked for it, which takes longer than all the rest here.
  const { instance, scenario: executor, vu } = k6.exec;
  const id = vu.idInTest;
  const runner = runnerOf(scenario, plan, users, id - 1, begun);
  const nowMs = (): number => instance.currentTestRunDuration;
  const originMs = originOf(executor, nowMs, plan.executorS);
  const endMs = originMs + (plan.warmUpS + plan.durationS) * 1000;
  const timeoutMs = plan.timeoutS * 1000;
  const observer = observe(id, originMs, nowMs);
  let jar = new http.CookieJar();
  let failuresInARow = 0;
  let begins = !plan.isTrial && begun === undefined;

  function send(request: PreparedRequest, sentMs: number): RawResponse {
    const { method, headers, body } = request;
    // k6 reports nothing of what it interrupts, also not what is held back.
    const timeout = plan.isTrial ? Math.min(timeoutMs, endMs - sentMs + 1) : timeoutMs;
    const params = { headers, timeout, jar };
    const sent = http.request(method, urlOf(request, plan), bodyForK6(body), params);
    const answer = answerFromK6(sent, method, k6.base64);
    // The scenario alone keeps cookies: k6 would send what an answer set with the next request.
    if (answer.kind === 'answered' && answer.hasCookies) jar = new http.CookieJar();
    return answer;
  }

  function perform(first: NextAction, startedMs: number, heard: Observer): void {
    let scheduledMs = startedMs;
    let isOver = false;
    for (let next = first; next.kind !== 'done'; ) {
      if (next.kind === 'think') {
        heard.waits(scheduledMs, false);
        scheduledMs += next.durationS * 1000;
        sleep(Math.max(0, Math.min(scheduledMs, endMs) - nowMs()) / 1000);
        if (scheduledMs >= endMs) return;
        next = runner.resume();
        if (next.kind === 'done') heard.iterationEnded(nowMs(), next.failed);
        else if (next.kind === 'send') heard.requestScheduled(scheduledMs);
        continue;
      }
      heard.waits(scheduledMs, true);
      // As the other engines: a system that is down is not asked again at once, over and over.
      if (!plan.isOpen && failuresInARow >= 2) sleep(reconnectPauseMs(failuresInARow) / 1000);
      const sentMs = nowMs();
      // What is still to come at the end has no part in the measurement.
      isOver = plan.isTrial && sentMs >= endMs;
      if (isOver) break;
      const answer = send(next.request, sentMs);
      const endedMs = nowMs();
      isOver = plan.isTrial && endedMs >= endMs;
      if (isOver) break;
      const { ended, next: following } = runner.answer(answer);
      if (answer.kind === 'answered') failuresInARow = 0;
      else if (ended.outcome !== 'timeout') failuresInARow += 1;
      heard.requestEnded(ended, following, scheduledMs, sentMs, endedMs);
      if (endedMs >= endMs) return;
      scheduledMs = endedMs;
      next = following;
    }
    // The next iteration may not come soon, or never.
    if (plan.isOpen || isOver) heard.waits(scheduledMs, false);
  }

  return () => {
    if (begins) {
      begins = false;
      perform(runner.begin(), nowMs(), nobody);
    }
    const startedMs = nowMs();
    if (startedMs >= endMs) {
      observer.waits(startedMs, false);
      sleep(Math.max(0, originMs + plan.executorS * 1000 - startedMs) / 1000);
      return;
    }
    observer.iterationStarted(startedMs);
    const first = runner.startIteration();
    if (first.kind === 'done') observer.iterationEnded(nowMs(), first.failed);
    perform(first, startedMs, observer);
  };
}

const nobody: Observer = {
  iterationStarted() {},
  requestScheduled() {},
  requestEnded() {},
  iterationEnded() {},
  waits() {},
};

export function runnerOf(
  scenario: Scenario,
  { seed, skipThinkTimes = false, baseUrls }: K6Plan,
  users: readonly User[],
  index: number,
  begun?: Begun | null,
): ScenarioRunner {
  const user = users[index];
  if (user === undefined) throw new Error(`there is no user for virtual user ${index + 1}: no two share one`);
  return createScenarioRunner({
    scenario,
    user: { ...user, index },
    seed,
    virtualUser: index,
    skipThinkTimes,
    baseUrls,
    begun: begun ?? undefined,
  });
}

export function urlOf({ base, path }: PreparedRequest, { baseUrl, baseUrls }: K6Plan): string {
  return (base === undefined ? baseUrl : (baseUrls?.[base] ?? '')) + path;
}

/** The users that a file lists; throws when they are none, or too few. */
export function usersIn(listed: unknown, virtualUsers: number, file: string): readonly User[] {
  if (!Array.isArray(listed) || !listed.every((user) => typeof user === 'object' && user !== null)) {
    throw new Error(`${file} is no list of { "email": ..., "password": ... }`);
  }
  if (listed.length < virtualUsers) {
    throw new Error(`${file} has ${listed.length} users: no two of ${virtualUsers} virtual users share one`);
  }
  return listed;
}

/**
 * When the scenario of k6 began, by the clock of the test run: k6 reports its progress in full resolution, but
 * its start in whole milliseconds. Of a few readings the one counts that took the shortest time.
 */
function originOf(executor: K6Modules['exec']['scenario'], nowMs: () => number, lengthS: number): number {
  let origin = Number.NaN;
  let shortestMs = Number.POSITIVE_INFINITY;
  for (let reading = 0; reading < READINGS_OF_THE_ORIGIN; reading += 1) {
    const beforeMs = nowMs();
    const elapsedMs = executor.progress * lengthS * 1000;
    const afterMs = nowMs();
    if (afterMs - beforeMs >= shortestMs) continue;
    shortestMs = afterMs - beforeMs;
    origin = (beforeMs + afterMs) / 2 - elapsedMs;
  }
  return origin;
}

/** In metrics of k6: of the requests that started after the warm-up, and without what `begin` sent. */
export interface ObserverMetrics {
  /** Trend in milliseconds: from the start of a request to its last byte; the timeout for one that failed. */
  readonly latency: { add(milliseconds: number, tags: object): void };
  /** Rate: a request that was not answered, or not as the scenario expects. */
  readonly failed: { add(failed: boolean, tags: object): void };
  /** Counter of right answers. */
  readonly succeeded: { add(count: number, tags: object): void };
}

export function metricsObserver(
  { warmUpS, timeoutS }: Pick<K6Plan, 'warmUpS' | 'timeoutS'>,
  { latency, failed, succeeded }: ObserverMetrics,
  originMs: number,
): Observer {
  const fromMs = originMs + warmUpS * 1000;
  return {
    ...nobody,
    requestEnded({ step, outcome }, _next, _scheduledMs, sentMs, endedMs) {
      if (sentMs < fromMs) return;
      const tags = { step };
      const latencyMs = endedMs - sentMs;
      latency.add(outcome === 'ok' ? latencyMs : Math.max(latencyMs, timeoutS * 1000), tags);
      failed.add(outcome !== 'ok', tags);
      if (outcome === 'ok') succeeded.add(1, tags);
    },
  };
}
