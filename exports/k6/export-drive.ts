import { answerFromK6, bodyForK6, type K6Answer } from '../../harness/engines/k6/answer-from-k6.ts';
import { createScenarioRunner, type NextAction } from '../../harness/engines/shared/scenario-runner.ts';
import type { Scenario, User } from '../../scenarios/kit.ts';

/**
 * What an exported folder runs in k6: a virtual user that goes through the scenario, and counts its requests in metrics of
 * k6. Knows k6 by what it is given, so that it can be tested without.
 */
export interface ExportedLoad {
  readonly baseUrl: string;
  readonly seed: number;
  readonly timeoutS: number;
  /** Requests count that start from the end of the warm-up on and before the end of the window. */
  readonly warmUpS: number;
  readonly durationS: number;
}

export interface K6Modules {
  readonly http: {
    request(method: string, url: string, body: string | ArrayBuffer | null, params: object): K6Answer;
    readonly CookieJar: new () => object;
  };
  readonly exec: {
    readonly vu: { readonly idInTest: number };
    /** Milliseconds. */
    readonly instance: { readonly currentTestRunDuration: number };
    readonly test: { abort(reason: string): void };
  };
  sleep(seconds: number): void;
}

export interface ExportedMetrics {
  /** Trend in milliseconds: from the start of a request to its last byte; the timeout for one that failed. */
  readonly latency: { add(milliseconds: number, tags: object): void };
  /** Rate: a request that was not answered, or not as the scenario expects. */
  readonly failed: { add(failed: boolean, tags: object): void };
  /** Counter of right answers. */
  readonly succeeded: { add(count: number, tags: object): void };
}

/** One virtual user. Each call is one iteration; before the first it goes through `begin`, which is not counted. */
export function virtualUserInK6(
  scenario: Scenario,
  users: readonly User[],
  load: ExportedLoad,
  { http, exec, sleep }: K6Modules,
  metrics: ExportedMetrics,
): () => void {
  const index = exec.vu.idInTest - 1;
  const user = users[index];
  if (user === undefined) throw new Error(`there is no user for virtual user ${index + 1}: no two share one`);
  const runner = createScenarioRunner({ scenario, user, seed: load.seed, virtualUser: index });
  const windowEndMs = (load.warmUpS + load.durationS) * 1000;
  let hasBegun = false;

  function perform(first: NextAction, isCounted: boolean): void {
    for (let next = first; next.kind !== 'done'; ) {
      const startedMs = exec.instance.currentTestRunDuration;
      // What is still in flight then has no part in the measurement.
      if (startedMs >= windowEndMs) return;
      if (next.kind === 'think') {
        sleep(Math.min(next.durationS, (windowEndMs - startedMs) / 1000));
        next = runner.resume();
        continue;
      }
      const { name, method, path, headers, body } = next.request;
      const answer = http.request(method, load.baseUrl + path, bodyForK6(body), {
        headers,
        timeout: load.timeoutS * 1000,
        redirects: 0,
        responseType: 'text',
        // k6 would send the cookies of one answer with the next request.
        jar: new http.CookieJar(),
        tags: { name },
      });
      const endedMs = exec.instance.currentTestRunDuration;
      const { ended, next: following } = runner.answer(answerFromK6(answer));
      if (isCounted && startedMs >= load.warmUpS * 1000) count(ended.step, ended.outcome === 'ok', endedMs - startedMs);
      next = following;
    }
  }

  function count(step: string, isOk: boolean, latencyMs: number): void {
    const tags = { step };
    metrics.latency.add(isOk ? latencyMs : Math.max(latencyMs, load.timeoutS * 1000), tags);
    metrics.failed.add(!isOk, tags);
    if (isOk) metrics.succeeded.add(1, tags);
  }

  return () => {
    try {
      if (!hasBegun) {
        hasBegun = true;
        perform(runner.begin(), false);
      }
      perform(runner.startIteration(), true);
    } catch (error) {
      // A defect of the scenario is one in every iteration: k6 would note each and end as if nothing were wrong.
      exec.test.abort(error instanceof Error ? error.message : String(error));
    }
  };
}
