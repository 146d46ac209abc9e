import { arrivalProcesses } from '../harness/core/load.ts';
import type { Trial, TrialPlan } from '../harness/core/trial.ts';
import type { LoadEngine } from '../harness/engines/engine.ts';
import { type AccountedRequest, createAccounting } from '../harness/engines/shared/accounting.ts';
import { checkLoad } from '../harness/engines/shared/check-request.ts';
import { type Random, randomStream } from '../scenarios/kit.ts';

/** Of every response. */
const RESPONSE_BYTES = 1000;

/** A system of one queue, first come first served, in front of some servers. */
export interface SimulatedSystem {
  readonly servers: number;
  /** Mean. */
  readonly serviceTimeS: number;
  readonly distribution: 'exponential' | 'deterministic';
  /** Requests of an iteration, one after the other. Default: one, `request`. */
  readonly steps?: readonly string[];
  /** This share of the requests is served and then answered with status 500. Default 0. */
  readonly failureRatio?: number;
  /**
   * Served slower at first: after t seconds of traffic service takes 1 + extraRatio x e^(-t / timeConstantS) times as
   * long.
   */
  readonly warmUpDrift?: { readonly extraRatio: number; readonly timeConstantS: number };
  /** Open load: arrivals beyond so many requests in flight are dropped. Default: no limit. */
  readonly mostInFlight?: number;
  /** What is reported of the generator. Default: busy for a tenth, no lag. */
  readonly generator?: Partial<Trial['generator']>;
  /** ISO 8601 start of each measured window; virtual time has no date of its own. */
  readonly startedAt?: string;
}

/**
 * An engine without a network or a clock, for tests of what uses engines: a queueing system in virtual time, all at once.
 * What the scenario says is not looked at.
 */
export function simulatedEngine(system: SimulatedSystem): LoadEngine {
  return {
    name: 'simulated',
    supports: new Set(['open', 'closed']),
    arrivals: new Set(arrivalProcesses),
    async run({ plan, users }, signal, onInterval = () => {}) {
      checkLoad(plan.load, users.length);
      const accounting = createAccounting(plan);
      let nowS = 0 - plan.warmUpS;
      const inFlight = startsInFlight();
      if (!signal.aborted) {
        for (const event of eventsOf(system, plan)) {
          if (event.atS >= plan.durationS) break;
          nowS = event.atS;
          for (const interval of accounting.advance(nowS)) onInterval(interval);
          if (signal.aborted) break;
          if (event.kind === 'started') {
            inFlight.add(nowS);
            accounting.iterationStarted(nowS);
          } else if (event.kind === 'dropped') accounting.iterationDropped(nowS);
          else {
            inFlight.remove(event.startedS);
            accounting.requestEnded(nowS, event.request);
            if (event.isLast) accounting.iterationEnded(nowS, event.hasFailed);
            else inFlight.add(nowS);
          }
        }
      }
      const accounted = accounting.close(signal.aborted ? nowS : plan.durationS, inFlight.all());
      for (const interval of accounting.advance(plan.durationS)) onInterval(interval);
      return {
        engine: 'simulated',
        plan,
        startedAt: system.startedAt ?? '2000-01-01T00:00:00.000Z',
        startedAtMonotonicS: 0,
        ...accounted,
        generator: {
          utilizationRatio: 0.1,
          eventLoopLagP99S: 0,
          sendLagP99S: plan.load.model === 'open' ? 0 : null,
          ...system.generator,
        },
      };
    },
  };
}

type SimulatedEvent = { readonly atS: number } & (
  | { readonly kind: 'started' }
  | { readonly kind: 'dropped' }
  | EndedRequest
);

interface EndedRequest {
  readonly atS: number;
  readonly kind: 'ended';
  readonly startedS: number;
  readonly request: AccountedRequest;
  /** In its iteration, from 0. */
  readonly index: number;
  readonly isLast: boolean;
  /** This request, or one before it in the iteration. */
  readonly hasFailed: boolean;
}

/** The starts of requests that have not ended; several may have started at the same time. */
function startsInFlight() {
  const starts = new Map<number, number>();
  return {
    add(startS: number): void {
      starts.set(startS, (starts.get(startS) ?? 0) + 1);
    },
    remove(startS: number): void {
      const left = (starts.get(startS) ?? 0) - 1;
      if (left > 0) starts.set(startS, left);
      else starts.delete(startS);
    },
    all: (): number[] => [...starts].flatMap(([startS, count]) => new Array<number>(count).fill(startS)),
  };
}

/** Everything that happens, in the order of time, without end. */
function* eventsOf(system: SimulatedSystem, plan: TrialPlan): Generator<SimulatedEvent, void, undefined> {
  const startS = 0 - plan.warmUpS;
  const freeAtS = earliestFirst((atS: number) => atS);
  for (let server = 0; server < system.servers; server += 1) freeAtS.add(startS);
  const ends = earliestFirst((event: EndedRequest) => event.atS);
  const random = randomStream(plan.seed, 0, 0);
  const { load } = plan;
  const { steps = ['request'] } = system;

  /** Serves one request that arrives now, after all that arrived before it. */
  function serve(arrivalS: number, index = 0, hadFailed = false): void {
    const serverFreeS = freeAtS.take() ?? arrivalS;
    const beginS = Math.max(arrivalS, serverFreeS);
    const endS = beginS + serviceTimeS(system, random, beginS - startS);
    freeAtS.add(endS);
    const fails = random() < (system.failureRatio ?? 0);
    const latencyS = endS - arrivalS;
    const answered = latencyS <= plan.timeoutS;
    const atS = answered ? endS : arrivalS + plan.timeoutS;
    const outcome = !answered ? 'timeout' : fails ? 'http-error' : 'ok';
    const status = !answered ? 0 : fails ? 500 : 200;
    const describe = () => (outcome === 'ok' ? '' : `simulated ${outcome}`);
    ends.add({
      atS,
      kind: 'ended',
      startedS: arrivalS,
      request: {
        step: steps[index] ?? '',
        outcome,
        status,
        bodyBytes: answered ? RESPONSE_BYTES : 0,
        latencyS,
        describe,
      },
      index,
      isLast: index + 1 >= steps.length,
      hasFailed: hadFailed || outcome !== 'ok',
    });
  }

  /** Sends the next request of the iteration, where there is one. */
  function goesOn({ atS, index, isLast, hasFailed }: EndedRequest): boolean {
    if (!isLast) serve(atS, index + 1, hasFailed);
    return !isLast;
  }

  if (load.model === 'closed') {
    for (let user = 0; user < load.concurrency; user += 1) {
      yield { atS: startS, kind: 'started' };
      serve(startS);
    }
    for (let ended = ends.take(); ended !== undefined; ended = ends.take()) {
      yield ended;
      if (goesOn(ended)) continue;
      yield { atS: ended.atS, kind: 'started' };
      serve(ended.atS);
    }
    return;
  }

  const arrivals = randomStream(plan.seed, 1, 0);
  for (let arrivalS = startS; ; arrivalS += gapS(load, arrivals)) {
    for (let next = ends.first(); next !== undefined && next.atS <= arrivalS; next = ends.first()) {
      yield next;
      ends.take();
      goesOn(next);
    }
    if (ends.size() >= (system.mostInFlight ?? Number.POSITIVE_INFINITY)) yield { atS: arrivalS, kind: 'dropped' };
    else {
      yield { atS: arrivalS, kind: 'started' };
      serve(arrivalS);
    }
  }
}

function serviceTimeS(system: SimulatedSystem, random: Random, sinceStartS: number): number {
  const { extraRatio = 0, timeConstantS = 1 } = system.warmUpDrift ?? {};
  const meanS = system.serviceTimeS * (1 + extraRatio * Math.exp(-sinceStartS / timeConstantS));
  return system.distribution === 'exponential' ? exponential(random, meanS) : meanS;
}

function gapS(load: { arrivalRatePerS: number; arrivals: 'poisson' | 'constant' }, random: Random): number {
  const meanS = 1 / load.arrivalRatePerS;
  return load.arrivals === 'poisson' ? exponential(random, meanS) : meanS;
}

function exponential(random: Random, mean: number): number {
  return -mean * Math.log(1 - random());
}

/** A queue that gives the earliest first: a binary heap. Equal times come in any, but always the same, order. */
interface EarliestFirst<T> {
  add(item: T): void;
  first(): T | undefined;
  take(): T | undefined;
  size(): number;
}

export function earliestFirst<T>(timeOf: (item: T) => number): EarliestFirst<T> {
  const heap: T[] = [];

  function isEarlier(left: number, right: number): boolean {
    return timeOf(heap[left] as T) < timeOf(heap[right] as T);
  }

  function swap(left: number, right: number): void {
    const held = heap[left] as T;
    heap[left] = heap[right] as T;
    heap[right] = held;
  }

  return {
    first: () => heap[0],
    size: () => heap.length,
    add(item) {
      heap.push(item);
      for (let at = heap.length - 1; at > 0; ) {
        const parent = (at - 1) >> 1;
        if (!isEarlier(at, parent)) return;
        swap(at, parent);
        at = parent;
      }
    },
    take() {
      const earliest = heap[0];
      const last = heap.pop();
      if (heap.length === 0 || last === undefined) return earliest;
      heap[0] = last;
      for (let at = 0; ; ) {
        let next = at;
        for (const child of [2 * at + 1, 2 * at + 2]) if (child < heap.length && isEarlier(child, next)) next = child;
        if (next === at) return earliest;
        swap(at, next);
        at = next;
      }
    },
  };
}
