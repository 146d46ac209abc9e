import type { MetricId } from '../core/metrics.ts';
import { metrics } from '../core/metrics.ts';
import type { StepResult } from '../core/trial.ts';
import type { Estimate } from '../core/units.ts';
import {
  type ExpectedCapacity,
  expectedCapacities,
  isNearSaturation,
  type Station,
  serviceDemand,
  type Usage,
} from '../models/service-demand.ts';
import { stepDemands } from '../models/step-demand.ts';
import { mean, sum } from '../statistics/sums.ts';
import type { JudgedTrial } from './judged-trial.ts';
import { meansInWindow, requestsIn, type SourceMean, serviceOf } from './trial-window.ts';

/** CPU that one request costs a service. */
export interface Demand {
  readonly service: string;
  readonly cpuS: number;
  /** Null for fewer than three trials near the highest rate. */
  readonly interval: { readonly lowS: number; readonly highS: number } | null;
  /** CPUs it uses without requests; 0 where that is not known. */
  readonly backgroundCpus: number;
  /** How much of both is of its main threads, where it is saturated when those are; else null. */
  readonly mainThread: { readonly cpuS: number; readonly backgroundCpus: number } | null;
}

/** Anything else a request costs: statements, blocks, commands, bytes. */
export interface Amount {
  readonly service: string;
  readonly metric: MetricId;
  /** In the unit of the metric without its time. */
  readonly perRequest: number;
}

export interface HitRatio {
  readonly service: string;
  readonly metric: MetricId;
  readonly ratio: number;
}

/** Connections that were in use or at work at once, of all instances: a mean near saturation. */
export interface ConnectionsInUse {
  readonly service: string;
  readonly metric: MetricId;
  readonly mean: number;
}

/** What a request of a scenario costs on a tier: over all its steps, in the shares in which the scenario sends them. */
export interface Demands {
  /** The lowest and the highest of the trials near saturation, in requests/s: demands fall with load. */
  readonly takenAtPerS: readonly [lowest: number, highest: number];
  readonly trials: number;
  readonly requestsPerIteration: number;
  readonly services: readonly Demand[];
  readonly amounts: readonly Amount[];
  readonly hitRatios: readonly HitRatio[];
  readonly connections: readonly ConnectionsInUse[];
  /** Of the rows that databases read in tables, how many replicas read: 0..1. Null where there is no replica. */
  readonly rowsReadAtReplicasRatio: number | null;
  /** Bytes of response bodies as they were sent, for one request; null where the engine did not count them. */
  readonly responseBytes: number | null;
  /** Requests/s at which each resource is used up, the lowest first: as the tier runs here, and at the sizes of its file. */
  readonly expected: { readonly here: readonly ExpectedCapacity[]; readonly atTierSizes: readonly ExpectedCapacity[] };
}

export interface ServiceSize {
  readonly name: string;
  /** Metrics that say when one of its kind is saturated (`ServiceType.resources`). */
  readonly resources: readonly MetricId[];
  readonly instances: number;
  /** CPUs an instance may use by the tier file; undefined where it does not say. */
  readonly cpus?: number | undefined;
}

export interface DemandContext {
  readonly services: readonly ServiceSize[];
  /** CPUs that the services share on this machine; null where that is not known. */
  readonly systemCpus: number | null;
}

/** With more failures the requests are not those of the scenario any more. */
const MOST_FAILED_RATIO = 0.05;
/** Others took the CPU, or the window is not whole. Sent or read late changes latencies and no CPU time. */
const voiding = new Set(['stopped', 'service-crashed', 'foreign-cpu', 'cpu-stolen', 'generator-out-of-resources']);

/** The metrics whose share of two rates is a hit ratio: hits, misses. */
const hitMetrics: readonly (readonly [hits: MetricId, misses: MetricId])[] = [
  ['cache-hits', 'cache-misses'],
  ['key-hits', 'key-misses'],
  ['blocks-hit', 'blocks-read'],
];

/** Of the trials of one scenario on one tier; null where no probe saw a service work. */
export function demandsOf(trials: readonly JudgedTrial[], context: DemandContext): Demands | null {
  const seen = trials
    .filter(tells)
    .map((trial) => ({ trial, requestsPerS: answeredPerS(trial), means: meansInWindow(trial.record) }));
  const highestPerS = Math.max(0, ...seen.map(({ requestsPerS }) => requestsPerS));
  const near = seen.filter(({ requestsPerS }) => isNearSaturation(requestsPerS, highestPerS));
  const usageOf = (service: string, metric: MetricId): Usage[] =>
    seen.flatMap(({ requestsPerS, means }) => {
      const used = totalOf(means, service, metric);
      return used === null ? [] : [{ ratePerS: requestsPerS, usedPerS: used }];
    });
  const services = context.services.flatMap(({ name, resources }): Demand[] => {
    const cpu = serviceDemand(usageOf(name, 'cpu-cores'));
    if (cpu === null) return [];
    const thread = resources.includes('main-thread') ? serviceDemand(usageOf(name, 'main-thread')) : null;
    return [
      {
        service: name,
        cpuS: cpu.perUnitS,
        interval: cpu.interval && { lowS: cpu.interval.low, highS: cpu.interval.high },
        backgroundCpus: cpu.backgroundPerS,
        mainThread: thread && { cpuS: thread.perUnitS, backgroundCpus: thread.backgroundPerS },
      },
    ];
  });
  if (services.length === 0) return null;

  const means = near.flatMap(({ means: own, requestsPerS }) => own.map((each) => ({ ...each, requestsPerS })));
  return {
    takenAtPerS: [Math.min(...near.map(({ requestsPerS }) => requestsPerS)), highestPerS],
    trials: near.length,
    requestsPerIteration: mean(
      near.map(
        ({ trial: { record } }) => requestsIn(record.trial.steps) / Math.max(1, record.trial.iterations.completed),
      ),
    ),
    services,
    amounts: amountsIn(means, context),
    hitRatios: hitRatiosIn(means, context),
    connections: connectionsIn(means, near.length, context),
    rowsReadAtReplicasRatio: rowsReadAtReplicas(means, context),
    responseBytes: responseBytesOf(near.flatMap(({ trial }) => trial.record.trial.steps)),
    expected: {
      here: expectedRates(services, context),
      atTierSizes: expectedRates(services, { ...context, systemCpus: null }),
    },
  };
}

/**
 * Requests/s at which each service is used up, and the machine where its CPUs are known, the lowest first. The demands may
 * be those of the same services in another number or size: a request costs as much of each.
 */
export function expectedRates(demands: readonly Demand[], context: DemandContext): readonly ExpectedCapacity[] {
  return expectedCapacities(stationsOf(demands, context));
}

/** What requests use up: the CPU of each service, its main threads, and the CPUs that all services share. */
export function stationsOf(demands: readonly Demand[], { services, systemCpus }: DemandContext): readonly Station[] {
  const stationOf = (name: string, of: Pick<Demand, 'cpuS' | 'backgroundCpus'>, availablePerS: number): Station => ({
    name,
    perUnitS: of.cpuS,
    backgroundPerS: of.backgroundCpus,
    availablePerS,
  });
  const ofServices = demands.flatMap((demand) => {
    const { cpus, instances = 1 } = services.find(({ name }) => name === demand.service) ?? {};
    return [
      ...(cpus === undefined ? [] : [stationOf(demand.service, demand, cpus * instances)]),
      // A main thread runs on one CPU at a time, however many there are.
      ...(demand.mainThread === null ? [] : [stationOf(demand.service, demand.mainThread, instances)]),
    ];
  });
  const all = {
    cpuS: sum(demands.map(({ cpuS }) => cpuS)),
    backgroundCpus: sum(demands.map(({ backgroundCpus }) => backgroundCpus)),
  };
  return [...ofServices, ...(systemCpus === null ? [] : [stationOf('machine', all, systemCpus)])];
}

function tells({ record: { trial }, validity, summary, requests }: JudgedTrial): boolean {
  const isVoid = validity.kind === 'invalid' && validity.reasons.some(({ code }) => voiding.has(code));
  return !isVoid && trial.measuredS > 0 && requests.all > 0 && summary.errorRatio <= MOST_FAILED_RATIO;
}

function answeredPerS({ record: { trial } }: JudgedTrial): number {
  return requestsIn(trial.steps) / trial.measuredS;
}

/** Of all instances together; null where none was seen. */
function totalOf(means: readonly SourceMean[], service: string, metric: MetricId): number | null {
  const own = means.filter((each) => each.metric === metric && serviceOf(each.source) === service);
  return own.length === 0 ? null : own.reduce((sum, each) => sum + each.mean, 0);
}

type MeanAtRate = SourceMean & { readonly requestsPerS: number };

/** Rates of all instances over the rate of requests, over the trials near saturation. */
function amountsIn(means: readonly MeanAtRate[], { services }: DemandContext): readonly Amount[] {
  const rates = means.filter(({ metric }) => metrics[metric].role === 'rate');
  return services.flatMap(({ name: service }) => {
    const own = Map.groupBy(
      rates.filter(({ source }) => serviceOf(source) === service),
      ({ metric }) => metric,
    );
    return [...own].flatMap(([metric, values]) => {
      const requests = new Set(values.map(({ requestsPerS }) => requestsPerS));
      const total = values.reduce((sum, each) => sum + each.mean, 0);
      const perRequest = total / [...requests].reduce((sum, each) => sum + each, 0);
      return perRequest > 0 ? [{ service, metric, perRequest }] : [];
    });
  });
}

function hitRatiosIn(means: readonly MeanAtRate[], { services }: DemandContext): readonly HitRatio[] {
  return services.flatMap(({ name: service }) =>
    hitMetrics.flatMap(([hits, misses]) => {
      const found = totalOf(means, service, hits);
      const notFound = totalOf(means, service, misses);
      if (found === null || notFound === null || found + notFound === 0) return [];
      return [{ service, metric: hits, ratio: found / (found + notFound) }];
    }),
  );
}

const connectionMetrics = ['pool-in-use', 'clients-active', 'servers-active', 'connections-active'] as const;

function connectionsIn(
  means: readonly SourceMean[],
  trials: number,
  { services }: DemandContext,
): readonly ConnectionsInUse[] {
  return services.flatMap(({ name: service }) =>
    connectionMetrics.flatMap((metric) => {
      const total = totalOf(means, service, metric);
      return total === null ? [] : [{ service, metric, mean: total / trials }];
    }),
  );
}

function rowsReadAtReplicas(means: readonly SourceMean[], { services }: DemandContext): number | null {
  const rowsOf = (isReplica: boolean) => {
    const own = services.filter(({ resources }) => resources.includes('replica-lag') === isReplica);
    const read = own.flatMap(({ name }) => totalOf(means, name, 'rows-read') ?? []);
    return read.length === 0 ? null : sum(read);
  };
  const [primary, replicas] = [rowsOf(false), rowsOf(true)];
  if (primary === null || replicas === null || primary + replicas === 0) return null;
  return replicas / (primary + replicas);
}

function responseBytesOf(steps: readonly StepResult[]): number | null {
  const bytes = steps.flatMap(({ responseBytes }) => responseBytes ?? []);
  return bytes.length < steps.length ? null : sum(bytes) / Math.max(1, requestsIn(steps));
}

/** CPU of one request of a step; of any of several that only come together. `cpuS` null: the scenarios do not tell. */
export interface DemandOfSteps {
  readonly service: string;
  readonly steps: readonly string[];
  readonly cpuS: Estimate | null;
}

/** Of the trials of all scenarios on one tier, near the saturation of each. Empty where nothing tells steps apart. */
export function demandsOfSteps(
  scenarios: readonly { readonly trials: readonly JudgedTrial[]; readonly demands: Demands | null }[],
): readonly DemandOfSteps[] {
  const usages = scenarios.flatMap(({ trials, demands }) =>
    trials
      .filter((trial) => tells(trial) && answeredPerS(trial) >= (demands?.takenAtPerS[0] ?? Number.POSITIVE_INFINITY))
      .flatMap(({ record }) => {
        const { steps, measuredS } = record.trial;
        const ratesPerS = new Map(steps.map((step) => [step.name, requestsIn([step]) / measuredS]));
        const means = meansInWindow(record);
        return (demands?.services ?? []).map(({ service, backgroundCpus }) => {
          return { service, ratesPerS, usedPerS: (totalOf(means, service, 'cpu-cores') ?? 0) - backgroundCpus };
        });
      }),
  );
  return [...Map.groupBy(usages, ({ service }) => service)].flatMap(([service, own]) => {
    const found = stepDemands(own);
    return found.length < 2 ? [] : found.map(({ steps, estimate }) => ({ service, steps, cpuS: estimate }));
  });
}
