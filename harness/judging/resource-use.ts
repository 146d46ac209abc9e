import { type MetricId, type MetricUnit, metrics, type Resource } from '../core/metrics.ts';
import { sum } from '../statistics/sums.ts';
import { type SourceMean, serviceOf } from './trial-window.ts';

/** How much of each resource was in use in a trial, and what waited for it: utilization and saturation of the USE method. */

/** From this share on a resource counts as saturated: the rest is lost between readings, and to rounding of CPU times. */
export const SATURATED_RATIO = 0.9;
/** The same where work waits for the resource meanwhile. */
export const SATURATED_WITH_QUEUE_RATIO = 0.7;
/** From these means on work counts as waiting; below, it is what an idle system shows now and then. */
export const waitsFrom = { count: 0.5, seconds: 0.02, ratio: 0.05 } as const;
/** A replica lags by a few readings of its log at any load. */
const REPLICA_LAGS_FROM_S = 0.5;
/** Sessions of a database wait from this mean on, if that is so much of those at work: else it only belongs to the work. */
const SESSIONS_WAIT = { mean: 0.3, ratioOfActive: 0.35 } as const;
/** A session that writes waits for others also where those only wait for a CPU: then nearly all must wait. */
const SESSIONS_WAIT_WITHOUT_CPU = { mean: 1, ratioOfActive: 0.7 } as const;

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

/** CPU of the machine that a service used, with all its instances; the generator is `generator`, the rest `others`. */
export interface CpuShare {
  readonly name: string;
  /** Of all cores of the machine. */
  readonly ratio: number;
}

/** Of each instance and of the machine, the most used first. `systemCpus`: how many the services were pinned to, if any. */
export function utilizationsIn(means: readonly SourceMean[], systemCpus: number | null): readonly Utilization[] {
  return [...means.flatMap((each) => utilizationOf(each, means)), ...cpusTogether(means, systemCpus)].sort(
    (one, other) => other.ratio - one.ratio || compare(one.source, other.source) || compare(one.metric, other.metric),
  );
}

/** What waits for a resource, longer than in an idle system; in the order of the instances. */
export function queuesIn(means: readonly SourceMean[]): readonly Queue[] {
  return means.flatMap((each) => queueOf(each, means));
}

function utilizationOf({ source, metric, mean }: SourceMean, means: readonly SourceMean[]): Utilization[] {
  const { role, limit: limitMetric } = metrics[metric];
  if (role !== 'utilization') return [];
  const limit = limitMetric === undefined ? 1 : meanOf(means, source, limitMetric);
  if (limit === undefined || limit <= 0) return [];
  return [utilization({ source, metric, mean }, limit)];
}

export function utilization({ source, metric, mean: used }: SourceMean, limit: number): Utilization {
  return { kind: 'utilization', source, metric, resource: metrics[metric].resource, used, limit, ratio: used / limit };
}

function queueOf({ source, metric, mean }: SourceMean, means: readonly SourceMean[]): Queue[] {
  const { role, resource } = metrics[metric];
  return role === 'queue' && mean >= leastWaiting() ? [{ kind: 'queue', source, metric, resource, waiting: mean }] : [];

  function leastWaiting(): number {
    if (resource !== 'locks' && resource !== 'io') return waitsFromOf(metric);
    const lacksCpu =
      (meanOf(means, 'machine', 'machine-utilization') ?? 0) >= SATURATED_RATIO ||
      (meanOf(means, source, 'throttled') ?? 0) >= waitsFrom.ratio;
    const from = lacksCpu && metric !== 'waiting-for-lock' ? SESSIONS_WAIT_WITHOUT_CPU : SESSIONS_WAIT;
    return Math.max(from.mean, from.ratioOfActive * (meanOf(means, source, 'connections-active') ?? 0));
  }
}

function waitsFromOf(metric: MetricId): number {
  if (metric === 'replica-lag') return REPLICA_LAGS_FROM_S;
  const byUnit: Readonly<Partial<Record<MetricUnit, number>>> = waitsFrom;
  return byUnit[metrics[metric].unit] ?? Number.POSITIVE_INFINITY;
}

/** To tell the larger of two of one rank. */
export function sizeOf(use: Utilization | Queue): number {
  return use.kind === 'utilization' ? use.ratio : use.waiting / waitsFromOf(use.metric);
}

/** Services that are pinned to some CPUs may use those up together while the machine has others. */
function cpusTogether(means: readonly SourceMean[], systemCpus: number | null): Utilization[] {
  const own = means.filter(({ source, metric }) => source !== 'machine' && metric === 'cpu-cores');
  if (systemCpus === null || own.length === 0) return [];
  const used = sum(own.map(({ mean }) => mean));
  return [utilization({ source: 'machine', metric: 'cpu-cores', mean: used }, systemCpus)];
}

/** What the machine's CPUs were used for, the largest first; empty where the machine or the processes are not seen. */
export function cpuSharesIn(means: readonly SourceMean[]): readonly CpuShare[] {
  const cores = meanOf(means, 'machine', 'cores');
  const used = meanOf(means, 'machine', 'machine-utilization');
  const own = means.filter(({ source, metric }) => source !== 'machine' && metric === 'cpu-cores');
  // Without the generator nobody can tell whose the rest is.
  if (cores === undefined || used === undefined || !own.some(({ source }) => source === 'generator')) return [];
  const shares = [...Map.groupBy(own, ({ source }) => serviceOf(source))].map(([name, instances]) => {
    return { name, ratio: sum(instances.map(({ mean }) => mean)) / cores };
  });
  const interrupts = meanOf(means, 'machine', 'interrupts') ?? 0;
  const rest = used - interrupts - sum(shares.map(({ ratio }) => ratio));
  return [...shares, { name: 'others', ratio: Math.max(0, rest) }].sort((one, other) => other.ratio - one.ratio);
}

export function meanOf(means: readonly SourceMean[], source: string, metric: MetricId): number | undefined {
  return means.find((each) => each.source === source && each.metric === metric)?.mean;
}

function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}
