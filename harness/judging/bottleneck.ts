import { type MetricId, type MetricUnit, metrics, type Resource } from '../core/metrics.ts';
import type { Trial, TrialRecord } from '../core/trial.ts';
import { sum } from '../statistics/sums.ts';
import { meansInWindow, requestsIn, type SourceMean, succeededIn } from './trial-window.ts';

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
/** A replica lags by a few readings of its log at any load. */
const REPLICA_LAGS_FROM_S = 0.5;
/** Sessions of a database wait from this mean on, if that is so much of those at work: else it only belongs to the work. */
const SESSIONS_WAIT = { mean: 0.3, ratioOfActive: 0.35 } as const;
/** Connections are kept, so that all in use say something only where requests fail meanwhile. */
const FAILS_FROM_RATIO = 0.01;
/** From this share on of its CPUs the use of others is what limits the machine: such a trial is invalid (validity.ts). */
const FOREIGN_CPU_RATIO = 0.1;
const SCANS_FROM = { rowsPerRequest: 1000, ratioOfRows: 0.5 } as const;
const FEW_CACHE_HITS_RATIO = 0.5;

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

/** What makes the first dearer than it need be. It is no limit by itself. */
export type Contribution =
  /** `ratio`: of all rows that were read in tables. */
  | { readonly code: 'rows-scanned'; readonly source: string; readonly scannedPerS: number; readonly ratio: number }
  | { readonly code: 'few-cache-hits'; readonly source: string; readonly hitRatio: number; readonly readsPerS: number }
  | { readonly code: 'evictions'; readonly source: string; readonly evictedPerS: number };

/** CPU of the machine that a service used, with all its instances; the generator is `generator`, the rest `others`. */
export interface CpuShare {
  readonly name: string;
  /** Of all cores of the machine. */
  readonly ratio: number;
}

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

/** Why nothing can be said: no probe was read in the window, or none that sees a service or the machine. */
export interface BottleneckUnknown {
  readonly unknown: 'no-samples' | 'no-utilization';
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
  const utilizations = [...seen.flatMap((each) => utilizationOf(each, means)), ...cpusTogether(seen, systemCpus)].sort(
    (one, other) => other.ratio - one.ratio || compare(one.source, other.source) || compare(one.metric, other.metric),
  );
  const queues = seen.flatMap((each) => queueOf(each, means));
  if (utilizations.length === 0 && queues.length === 0 && ofTrial.length === 0) return { unknown: 'no-utilization' };

  const cpuShares = cpuSharesOf(means);
  const othersRatio = cpuShares.find(({ name }) => name === 'others')?.ratio ?? 0;
  const requestsFail = failedRatio(record.trial) >= FAILS_FROM_RATIO;
  const isEvidence = ({ source, metric }: Utilization | Queue) => {
    // An event loop also lags where it gets no CPU: it says something beside the CPU of its process only.
    if (metric === 'event-loop-lag-p99' || (metric === 'connections' && !requestsFail)) return false;
    if (metric === 'machine-utilization') return othersRatio <= FOREIGN_CPU_RATIO;
    return source === 'machine' || resourcesOf.get(serviceOf(source))?.includes(metric) === true;
  };
  const isSaturated = ({ source, resource, ratio }: Utilization) =>
    ratio >= SATURATED_RATIO ||
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
  const others = [...saturated, ...evidence].filter((each) => first === null || !isSame(each, first));
  const because =
    first === null ? [] : contributions(first, seen, requestsIn(record.trial.steps) / record.trial.measuredS);
  return { first, next: others[0] ?? null, because, cpuShares, utilizations, queues };
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

function sizeOf(limit: Utilization | Queue): number {
  return limit.kind === 'utilization' ? limit.ratio : limit.waiting / waitsFromOf(limit.metric);
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

/**
 * The generator by its own account, which is its event loop. That is also busy while it waits for a CPU, so where CPUs are
 * seen its thread must have worked, or the generator more than any service; or its own CPU limit stopped it.
 */
function generatorLimits({ generator, steps }: Trial, means: readonly SourceMean[]): (Utilization | Queue)[] {
  const source = 'generator';
  const { utilizationRatio: ratio } = generator;
  const meanOf = (metric: MetricId) => means.find((each) => each.source === source && each.metric === metric)?.mean;
  const cpus = means.filter(({ metric }) => metric === 'cpu-cores').toSorted((one, other) => other.mean - one.mean);
  const worked = cpus[0]?.source === source || (meanOf('main-thread') ?? 1) >= SATURATED_WITH_QUEUE_RATIO;
  const isBusy = ratio >= SATURATED_RATIO && worked;
  const throttled = meanOf('throttled') ?? 0;
  const ranOut = steps.some(({ outcomes }) => outcomes['generator-limit'] > 0);
  const files = meanOf('open-files');
  const filesLimit = meanOf('open-files-limit');
  return [
    ...(isBusy
      ? [{ kind: 'utilization', source, metric: 'main-thread', resource: 'cpu', used: ratio, limit: 1, ratio } as const]
      : []),
    ...(throttled >= (waitsFrom.ratio ?? 1)
      ? [{ kind: 'queue', source, metric: 'throttled', resource: 'cpu', waiting: throttled } as const]
      : []),
    ...(ranOut && files !== undefined && filesLimit !== undefined
      ? [utilization({ source, metric: 'open-files', mean: files }, filesLimit)]
      : []),
  ];
}

/** Responses 429, by the instance that refused most where it says so itself. */
function refusals({ steps }: Trial, means: readonly SourceMean[]): Queue[] {
  const refused = steps.reduce((sum, { statuses }) => sum + (statuses['429'] ?? 0), 0);
  const waiting = refused / Math.max(1, requestsIn(steps));
  if (waiting < (waitsFrom.ratio ?? 1)) return [];
  const [most] = means
    .filter(({ metric, mean }) => metric === 'rate-limited' && mean > 0)
    .toSorted((one, other) => other.mean - one.mean);
  return [{ kind: 'queue', source: most?.source ?? 'system', metric: 'refused-429', resource: 'rate-limit', waiting }];
}

function failedRatio({ steps }: Trial): number {
  const requests = requestsIn(steps);
  return requests === 0 ? 0 : 1 - succeededIn({ steps }) / requests;
}

/** What the machine's CPUs were used for. */
function cpuSharesOf(means: readonly SourceMean[]): CpuShare[] {
  const machine = (metric: MetricId) => means.find((each) => each.source === 'machine' && each.metric === metric)?.mean;
  const cores = machine('cores');
  const used = machine('machine-utilization');
  const own = means.filter(({ source, metric }) => source !== 'machine' && metric === 'cpu-cores');
  // Without the generator nobody can tell whose the rest is.
  if (cores === undefined || used === undefined || !own.some(({ source }) => source === 'generator')) return [];
  const shares = [...Map.groupBy(own, ({ source }) => serviceOf(source))].map(([name, instances]) => {
    return { name, ratio: sum(instances.map(({ mean }) => mean)) / cores };
  });
  const rest = used - (machine('interrupts') ?? 0) - sum(shares.map(({ ratio }) => ratio));
  return [...shares, { name: 'others', ratio: Math.max(0, rest) }].sort((one, other) => other.ratio - one.ratio);
}

function contributions(first: Utilization | Queue, seen: readonly SourceMean[], requestsPerS: number): Contribution[] {
  const of = (metric: MetricId, source?: string) =>
    sum(
      seen.filter((each) => each.metric === metric && each.source === (source ?? each.source)).map(({ mean }) => mean),
    );
  const sourceOf = (metric: MetricId) => seen.find((each) => each.metric === metric)?.source;
  const found: Contribution[] = [];
  const { source } = first;
  const scannedPerS = of('rows-scanned', source);
  const ratio = scannedPerS / Math.max(1, scannedPerS + of('rows-by-index', source));
  const { rowsPerRequest, ratioOfRows } = SCANS_FROM;
  if (scannedPerS >= rowsPerRequest * Math.max(1, requestsPerS) && ratio >= ratioOfRows) {
    found.push({ code: 'rows-scanned', source, scannedPerS, ratio });
  }
  // The app knows which reads were meant for the cache; the server also counts those of other keys.
  const cache = sourceOf('commands');
  if (cache === undefined || source === 'generator' || first.resource === 'rate-limit') return found;
  const isCounted = of('cache-hits') + of('cache-misses') > 0;
  const hits = of(isCounted ? 'cache-hits' : 'key-hits');
  const readsPerS = hits + of(isCounted ? 'cache-misses' : 'key-misses');
  const hitRatio = readsPerS === 0 ? 0 : hits / readsPerS;
  if (hitRatio < FEW_CACHE_HITS_RATIO) found.push({ code: 'few-cache-hits', source: cache, hitRatio, readsPerS });
  const evictedPerS = of('evictions');
  if (evictedPerS > 0) found.push({ code: 'evictions', source: cache, evictedPerS });
  return found;
}

function utilizationOf({ source, metric, mean }: SourceMean, means: readonly SourceMean[]): Utilization[] {
  const { role, limit: limitMetric } = metrics[metric];
  if (role !== 'utilization') return [];
  const limit =
    limitMetric === undefined ? 1 : means.find((each) => each.source === source && each.metric === limitMetric)?.mean;
  if (limit === undefined || limit <= 0) return [];
  return [utilization({ source, metric, mean }, limit)];
}

function utilization({ source, metric, mean: used }: SourceMean, limit: number): Utilization {
  return { kind: 'utilization', source, metric, resource: metrics[metric].resource, used, limit, ratio: used / limit };
}

function queueOf({ source, metric, mean }: SourceMean, means: readonly SourceMean[]): Queue[] {
  const { role, resource } = metrics[metric];
  const atWork = means.find((each) => each.source === source && each.metric === 'connections-active')?.mean ?? 0;
  const isOfSessions = resource === 'locks' || resource === 'io';
  const from = isOfSessions ? Math.max(SESSIONS_WAIT.mean, SESSIONS_WAIT.ratioOfActive * atWork) : waitsFromOf(metric);
  return role === 'queue' && mean >= from ? [{ kind: 'queue', source, metric, resource, waiting: mean }] : [];
}

function waitsFromOf(metric: MetricId): number {
  return metric === 'replica-lag' ? REPLICA_LAGS_FROM_S : (waitsFrom[metrics[metric].unit] ?? Number.POSITIVE_INFINITY);
}

/** Services that are pinned to some CPUs may use those up together while the machine has others. */
function cpusTogether(seen: readonly SourceMean[], systemCpus: number | null): Utilization[] {
  const own = seen.filter(({ source, metric }) => source !== 'machine' && metric === 'cpu-cores');
  if (systemCpus === null || own.length === 0) return [];
  const used = sum(own.map(({ mean }) => mean));
  return [utilization({ source: 'machine', metric: 'cpu-cores', mean: used }, systemCpus)];
}

/** `api/1` is an instance of `api`. */
export function serviceOf(source: string): string {
  return source.replace(/\/\d+$/u, '');
}

function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}
