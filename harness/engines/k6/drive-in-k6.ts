import type { Scenario, User } from '../../../scenarios/kit.ts';
import { describeThrown, TierbenchError } from '../../core/errors.ts';
import type { Begun, NextAction, ScenarioRunner } from '../shared/scenario-runner.ts';
import { SETUPS_AT_ONCE } from '../shared/session-setup.ts';
import { answerFromK6, bodyForK6 } from './answer-from-k6.ts';
import { createVirtualUser, type K6Modules, type K6Plan, type Observe, runnerOf, urlOf } from './virtual-user-in-k6.ts';

/** What the script of a trial asks for, besides what each virtual user does. */
export interface TrialInK6 extends K6Plan {
  readonly virtualUsers: number;
  /** When so much time has passed nobody else begins: they begin in their first iteration. */
  readonly longestBeginningS: number;
}

/** What only the script of a trial imports from k6. */
export interface TrialModules extends K6Modules {
  setTimeout(then: () => void, milliseconds: number): void;
}

type Sessions = readonly (Begun | null)[];

/** The two functions of a script: `begin` is its setup, `iterate` one iteration of the virtual user that calls it. */
export function driveInK6(
  scenario: Scenario,
  plan: TrialInK6,
  users: readonly User[],
  k6: TrialModules,
  observe: Observe,
  onError: (error: unknown) => void = () => {},
): { begin(): Promise<Sessions>; iterate(begun?: Sessions): void } {
  let iterate: (() => void) | undefined;
  /** k6 would note what a scenario throws, go on with the next iteration, and end as if nothing were wrong. */
  function endTest(error: unknown): unknown {
    onError(error);
    k6.exec.test.abort(describeThrown(error));
    return error;
  }
  return {
    async begin() {
      try {
        return await beginAll(scenario, plan, users, k6);
      } catch (error) {
        throw endTest(error);
      }
    },
    iterate(begun) {
      try {
        iterate ??= createVirtualUser(scenario, plan, users, k6, observe, begun?.[k6.exec.vu.idInTest - 1]);
        iterate();
      } catch (error) {
        throw endTest(error);
      }
    },
  };
}

/**
 * k6 runs this once, before any load, in a virtual user of its own. What it returns reaches the others as JSON; null for
 * those who did not get as far.
 */
async function beginAll(
  scenario: Scenario,
  plan: TrialInK6,
  users: readonly User[],
  k6: TrialModules,
): Promise<Sessions> {
  const { instance } = k6.exec;
  const untilMs = instance.currentTestRunDuration + plan.longestBeginningS * 1000;
  const begun: (Begun | null)[] = Array.from({ length: plan.virtualUsers }, () => null);
  let next = 0;
  async function beginOthers(): Promise<void> {
    for (let index = next; index < plan.virtualUsers; index = next) {
      next += 1;
      const runner = runnerOf(scenario, plan, users, index);
      for (let action = runner.begin(); action.kind !== 'done'; ) {
        if (instance.currentTestRunDuration >= untilMs) return;
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
  plan: TrialInK6,
  { http, setTimeout }: TrialModules,
): Promise<NextAction> {
  if (action.kind === 'think') {
    await new Promise<void>((resolve) => setTimeout(resolve, action.durationS * 1000));
    return runner.resume();
  }
  const { method, headers, body } = action.request;
  const params = { headers, timeout: plan.timeoutS * 1000, jar: new http.CookieJar() };
  const answer = await http.asyncRequest(method, urlOf(action.request, plan), bodyForK6(body), params);
  return runner.answer(answerFromK6(answer, method)).next;
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
