import type { MetricId } from '../core/metrics.ts';
import type { TrialRecord } from '../core/trial.ts';
import { sum } from '../statistics/sums.ts';
import { type Contribution, contributionsTo } from './contributions.ts';
import {
  type CpuShare,
  cpuSharesIn,
  type Queue,
  queuesIn,
  SATURATED_RATIO,
  SATURATED_WITH_QUEUE_RATIO,
  sizeOf,
  type Utilization,
  utilizationsIn,
} from './resource-use.ts';
import { failedRatio, generatorLimits, refusals } from './trial-limits.ts';
import { meansInWindow, requestsIn, serviceOf } from './trial-window.ts';

/**
 * What limited a trial, from what the probes read in its measured window: the utilization and saturation of the USE method
 * (B. Gregg, https://www.brendangregg.com/usemethod.html). It is evidence and no proof: a resource that was used up while
 * the load was not served.
 */

/** A CPU limit that stops a service in so many of its periods is what it waits for, from this use of it on. */
const STOPPED_RATIO = { periods: 0.5, used: 0.5 } as const;
/** Connections are kept, so that all in use say something only where requests fail meanwhile. */
const FAILS_FROM_RATIO = 0.01;
/**
 * Others limit the machine, and not the system, where they use more than this share of its CPUs and also more than half of
 * what the services and the generator do.
 */
const FOREIGN_CPU_RATIO = 0.1;
const FOREIGN_CPU_OF_OWN_RATIO = 0.5;

export interface Bottleneck {
  /** What was saturated; where several were, the one that explains the others. Null where nothing that is seen was. */
  readonly first: Utilization | Queue | null;
  /** Of another service or resource: what is saturated too, or is closest to it. Null where nothing else is seen. */
  readonly next: Utilization | Queue | null;
  readonly because: readonly Contribution[];
  /** The largest first; empty where the machine or the processes are not seen. */
  readonly cpuShares: readonly CpuShare[];
  /** Of each instance and of the machine, the most used first. */
  readonly utilizations: readonly Utilization[];
  /** In the order of the instances. */
  readonly queues: readonly Queue[];
}

/**
 * Why nothing can be said: no probe was read in the window, or none that sees a service or the machine, or only the machine is
 * seen, which is not at its limit, as where the services run elsewhere.
 */
export interface BottleneckUnknown {
  readonly unknown: 'no-samples' | 'no-utilization' | 'no-service';
}

export interface BottleneckContext {
  readonly services: readonly {
    readonly name: string;
    /** The metrics that say when one of its kind is saturated (`ServiceType.resources`). */
    readonly resources: readonly MetricId[];
    /** Names of the services it asks. */
    readonly connectsTo: readonly string[];
  }[];
  /** How many CPUs the services were pinned to; null where they shared all of the machine. */
  readonly systemCpus: number | null;
}

export function bottleneckOf(
  record: Pick<TrialRecord, 'samples' | 'trial'>,
  context: BottleneckContext,
): Bottleneck | BottleneckUnknown {
  const { services, systemCpus } = context;
  const means = meansInWindow(record);
  const ofTrial = [...generatorLimits(record.trial, means), ...refusals(record.trial, means)];
  if (means.length === 0 && ofTrial.length === 0) return { unknown: 'no-samples' };
  const resourcesOf = new Map(services.map(({ name, resources }) => [name, resources]));
  const seen = means.filter(({ source }) => source === 'machine' || resourcesOf.has(serviceOf(source)));
  const utilizations = utilizationsIn(seen, systemCpus);
  const queues = queuesIn(seen);
  if (utilizations.length === 0 && queues.length === 0 && ofTrial.length === 0) return { unknown: 'no-utilization' };

  const cpuShares = cpuSharesIn(means);
  const requestsFail = failedRatio(record.trial) >= FAILS_FROM_RATIO;
  const isEvidence = ({ source, metric }: Utilization | Queue) => {
    // An event loop also lags where it gets no CPU: it says something beside the CPU of its process only.
    if (metric === 'event-loop-lag-p99' || (metric === 'connections' && !requestsFail)) return false;
    if (metric === 'machine-utilization') return isMachineOurs(cpuShares);
    return source === 'machine' || resourcesOf.get(serviceOf(source))?.includes(metric) === true;
  };
  const isSaturated = ({ source, metric, resource, ratio }: Utilization) =>
    ratio >= SATURATED_RATIO ||
    (metric === 'cpu-cores' &&
      ratio >= STOPPED_RATIO.used &&
      queues.some(
        (queue) => queue.source === source && queue.metric === 'throttled' && queue.waiting >= STOPPED_RATIO.periods,
      )) ||
    (ratio >= SATURATED_WITH_QUEUE_RATIO &&
      queues.some((queue) => queue.source === source && queue.resource === resource));
  const evidence = utilizations.filter(isEvidence);
  // A service below its own limit that waits for a CPU waits for those that all share, unless its limit stopped it.
  const waitsForMachine = (limit: Utilization | Queue) =>
    limit.kind === 'utilization' &&
    limit.resource === 'cpu' &&
    limit.source !== 'machine' &&
    limit.ratio < SATURATED_RATIO &&
    !queues.some(({ source, metric }) => source === limit.source && metric === 'throttled');
  const rank = (limit: Utilization | Queue) => (waitsForMachine(limit) ? AFTER_MACHINE : rankOf(limit));
  const heights = heightsOf(services);
  const heightOf = ({ source }: Utilization | Queue) => heights.get(serviceOf(source)) ?? 0;
  const saturated = [...ofTrial, ...evidence.filter(isSaturated), ...queues.filter(isEvidence)].sort(
    (one, other) =>
      rank(one) - rank(other) ||
      (rank(one) === HELD ? heightOf(one) - heightOf(other) : 0) ||
      sizeOf(other) - sizeOf(one),
  );
  const first = saturated[0] ?? null;
  if (first === null && [...utilizations, ...queues].every(({ source }) => source === 'machine'))
    return { unknown: 'no-service' };
  const others = [...saturated, ...evidence].filter((each) => first === null || !isSame(each, first));
  const because =
    first === null ? [] : contributionsTo(first, seen, requestsIn(record.trial.steps) / record.trial.measuredS);
  return { first, next: others[0] ?? null, because, cpuShares, utilizations, queues };
}

/** Whether the machine's CPUs, where they are used up, are used up by the services and the generator. */
function isMachineOurs(cpuShares: readonly CpuShare[]): boolean {
  const others = cpuShares.find(({ name }) => name === 'others')?.ratio ?? 0;
  const own = sum(cpuShares.map(({ ratio }) => ratio)) - others;
  return others <= Math.max(FOREIGN_CPU_RATIO, FOREIGN_CPU_OF_OWN_RATIO * own);
}

const AFTER_MACHINE = 2.5;
const HELD = 4;

/**
 * What explains the others comes first. A generator that is used up offers less than it should, so that nothing follows for
 * the system; what a rate limit refuses is not served however much is left. Work is done by a CPU or a disk; connections are
 * held and queues are long while that work takes its time, so they limit by themselves only where no such resource is
 * saturated, and of several pools that of the service that is asked by the others. That of a service says more than that of
 * the machine, which all share.
 */
function rankOf(limit: Utilization | Queue): number {
  if (limit.source === 'generator') return -1;
  if (limit.resource === 'rate-limit') return 0;
  const isHeld = limit.resource === 'connections' || limit.resource === 'files';
  if (limit.kind === 'utilization' && !isHeld) return limit.source === 'machine' ? 2 : 1;
  if (limit.resource === 'locks' || limit.resource === 'io') return 3;
  return limit.kind === 'utilization' ? HELD : 5;
}

/** Instances of a service do the same work, and one resource may have several metrics. */
function isSame(one: Utilization | Queue, other: Utilization | Queue): boolean {
  return serviceOf(one.source) === serviceOf(other.source) && one.resource === other.resource;
}

/** How many services in a row are asked behind each: 0 for one that asks no other. */
function heightsOf(services: BottleneckContext['services']): ReadonlyMap<string, number> {
  const heights = new Map<string, number>();
  const heightOf = (name: string, above: readonly string[]): number => {
    const behind = services.find((each) => each.name === name)?.connectsTo ?? [];
    return Math.max(
      0,
      ...behind.filter((each) => !above.includes(each)).map((each) => 1 + heightOf(each, [...above, name])),
    );
  };
  for (const { name } of services) heights.set(name, heightOf(name, []));
  return heights;
}
