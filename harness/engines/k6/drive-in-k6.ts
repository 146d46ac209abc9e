import type { Scenario, User } from '../../../scenarios/kit.ts';
import { TierbenchError } from '../../core/errors.ts';
import { reconnectPauseMs } from '../../http-client/message.ts';
import type { PreparedRequest } from '../shared/prepare-request.ts';
import { type Begun, createScenarioRunner, type NextAction, type ScenarioRunner } from '../shared/scenario-runner.ts';
import { SETUPS_AT_ONCE } from '../shared/session-setup.ts';
import { answerFromK6, bodyForK6, type K6Answer } from './answer-from-k6.ts';

/** What k6 is to run: written into the script of a trial as it is. Holds no secrets. */
export interface K6Plan {
  /** Without a slash at its end. */
  readonly baseUrl: string;
  /** The named ones, likewise. */
  readonly baseUrls: Readonly<Record<string, string>>;
  readonly seed: number;
  readonly timeoutS: number;
  readonly skipThinkTimes: boolean;
  readonly isOpen: boolean;
  readonly virtualUsers: number;
  /** Warm-up and window together. */
  readonly lengthS: number;
  /** How long the scenario of k6 lasts; k6 knows none shorter than a second. */
  readonly executorS: number;
  /** When so much time has passed nobody else begins: they begin in their first iteration. */
  readonly longestBeginningS: number;
}

/** What the script imports from k6, handed over so that nothing here needs k6 to be read or tested. */
export interface K6Modules {
  readonly http: {
    request(method: string, url: string, body: string | ArrayBuffer | null, params: object): K6Answer;
    asyncRequest(method: string, url: string, body: string | ArrayBuffer | null, params: object): Promise<K6Answer>;
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
  setTimeout(then: () => void, milliseconds: number): void;
  readonly console: { error(line: string): void };
}

interface Metric {
  add(value: number, tags?: Readonly<Record<string, string>>): void;
}

/** Their names and tags are in `k6-samples.ts`, which reads them. All values are milliseconds. */
export interface K6Metrics {
  /** When the scenario of k6 began, by the clock of the test run. */
  readonly origin: Metric;
  /** When an iteration began, or a request after a think time was scheduled, by the clock of the test run. */
  readonly started: Metric;
  /** From when a request was scheduled, as far as k6 knows, to its last byte. */
  readonly latency: Metric;
  /** The same from its actual start. */
  readonly serviceTime: Metric;
  /** 1 where an iteration that ended without a request failed, else 0. */
  readonly done: Metric;
}

/** Lines for tierbench among the words of k6. */
export const ERROR_LINE = 'tierbench-error ';
export const FAILURE_LINE = 'tierbench-failure ';

const READINGS_OF_THE_ORIGIN = 5;

/** The two functions of a script for k6: `begin` is its setup, `iterate` one iteration of the virtual user that calls it. */
export function driveInK6(
  scenario: Scenario,
  plan: K6Plan,
  users: readonly User[],
  k6: K6Modules,
  metrics: K6Metrics,
): { begin(): Promise<readonly (Begun | null)[]>; iterate(begun?: readonly (Begun | null)[]): void } {
  let iterate: (() => void) | undefined;
  return {
    async begin() {
      try {
        return await beginAll(scenario, plan, users, k6);
      } catch (error) {
        throw endTest(error, k6);
      }
    },
    iterate(begun) {
      try {
        iterate ??= virtualUser(scenario, plan, users, k6, metrics, begun);
        iterate();
      } catch (error) {
        throw endTest(error, k6);
      }
    },
  };
}

/** k6 would note what a scenario throws, go on with the next iteration, and end as if nothing were wrong. */
function endTest(error: unknown, { console, exec }: K6Modules): unknown {
  if (error instanceof TierbenchError) {
    const { code, message, nextStep } = error;
    console.error(ERROR_LINE + JSON.stringify({ code, message, nextStep }));
  } else console.error(String(error));
  exec.test.abort();
  return error;
}

function runnerOf(scenario: Scenario, plan: K6Plan, users: readonly User[], index: number, begun?: Begun | null) {
  const user = users[index];
  if (user === undefined) throw new Error(`there is no user for virtual user ${index}`);
  const { seed, skipThinkTimes, baseUrls } = plan;
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

/**
 * k6 runs this once, before any load, in a virtual user of its own. What it returns reaches the others as JSON; null for
 * those who did not get as far.
 */
async function beginAll(
  scenario: Scenario,
  plan: K6Plan,
  users: readonly User[],
  k6: K6Modules,
): Promise<readonly (Begun | null)[]> {
  const { exec } = k6;
  const untilMs = exec.instance.currentTestRunDuration + plan.longestBeginningS * 1000;
  const begun: (Begun | null)[] = Array.from({ length: plan.virtualUsers }, () => null);
  let next = 0;
  async function beginOthers(): Promise<void> {
    for (let index = next; index < plan.virtualUsers; index = next) {
      next += 1;
      const runner = runnerOf(scenario, plan, users, index);
      for (let action = runner.begin(); action.kind !== 'done'; ) {
        if (exec.instance.currentTestRunDuration >= untilMs) return;
        action = await performInBegin(action, runner, plan, k6);
      }
      const ended = runner.begun();
      if (ended === undefined) continue;
      if (!isJson(ended.session)) throw notJson(scenario.name);
      begun[index] = ended;
    }
  }
  await Promise.all(Array.from({ length: SETUPS_AT_ONCE }, beginOthers));
  return begun;
}

async function performInBegin(
  action: Exclude<NextAction, { kind: 'done' }>,
  runner: ScenarioRunner,
  plan: K6Plan,
  { http, setTimeout }: K6Modules,
): Promise<NextAction> {
  if (action.kind === 'think') {
    await new Promise<void>((resolve) => setTimeout(resolve, action.durationS * 1000));
    return runner.resume();
  }
  const { method, headers, body } = action.request;
  const params = paramsOf(plan, headers, new http.CookieJar());
  const answer = await http.asyncRequest(method, urlOf(action.request, plan), bodyForK6(body), params);
  return runner.answer(answerFromK6(answer)).next;
}

function urlOf({ base, path }: PreparedRequest, { baseUrl, baseUrls }: K6Plan): string {
  return (base === undefined ? baseUrl : (baseUrls[base] ?? '')) + path;
}

/**
 * As the other engines send it: no redirects are followed, and the scenario alone keeps cookies. A jar is for one request:
 * k6 would send what an answer set with the next one.
 */
function paramsOf({ timeoutS }: K6Plan, headers: Readonly<Record<string, string>>, jar: object) {
  return { headers, timeout: timeoutS * 1000, redirects: 0, responseType: 'text', jar };
}

function virtualUser(
  scenario: Scenario,
  plan: K6Plan,
  users: readonly User[],
  k6: K6Modules,
  metrics: K6Metrics,
  begun: readonly (Begun | null)[] | undefined,
): () => void {
  const { http, sleep, console } = k6;
  // k6 makes each of these anew whenever it is asked for it, which takes longer than all the rest here.
  const { instance, scenario: load, vu } = k6.exec;
  const id = vu.idInTest;
  const runner = runnerOf(scenario, plan, users, id - 1, begun?.[id - 1]);
  const nowMs = (): number => instance.currentTestRunDuration;
  const originMs = originOf(load, nowMs, plan.executorS);
  metrics.origin.add(originMs);
  const endMs = originMs + plan.lengthS * 1000;
  const iterationTag = { t: `${id} iteration` };
  const requestTag = { t: `${id} request` };
  const doneTag = { t: String(id) };
  const tags = new Map<string, { t: string }>();
  const reportedFailures = new Set<string>();
  let failuresInARow = 0;

  /** k6 keeps what it counts by the tags of it, and making them takes time. */
  function tagOf(what: string): { t: string } {
    const known = tags.get(what);
    if (known !== undefined) return known;
    const tag = { t: `${id} ${what}` };
    tags.set(what, tag);
    return tag;
  }

  return () => {
    const startedMs = nowMs();
    if (startedMs >= endMs) {
      sleep(1);
      return;
    }
    metrics.started.add(startedMs, iterationTag);
    let scheduledMs = startedMs;
    let isReported = false;
    for (let next = runner.startIteration(); ; ) {
      if (next.kind === 'done') {
        if (!isReported) metrics.done.add(next.failed ? 1 : 0, doneTag);
        return;
      }
      if (next.kind === 'think') {
        scheduledMs += next.durationS * 1000;
        sleep(Math.max(0, scheduledMs - nowMs()) / 1000);
        next = runner.resume();
        if (next.kind === 'send') metrics.started.add(scheduledMs, requestTag);
        continue;
      }
      const { name, method, headers, body } = next.request;
      // In a closed load, as the other engines: a system that is down is not asked again at once, over and over.
      if (!plan.isOpen && failuresInARow >= 2) sleep(reconnectPauseMs(failuresInARow) / 1000);
      const sentMs = nowMs();
      const params = paramsOf(plan, headers, new http.CookieJar());
      const answer = http.request(method, urlOf(next.request, plan), bodyForK6(body), params);
      const endedMs = nowMs();
      const { ended, next: following } = runner.answer(answerFromK6(answer));
      if (answer.status !== 0) failuresInARow = 0;
      else if (ended.outcome !== 'timeout') failuresInARow += 1;
      if (ended.outcome !== 'ok' && endedMs < endMs && !reportedFailures.has(`${ended.outcome} ${name}`)) {
        reportedFailures.add(`${ended.outcome} ${name}`);
        const { step, outcome } = ended;
        console.error(FAILURE_LINE + JSON.stringify({ step, outcome, message: ended.describe() }));
      }
      const follows = following.kind === 'done' ? (following.failed ? 'failed' : 'done') : following.kind;
      const tag = tagOf(`${follows} ${ended.outcome} ${ended.status} ${encodeURIComponent(name)}`);
      metrics.serviceTime.add(endedMs - sentMs, tag);
      metrics.latency.add(endedMs - scheduledMs, tag);
      isReported = following.kind === 'done';
      scheduledMs = endedMs;
      next = following;
    }
  };
}

/**
 * When the scenario of k6 began, by the clock of the test run: k6 reports its progress in full resolution, but
 * its start in whole milliseconds. Of a few readings the one counts that took the shortest time.
 */
function originOf(load: K6Modules['exec']['scenario'], nowMs: () => number, lengthS: number): number {
  let origin = Number.NaN;
  let shortestMs = Number.POSITIVE_INFINITY;
  for (let reading = 0; reading < READINGS_OF_THE_ORIGIN; reading += 1) {
    const beforeMs = nowMs();
    const elapsedMs = load.progress * lengthS * 1000;
    const afterMs = nowMs();
    if (afterMs - beforeMs >= shortestMs) continue;
    shortestMs = afterMs - beforeMs;
    origin = (beforeMs + afterMs) / 2 - elapsedMs;
  }
  return origin;
}

/** Comes out of JSON as it went in. */
function isJson(value: unknown): boolean {
  if (value === null || value === undefined) return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object') return typeof value === 'string' || typeof value === 'boolean';
  const prototype: unknown = Object.getPrototypeOf(value);
  if (Array.isArray(value)) return value.every((item) => item !== undefined && isJson(item));
  return (prototype === Object.prototype || prototype === null) && Object.values(value).every(isJson);
}

function notJson(scenario: string): TierbenchError {
  return new TierbenchError(
    'K6_SESSION_NOT_JSON',
    `What begin of scenario '${scenario}' returns is more than JSON, and k6 hands nothing else on to its virtual users.`,
    'Let begin return texts, numbers, lists and plain objects, or choose another engine.',
  );
}
