import { type MetricId, type MetricUnit, metrics, type Resource } from '../core/metrics.ts';
import type { TrialRecord } from '../core/trial.ts';
import { meansInWindow, type SourceMean } from './trial-window.ts';

/**
 * What limited a trial, from what the probes read in its measured window: the utilization and saturation of the USE method
 * (B. Gregg, https://www.brendangregg.com/usemethod.html). It is evidence and no proof: a resource that was used up while
 * the load was not served.
 */

/** From this share on a resource counts as saturated: the rest is lost between readings, and to rounding of CPU times. */
const SATURATED_RATIO = 0.9;
/** The same where work waits for the resource meanwhile. */
const SATURATED_WITH_QUEUE_RATIO = 0.7;
/** From these means on work counts as waiting; below, it is what an idle system shows now and then. */
const waitsFrom: Readonly<Partial<Record<MetricUnit, number>>> = { count: 0.5, seconds: 0.02, ratio: 0.05 };

/** How much of a resource was in use. */
export interface Utilization {
  readonly kind: 'utilization';
  /** `api/1`, or `machine`. */
  readonly source: string;
  readonly metric: MetricId;
  readonly resource: Resource;
  /** Mean, in the unit of the metric. */
  readonly used: number;
  readonly limit: number;
  /** `used` of `limit`: 0..1, and a little more where a limit is averaged over other periods than the probe's. */
  readonly ratio: number;
}

/** Work that waited for a resource. */
export interface Queue {
  readonly kind: 'queue';
  readonly source: string;
  readonly metric: MetricId;
  readonly resource: Resource;
  /** Mean, in the unit of the metric: how much waited, for how long, or in which share of the time. */
  readonly waiting: number;
}

export interface Bottleneck {
  /** What was saturated; where several were, the one that explains the others. Null where nothing that is seen was. */
  readonly first: Utilization | Queue | null;
  /** Of another service or resource: what is saturated too, or is closest to it. Null where nothing else is seen. */
  readonly next: Utilization | Queue | null;
  /** Of each instance and of the machine, the most used first. */
  readonly utilizations: readonly Utilization[];
  /** In the order of the instances. */
  readonly queues: readonly Queue[];
}

/** Why nothing can be said: no probe was read in the window, or none that sees a service or the machine. */
export interface BottleneckUnknown {
  readonly unknown: 'no-samples' | 'no-utilization';
}

export interface BottleneckContext {
  /** Services of the tier, and the metrics that say when one of their kind is saturated (`ServiceType.resources`). */
  readonly services: readonly { readonly name: string; readonly resources: readonly MetricId[] }[];
  /** How many CPUs the services were pinned to; null where they shared all of the machine. */
  readonly systemCpus: number | null;
}

export function bottleneckOf(
  record: Pick<TrialRecord, 'samples' | 'trial'>,
  { services, systemCpus }: BottleneckContext,
): Bottleneck | BottleneckUnknown {
  const means = meansInWindow(record);
  if (means.length === 0) return { unknown: 'no-samples' };
  const resourcesOf = new Map(services.map(({ name, resources }) => [name, resources]));
  const seen = means.filter(({ source }) => source === 'machine' || resourcesOf.has(serviceOf(source)));
  const utilizations = [...seen.flatMap((each) => utilizationOf(each, means)), ...cpusTogether(seen, systemCpus)].sort(
    (one, other) => other.ratio - one.ratio || compare(one.source, other.source) || compare(one.metric, other.metric),
  );
  const queues = seen.flatMap(queueOf);
  if (utilizations.length === 0 && queues.length === 0) return { unknown: 'no-utilization' };

  const isEvidence = ({ source, metric }: Utilization | Queue) =>
    source === 'machine' || resourcesOf.get(serviceOf(source))?.includes(metric) === true;
  const isSaturated = ({ source, resource, ratio }: Utilization) =>
    ratio >= SATURATED_RATIO ||
    (ratio >= SATURATED_WITH_QUEUE_RATIO &&
      queues.some((queue) => queue.source === source && queue.resource === resource));
  const evidence = utilizations.filter(isEvidence);
  const saturated = [...evidence.filter(isSaturated), ...queues.filter(isEvidence)].sort(
    (one, other) => rankOf(one) - rankOf(other) || sizeOf(other) - sizeOf(one),
  );
  const first = saturated[0] ?? null;
  const others = [...saturated, ...evidence].filter((each) => first === null || !isSame(each, first));
  return { first, next: others[0] ?? null, utilizations, queues };
}

/**
 * What explains the others comes first. Work is done by a CPU or a disk; connections are held and queues are long while
 * that work takes its time, so they limit by themselves only where no such resource is saturated. That of a service says
 * more than that of the machine, which all share.
 */
function rankOf(limit: Utilization | Queue): number {
  const heldMeanwhile = limit.resource === 'connections';
  if (limit.kind === 'utilization' && !heldMeanwhile) return limit.source === 'machine' ? 1 : 0;
  if (limit.resource === 'locks' || limit.resource === 'io') return 2;
  return limit.kind === 'utilization' ? 3 : 4;
}

function sizeOf(limit: Utilization | Queue): number {
  return limit.kind === 'utilization' ? limit.ratio : limit.waiting / (waitsFrom[metrics[limit.metric].unit] ?? 1);
}

/** Instances of a service do the same work, and one resource may have several metrics. */
function isSame(one: Utilization | Queue, other: Utilization | Queue): boolean {
  return serviceOf(one.source) === serviceOf(other.source) && one.resource === other.resource;
}

function utilizationOf({ source, metric, mean }: SourceMean, means: readonly SourceMean[]): Utilization[] {
  const { role, resource, limit: limitMetric } = metrics[metric];
  if (role !== 'utilization') return [];
  const limit =
    limitMetric === undefined ? 1 : means.find((each) => each.source === source && each.metric === limitMetric)?.mean;
  if (limit === undefined || limit <= 0) return [];
  return [{ kind: 'utilization', source, metric, resource, used: mean, limit, ratio: mean / limit }];
}

function queueOf({ source, metric, mean }: SourceMean): Queue[] {
  const { role, resource, unit } = metrics[metric];
  const from = waitsFrom[unit];
  return role === 'queue' && from !== undefined && mean >= from
    ? [{ kind: 'queue', source, metric, resource, waiting: mean }]
    : [];
}

/** Services that are pinned to some CPUs may use those up together while the machine has others. */
function cpusTogether(seen: readonly SourceMean[], systemCpus: number | null): Utilization[] {
  const own = seen.filter(({ source, metric }) => source !== 'machine' && metric === 'cpu-cores');
  if (systemCpus === null || own.length === 0) return [];
  const used = own.reduce((sum, { mean }) => sum + mean, 0);
  const metric = 'cpu-cores';
  return [
    {
      kind: 'utilization',
      source: 'machine',
      metric,
      resource: 'cpu',
      used,
      limit: systemCpus,
      ratio: used / systemCpus,
    },
  ];
}

/** `api/1` is an instance of `api`. */
export function serviceOf(source: string): string {
  return source.replace(/\/\d+$/u, '');
}

function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}
