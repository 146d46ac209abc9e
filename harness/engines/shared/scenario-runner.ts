import {
  type Behaviour,
  type Request,
  type Response,
  randomStream,
  type Scenario,
  type User,
} from '../../../scenarios/kit.ts';
import { asError, describeThrown, stackOf, TierbenchError } from '../../core/errors.ts';
import type { RawResponse } from '../../http-client/message.ts';
import { classifyResponse, type EndedRequest } from './classify-response.ts';
import { type PreparedRequest, prepareRequest } from './prepare-request.ts';

/**
 * Drives a scenario for one virtual user, free of sockets and clocks: every engine performs what it says and hands back
 * the answers. Runs inside k6 too, so it knows nothing of Node.
 */
export interface ScenarioRunner {
  /** Starts `begin`; at once `done` where the scenario has none. */
  begin(): NextAction;
  /** Where `begin` was not run, or gave up after a failed request, it is run first as a part of this iteration. */
  startIteration(): NextAction;
  /** Hands over how the request asked for last ended. */
  answer(answer: RawResponse): { readonly ended: EndedRequest; readonly next: NextAction };
  /** Goes on after a think time. */
  resume(): NextAction;
  /** What `begin` returned; undefined before. */
  begun(): Begun | undefined;
}

export interface Begun {
  readonly session?: unknown;
}

export type NextAction =
  | { readonly kind: 'send'; readonly request: PreparedRequest }
  | { readonly kind: 'think'; readonly durationS: number }
  /** `begin` or the iteration is over. `failed`: at least one of its requests was not ok. */
  | { readonly kind: 'done'; readonly failed: boolean };

export interface ScenarioRunnerOptions {
  readonly scenario: Scenario;
  readonly user: User;
  readonly seed: number;
  readonly virtualUser: number;
  readonly skipThinkTimes?: boolean;
  /** The named base URLs that requests may go to, besides the main one. */
  readonly baseUrls?: Readonly<Record<string, string>> | undefined;
  /** `begin` was run elsewhere, and returned this session. */
  readonly begun?: Begun | undefined;
}

const SUCCEEDED: NextAction = { kind: 'done', failed: false };
const FAILED: NextAction = { kind: 'done', failed: true };

/** This many actions or iterations in a row without a request and without time passing are taken for an endless loop. */
const MOST_IDLE_TURNS = 10_000;
/** `begin` prepares one virtual user; one that sends more than this is taken for an endless loop. */
export const MOST_BEGIN_REQUESTS = 1_000;

export function createScenarioRunner(options: ScenarioRunnerOptions): ScenarioRunner {
  const { scenario, user, seed, virtualUser } = options;
  let behaviour: Behaviour<unknown> | undefined;
  let phase: 'begin' | 'iteration' = 'begin';
  let begun = scenario.begin === undefined || options.begun !== undefined;
  let iterationFollows = false;
  let iteration = 0;
  let session = options.begun?.session;
  let awaited: Request | undefined;
  /** What the last turn yielded or returned. A variable, because k6 takes long to make an object. */
  let turned: unknown;
  let failed = false;
  let isBodyLost = false;
  let idleTurns = 0;
  let beginRequests = 0;

  function launch(next: 'begin' | 'iteration'): void {
    phase = next;
    let isBehaviour: boolean;
    try {
      if (next === 'begin') {
        beginRequests = 0;
        behaviour = scenario.begin?.({ user, random: randomStream(seed, virtualUser, -1) });
      } else {
        behaviour = scenario.iteration({ user, random: randomStream(seed, virtualUser, iteration), session });
        iteration += 1;
      }
      isBehaviour = isSynchronousGenerator(behaviour);
    } catch (error) {
      throw threw(error);
    }
    if (!isBehaviour) throw notAGenerator(scenario, phase);
  }

  function begin(): NextAction {
    failed = false;
    iterationFollows = false;
    if (scenario.begin === undefined) return SUCCEEDED;
    launch('begin');
    return advance(undefined);
  }

  function startIteration(): NextAction {
    failed = false;
    iterationFollows = !begun;
    launch(begun ? 'iteration' : 'begin');
    return advance(undefined);
  }

  function advance(response: Response | undefined): NextAction {
    let handed = response;
    for (;;) {
      const turn = takeTurn(handed);
      handed = undefined;
      if (turn !== 'goes on') {
        behaviour = undefined;
        // A session after a failed request is none: the next iteration begins again, and its failures count.
        if (phase === 'begin' && turn === 'done' && !failed) {
          begun = true;
          session = turned;
          if (iterationFollows) {
            iterationFollows = false;
            launch('iteration');
            continue;
          }
        }
        countIdleTurn();
        return failed ? FAILED : SUCCEEDED;
      }
      const next = nextOf(turned);
      if (next === undefined) countIdleTurn();
      else {
        idleTurns = 0;
        if (next.kind === 'send' && phase === 'begin') countBeginRequest();
        return next;
      }
    }
  }

  /** Undefined: a think time of nothing. What an action is made of may throw when it is looked at. */
  function nextOf(action: unknown): NextAction | undefined {
    try {
      if (isSend(action)) {
        const request = prepareRequest(scenario.name, action.request, options.baseUrls);
        awaited = action.request;
        return { kind: 'send', request };
      }
      const durationS = thinkTimeS(action);
      return options.skipThinkTimes !== true && durationS > 0 ? { kind: 'think', durationS } : undefined;
    } catch (error) {
      throw error instanceof TierbenchError ? error : threw(error);
    }
  }

  /** What a scenario throws after a failed request is taken for that failure's consequence: it gives up, no more. */
  function takeTurn(response: Response | undefined): 'goes on' | 'done' | 'gave up' {
    if (behaviour === undefined) throw new Error(`'${scenario.name}' was resumed, but nothing of it is running`);
    try {
      const result = behaviour.next(response);
      turned = result.value;
      return result.done === true ? 'done' : 'goes on';
    } catch (error) {
      if (failed) return 'gave up';
      throw threw(error);
    }
  }

  function threw(thrown: unknown): TierbenchError {
    const error = asError(thrown);
    const kind = /^\w*Error: /.exec(stackOf(error))?.[0] ?? '';
    return new TierbenchError(
      'SCENARIO_THREW',
      `Scenario '${scenario.name}' threw in ${phase} although every answer was right: ${kind}${describeThrown(error)}${placeOf(error)}`,
      'Fix the scenario file, then try it with one virtual user.',
      { cause: error },
    );
  }

  function thinkTimeS(action: unknown): number {
    if (isThink(action) && Number.isFinite(action.durationS) && action.durationS >= 0) return action.durationS;
    const isThought = typeof action === 'object' && action !== null && 'kind' in action && action.kind === 'think';
    const what = isThought
      ? `thinks for ${describeThrown('durationS' in action ? action.durationS : undefined)} seconds`
      : `yielded ${describeValue(action)}`;
    throw new TierbenchError(
      'SCENARIO_INVALID_ACTION',
      `Scenario '${scenario.name}' ${what} in ${phase}.`,
      isThought
        ? 'Give think() a number of seconds that is 0 or more.'
        : 'Write `yield* send({ ... })` or `yield* think(seconds)`: with the star, and nothing else.',
    );
  }

  function countIdleTurn(): void {
    idleTurns += 1;
    if (idleTurns < MOST_IDLE_TURNS) return;
    throw new TierbenchError(
      'SCENARIO_SENDS_NOTHING',
      `Scenario '${scenario.name}' went on ${MOST_IDLE_TURNS} times without sending a request.`,
      'Let each iteration send at least one: `yield* send({ ... })`; without `yield*` nothing is sent.',
    );
  }

  function countBeginRequest(): void {
    beginRequests += 1;
    if (beginRequests <= MOST_BEGIN_REQUESTS) return;
    throw new TierbenchError(
      'SCENARIO_BEGINS_FOREVER',
      `Scenario '${scenario.name}' sent ${MOST_BEGIN_REQUESTS} requests in begin and has not come to its end.`,
      'Let begin prepare one virtual user and return; what repeats belongs in iteration.',
    );
  }

  /** What a scenario reads before its next request counts against the request; later, against its iteration. */
  function noteBodyLost(): void {
    isBodyLost = true;
    failed = true;
  }

  return {
    begin,
    startIteration,
    resume: () => advance(undefined),
    begun: () => (begun ? { session } : undefined),
    answer(answer) {
      const request = awaited;
      if (request === undefined) throw new Error(`'${scenario.name}' was given an answer it did not ask for`);
      awaited = undefined;
      isBodyLost = false;
      const ended = classifyResponse(request, answer, noteBodyLost);
      if (ended.outcome !== 'ok') failed = true;
      const next = advance(ended.response);
      // The scenario read a body, in its check or just now, that is not there.
      const bodyLost = isBodyLost && answer.kind === 'answered' ? answer.bodyLost : undefined;
      return { ended: bodyLost === undefined ? ended : withoutBody(ended, bodyLost), next };
    },
  };
}

function withoutBody(ended: EndedRequest, why: string): EndedRequest {
  return { ...ended, outcome: 'malformed', status: 0, bodyBytes: 0, describe: () => why };
}

/** `at crud.ts:12:5`: the first line of the stack, which is where a scenario's author looks. */
function placeOf(error: unknown): string {
  const place = /\bat .*?([^/\s()]+:\d+:\d+)\)?/.exec(stackOf(error))?.[1];
  return place === undefined ? '' : ` (${place})`;
}

function isSend(action: unknown): action is { kind: 'send'; request: Request } {
  return typeof action === 'object' && action !== null && 'kind' in action && action.kind === 'send';
}

function isThink(action: unknown): action is { kind: 'think'; durationS: number } {
  return (
    typeof action === 'object' &&
    action !== null &&
    'kind' in action &&
    action.kind === 'think' &&
    'durationS' in action &&
    typeof action.durationS === 'number'
  );
}

function isSynchronousGenerator(value: unknown): value is Behaviour<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    'next' in value &&
    typeof value.next === 'function' &&
    !(Symbol.asyncIterator in value)
  );
}

function notAGenerator(scenario: Scenario, phase: 'begin' | 'iteration'): TierbenchError {
  return new TierbenchError(
    'SCENARIO_INVALID',
    `The ${phase} of scenario '${scenario.name}' is not a synchronous generator.`,
    `Write it with a star and without async: \`*${phase}({ user, random }) { ... }\`.`,
  );
}

function describeValue(value: unknown): string {
  if (typeof value === 'object' && value !== null) {
    if ('next' in value) return 'a generator';
    return `an object with ${Object.keys(value).slice(0, 10).join(', ') || 'no fields'}`;
  }
  return describeThrown(typeof value === 'string' ? JSON.stringify(value) : value);
}
