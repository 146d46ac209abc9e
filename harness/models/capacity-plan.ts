import type { Range } from '../core/plan.ts';

/** What a request costs a service, and what one instance of it has. */
export interface ServiceCost {
  readonly name: string;
  /** In the tier that was measured. */
  readonly instances: number;
  /** Whether the tier can have more of it; else it can only be larger. */
  readonly scales: boolean;
  /** CPUs of an instance; null where the tier file does not limit them. */
  readonly cpus: number | null;
  /** CPUs that an instance uses without requests. */
  readonly backgroundCpus: number;
  readonly cpuS: Range;
  /** Of its main thread, which runs on one CPU at a time; null where it is not saturated when that is. */
  readonly mainThreadS: number | null;
}

export interface Requirement {
  /** Requests per second at the busiest time. */
  readonly peakPerS: number;
  /** 0.2: a fifth more than now. */
  readonly growthRatio: number;
  /** The share of its capacity that a service may be used to at the peak: 0.8. */
  readonly headroomRatio: number;
  /** How many instances of each service that scales may be gone at the peak. */
  readonly failures: number;
  /** CPUs of the largest instance that one can have. */
  readonly largestCpus: number;
}

export interface ServicePlan {
  readonly name: string;
  readonly scales: boolean;
  /** The plan; `atLeast` is what the better end of the measurements needs. */
  readonly instances: number;
  readonly atLeast: number;
  /** Requests per second of one instance within the targets; infinite where nothing limits it. */
  readonly capacityPerS: Range;
  /** Of its capacity, at the peak with growth, at the worse end. */
  readonly utilizationRatio: number;
  /** All instances together. */
  readonly cpus: number | null;
  /** CPUs of one instance: more than measured where there can be one only. */
  readonly cpusOfOne: number | null;
  /** CPUs that an instance would need to carry it; null where it carries it, or more CPUs would not help. */
  readonly needsCpus: number | null;
  readonly carries: boolean;
}

export interface TierPlan {
  readonly services: readonly ServicePlan[];
  readonly carries: boolean;
  /** What is saturated first when the load grows further. */
  readonly next: ServicePlan | null;
  /** Requests per second that the services that do not scale carry, with headroom. */
  readonly limitPerS: number;
  /** Requests per second that all of it carries, with headroom. */
  readonly capacityPerS: number;
  /** Sum over the services whose CPUs the tier file limits. */
  readonly cpus: number;
}

/**
 * How many instances of each service carry the peak. A service is used up at CPUs over CPU seconds a request (the bottleneck
 * law); within the targets it carries `withinTargets` of that, the share that was measured between the sustained rate and
 * the rate at which the measured tier is used up. Instances = max(ceil(peak (1 + growth)/(capacity × headroom)),
 * ceil(peak/capacity) + failures). What there can be only one of gets as many CPUs as it needs, up to the largest instance, unless
 * its main thread is used up, which more CPUs do not help.
 */
export function planTier(costs: readonly ServiceCost[], withinTargets: Range, requirement: Requirement): TierPlan {
  const services = costs.map((cost) => planService(cost, withinTargets, requirement));
  const byUse = services.toSorted((one, other) => other.utilizationRatio - one.utilizationRatio);
  const mostPerS = (own: readonly ServicePlan[]) =>
    Math.min(...own.map(({ capacityPerS, instances }) => capacityPerS.low * instances * requirement.headroomRatio));
  return {
    services,
    carries: services.every(({ carries }) => carries),
    next: byUse[0] ?? null,
    limitPerS: mostPerS(services.filter(({ scales }) => !scales)),
    capacityPerS: mostPerS(services),
    cpus: services.reduce((total, { cpus }) => total + (cpus ?? 0), 0),
  };
}

function planService(measured: ServiceCost, withinTargets: Range, requirement: Requirement): ServicePlan {
  const { name, scales, cpuS, mainThreadS } = measured;
  const { peakPerS, growthRatio, headroomRatio } = requirement;
  const grownPerS = peakPerS * (1 + growthRatio);
  const neededCpus = measured.backgroundCpus + (grownPerS * cpuS.high) / (withinTargets.low * headroomRatio);
  const ofOneThread = mainThreadS === null ? 0 : (grownPerS * mainThreadS) / (withinTargets.low * headroomRatio);
  const isLarger = !scales && ofOneThread <= measured.instances;
  const cost = isLarger
    ? { ...measured, cpus: largerCpus(measured.cpus, neededCpus / measured.instances, requirement) }
    : measured;
  const { cpus } = cost;
  const capacityPerS = {
    low: withinTargets.low / secondsOfOne(cpuS.high, cost),
    high: withinTargets.high / secondsOfOne(cpuS.low, cost),
  };
  const needed = (capacity: number) =>
    instancesFor({ now: peakPerS / capacity, grown: grownPerS / capacity }, requirement);
  const instances = scales ? needed(capacityPerS.low) : cost.instances;
  const utilizationRatio = grownPerS / (capacityPerS.low * instances);
  const carries = utilizationRatio <= headroomRatio * (1 + 1e-9);
  return {
    name,
    scales,
    instances,
    atLeast: scales ? needed(capacityPerS.high) : cost.instances,
    capacityPerS,
    utilizationRatio,
    cpus: cpus === null ? null : cpus * instances,
    cpusOfOne: cpus,
    needsCpus: carries || ofOneThread > instances ? null : neededCpus / instances,
    carries,
  };
}

/** What a person orders: half CPUs. Never fewer than the tier file has. */
function largerCpus(cpus: number | null, needed: number, { largestCpus }: Requirement): number | null {
  if (cpus === null || needed <= cpus) return cpus;
  return Math.max(cpus, Math.min(largestCpus, wholeFrom(2 * needed) / 2));
}

/** The services as they are planned: with the CPUs of the plan. */
export function costsOfPlan(costs: readonly ServiceCost[], { services }: TierPlan): readonly ServiceCost[] {
  return costs.map((cost, index) => ({ ...cost, cpus: services[index]?.cpusOfOne ?? cost.cpus }));
}

/** How many instances a load uses up, in fractions: as it is at the peak, and with growth. */
export interface PlannedLoad {
  readonly now: number;
  readonly grown: number;
}

/** Whole instances that keep the headroom, and carry the load without it where some fail. */
export function instancesFor(
  { now, grown }: PlannedLoad,
  { headroomRatio, failures }: Pick<Requirement, 'headroomRatio' | 'failures'>,
): number {
  return Math.max(1, wholeFrom(grown / headroomRatio), wholeFrom(now) + failures);
}

/** Rounded up, where 6.0000000001 is 6. */
function wholeFrom(value: number): number {
  return Math.ceil(value * (1 - 1e-9));
}

/** Seconds for which a request uses up one instance; 0 where nothing limits it. */
export function secondsOfOne(
  cpuS: number,
  { cpus, backgroundCpus, mainThreadS }: Pick<ServiceCost, 'cpus' | 'backgroundCpus' | 'mainThreadS'>,
): number {
  return Math.max(cpus === null ? 0 : cpuS / Math.max(1e-3, cpus - backgroundCpus), mainThreadS ?? 0);
}
