import {
  type AssumptionId,
  assumptionIds,
  middle,
  type Prices,
  type Range,
  type Workload,
} from '../harness/core/plan.ts';
import type { Service, Tier } from '../harness/core/tier.ts';
import type { Demand } from '../harness/judging/demands.ts';
import { planTier, type ServiceCost, type TierPlan } from '../harness/models/capacity-plan.ts';
import { MONTH_HOURS, type MonthlyCost, monthlyCost, perMillionRequests } from '../harness/models/cost.ts';
import { meanValueAnalysis } from '../harness/models/mva.ts';
import { activeUsers, type Load, loadOf } from '../harness/models/workload.ts';
import { connectionSum, connectionSumText } from '../harness/services/connections.ts';
import { shippedTypes } from '../harness/services/registry.ts';
import type { Analysis, ScenarioAnalysis, TierAnalysis } from './analysis.ts';

export interface PlanQuestion {
  readonly workload: Workload;
  readonly scenario: string;
  readonly prices: Prices | null;
}

export interface PlannedTier {
  readonly tier: string;
  readonly outcome: PlanOutcome;
}

export type PlanOutcome =
  | { readonly kind: 'no-plan'; readonly why: 'no-demands' | 'no-sustained-rate' | 'no-tier' }
  | {
      readonly kind: 'planned';
      readonly load: Load;
      readonly activeUsers: number;
      /** Requests per second that the tier sustained when it was measured; `high` is null where no end was found. */
      readonly sustainedPerS: { readonly low: number; readonly high: number | null };
      /** The share of the rate at which it is used up that meets the targets. */
      readonly withinTargets: Range;
      /** Demands of fewer than three trials have no interval. */
      readonly demandsHaveIntervals: boolean;
      readonly plan: TierPlan;
      /** The tier with the planned instances. */
      readonly planned: Tier;
      /** Mean response time of the planned tier by mean value analysis, with the active users; null above 100,000 users. */
      readonly meanResponseS: number | null;
      /** Of each service that limits its connections. */
      readonly connections: readonly PlannedConnections[];
      /** Null without prices. */
      readonly cost: PlanCost | null;
    };

export interface PlannedConnections {
  readonly service: string;
  readonly total: number;
  readonly limit: number;
  /** The calculation. */
  readonly sum: string;
}

export interface PlanCost extends MonthlyCost {
  /** Of a million requests at the capacity of the plan, and at the mean rate of a day. */
  readonly perMillion: { readonly atCapacity: Range; readonly atMean: Range };
}

/** Each user more is a step of mean value analysis. */
const MOST_USERS_SIMULATED = 100_000;

/** Every tier of a run, in its order: a pure function of the results folder and the question. */
export function planTiers({ tiers }: Analysis, question: PlanQuestion): readonly PlannedTier[] {
  return tiers.map((tier) => ({ tier: tier.name, outcome: planOf(tier, question) }));
}

export function suffices({ outcome }: PlannedTier): boolean {
  return outcome.kind === 'planned' && outcome.plan.carries && outcome.connections.every(fits);
}

export function fits({ total, limit }: PlannedConnections): boolean {
  return total <= limit;
}

function planOf({ facts, scenarios }: TierAnalysis, question: PlanQuestion): PlanOutcome {
  const { workload, prices } = question;
  const scenario = scenarios.find(({ name }) => name === question.scenario);
  if (facts === null) return { kind: 'no-plan', why: 'no-tier' };
  if (scenario?.demands == null) return { kind: 'no-plan', why: 'no-demands' };
  const { demands } = scenario;
  const usedUpPerS = demands.expected.here[0]?.atMostPerS ?? demands.takenAtPerS[1];
  const sustainedPerS = sustainedOf(scenario, demands.requestsPerIteration);
  if (sustainedPerS === null) return { kind: 'no-plan', why: 'no-sustained-rate' };
  const withinTargets = {
    low: Math.min(1, sustainedPerS.low / usedUpPerS),
    high: sustainedPerS.high === null ? 1 : Math.min(1, sustainedPerS.high / usedUpPerS),
  };
  const { tier } = facts;
  const costs = demands.services.flatMap((demand) => {
    const service = tier.services.find(({ name }) => name === demand.service);
    return service === undefined ? [] : [costOf(service, tier.services, demand, workload.cpuFactor)];
  });
  const totalS = costs.reduce((total, { cpuS }) => total + cpuS.low, 0);
  const load = loadOf(workload.kind, middles(workload), totalS);
  const responseS = scenario.searched?.at?.summary.latency.meanS ?? totalS;
  const thinkS = middle(workload.thinkS);
  const users =
    workload.kind === 'concurrent-users' ? middle(workload.amount) : activeUsers(load.peakPerS, responseS, thinkS);
  const { headroomRatio, failures } = workload;
  const growthRatio = middle(workload.growthRatio);
  const plan = planTier(costs, withinTargets, { peakPerS: load.peakPerS, growthRatio, headroomRatio, failures });
  const planned = withInstances(tier, plan);
  return {
    kind: 'planned',
    load,
    activeUsers: users,
    sustainedPerS,
    withinTargets,
    demandsHaveIntervals: demands.services.every(({ interval }) => interval !== null),
    plan,
    planned,
    meanResponseS: meanResponse(costs, plan, Math.ceil(users), thinkS),
    connections: connectionsOf(planned),
    cost: prices === null ? null : costOfPlan(planned, plan, load, demands.responseBytes, prices),
  };
}

/** What a plan is for: the middle of every range. */
function middles(workload: Workload): Readonly<Record<AssumptionId | 'amount', number>> {
  const of = (id: AssumptionId | 'amount') => [id, middle(workload[id])] as const;
  return Object.fromEntries([of('amount'), ...assumptionIds.map(of)]) as Record<AssumptionId | 'amount', number>;
}

function withInstances(tier: Tier, { services }: TierPlan): Tier {
  const instancesOf = ({ name, instances }: Service) =>
    services.find((each) => each.name === name)?.instances ?? instances;
  return {
    ...tier,
    services: tier.services.map((service) => ({ ...service, instances: instancesOf(service) })),
  };
}

function costOfPlan(
  { services }: Tier,
  { capacityPerS }: TierPlan,
  { meanPerS }: Load,
  responseBytes: number | null,
  prices: Prices,
): PlanCost {
  const priced = services.map(({ name, kind, instances, resources: { cpus = null, memoryBytes = null } }) => {
    return { name, kind, instances, cpus, memoryBytes };
  });
  const perMonth = MONTH_HOURS * 3600;
  const month = monthlyCost(priced, prices, responseBytes === null ? null : responseBytes * meanPerS * perMonth);
  const at = (ratePerS: number) => ({
    low: perMillionRequests(month.total.low, ratePerS),
    high: perMillionRequests(month.total.high, ratePerS),
  });
  return { ...month, perMillion: { atCapacity: at(capacityPerS), atMean: at(meanPerS) } };
}

function sustainedOf({ searched }: ScenarioAnalysis, requestsPerIteration: number) {
  if (searched?.lowPerS == null) return null;
  const { lowPerS, highPerS } = searched;
  return {
    low: lowPerS * requestsPerIteration,
    high: highPerS === null ? null : highPerS * requestsPerIteration,
  };
}

function costOf(service: Service, services: readonly Service[], demand: Demand, cpuFactor: Range): ServiceCost {
  const { cpuS, interval, backgroundCpus, mainThread } = demand;
  const { name, instances, resources } = service;
  return {
    name,
    instances,
    scales: scales(service, services),
    cpus: resources.cpus ?? null,
    backgroundCpus: backgroundCpus / instances,
    cpuS: { low: (interval?.lowS ?? cpuS) / cpuFactor.high, high: (interval?.highS ?? cpuS) / cpuFactor.low },
    mainThreadS: mainThread === null ? null : mainThread.cpuS / cpuFactor.low,
  };
}

/** Whether a tier file may have more of it: its kind may have several, and all that connect to it use every instance. */
function scales({ name, kind }: Service, services: readonly Service[]): boolean {
  const clients = services.flatMap((client) =>
    Object.entries(client.connectsTo)
      .filter(([, target]) => target === name)
      .map(([role]) => shippedTypes.get(client.kind)?.roles(client)[role]),
  );
  return (
    shippedTypes.get(kind)?.single === undefined && clients.length > 0 && clients.every((role) => role?.all === true)
  );
}

function meanResponse(costs: readonly ServiceCost[], { services }: TierPlan, users: number, thinkS: number) {
  if (users > MOST_USERS_SIMULATED) return null;
  const stations = costs.map(({ name, cpuS, cpus }) => {
    const instances = services.find((each) => each.name === name)?.instances ?? 1;
    // Less than a CPU is one that is slower.
    const ofOne = cpus ?? 1;
    const servers = Math.max(1, Math.floor(ofOne)) * instances;
    return { name, demandS: (cpuS.high * servers) / (ofOne * instances), servers };
  });
  return meanValueAnalysis(stations, users, thinkS).responseS;
}

function connectionsOf({ services }: Tier): readonly PlannedConnections[] {
  return services.flatMap((service) => {
    const sum = connectionSum(service, services, (kind) => shippedTypes.get(kind));
    if (sum === undefined) return [];
    return [{ service: service.name, total: sum.total, limit: sum.limit, sum: connectionSumText(sum) }];
  });
}
