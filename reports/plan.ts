import {
  type AssumptionId,
  assumptionIds,
  exactly,
  middle,
  type Prices,
  product,
  type Range,
  type Workload,
} from '../harness/core/plan.ts';
import { isChanged } from '../harness/core/study-record.ts';
import type { Service, Tier } from '../harness/core/tier.ts';
import type { Demand, Demands } from '../harness/judging/demands.ts';
import { costsOfPlan, planTier, type ServiceCost, type TierPlan } from '../harness/models/capacity-plan.ts';
import {
  instanceMonth,
  MONTH_S,
  type MonthlyCost,
  monthlyCost,
  type PricedService,
  perMillionRequests,
} from '../harness/models/cost.ts';
import { drawWorlds, type Uncertain } from '../harness/models/monte-carlo.ts';
import { meanValueAnalysis } from '../harness/models/mva.ts';
import {
  inputsOf,
  type ModelledPrices,
  modelErrorAt,
  type PlanModel,
  planInWorlds,
  UNKNOWN_DEMAND,
  type WorldsOfPlan,
} from '../harness/models/plan-worlds.ts';
import { activeUsers, type Load, loadOf } from '../harness/models/workload.ts';
import { connectionSum, connectionSumText } from '../harness/services/connections.ts';
import { shippedTypes } from '../harness/services/registry.ts';
import { seededRandom } from '../harness/statistics/block-bootstrap.ts';
import type { Analysis, Limit, ScenarioAnalysis, TierAnalysis } from './analysis.ts';
import { type ResourceNeed, resourceNeeds } from './plan-resources.ts';

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
      readonly costs: readonly ServiceCost[];
      readonly plan: TierPlan;
      /** The tier with the planned instances. */
      readonly planned: Tier;
      /** Mean response time of the planned tier by mean value analysis, with the active users; null above 100,000 users. */
      readonly meanResponseS: number | null;
      /** Of each service that limits its connections. */
      readonly connections: readonly PlannedConnections[];
      /** Null without prices. */
      readonly cost: PlanCost | null;
      /** The plan where what was measured and what is assumed vary within their intervals. */
      readonly inWorlds: WorldsOfPlan;
      readonly model: PlanModel;
      /** What it needs besides CPUs. */
      readonly resources: readonly ResourceNeed[];
      /** What limited the tier above the rate that it sustained; null where nothing above it was measured. */
      readonly limit: Limit | null;
      readonly demands: Demands;
    };

export type Planned = Extract<PlanOutcome, { readonly kind: 'planned' }>;

/** The plan of a tier, without what makes it a tier of a run: at any rate. */
export type PlanAtRate = Pick<Planned, 'load' | 'plan' | 'planned' | 'connections' | 'cost'>;

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

const WORLDS = 10_000;
/** The same result and question have the same plan. */
const SEED = 1;
/** Each user more is a step of mean value analysis. */
const MOST_USERS_SIMULATED = 100_000;

/** Every tier of a run, in its order: a pure function of the results folder and the question. */
export function planTiers({ tiers }: Analysis, question: PlanQuestion): readonly PlannedTier[] {
  return unchangedTiers(tiers).map(({ tier, of }) => ({ tier, outcome: planOf(of, question) }));
}

/** Of each tier that a sweep measured with several settings the one with those of its file, else the first. */
export function unchangedTiers(
  tiers: readonly TierAnalysis[],
): readonly { readonly tier: string; readonly of: TierAnalysis }[] {
  const byName = Map.groupBy(tiers, ({ name, facts }) => facts?.tier.name ?? name);
  return [...byName].flatMap(([tier, same]) => {
    const of = same.find(({ facts }) => facts === null || !isChanged(facts)) ?? same[0];
    return of === undefined ? [] : [{ tier, of }];
  });
}

export function suffices({ outcome }: PlannedTier): boolean {
  return outcome.kind === 'planned' && carries(outcome);
}

export function carries({ plan, connections }: PlanAtRate): boolean {
  return plan.carries && connections.every(fits);
}

export function fits({ total, limit }: PlannedConnections): boolean {
  return total <= limit;
}

function planOf({ facts, scenarios, records }: TierAnalysis, question: PlanQuestion): PlanOutcome {
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
  const atPeak = planAtRate({ costs, withinTargets, demands, load }, tier, question, load.peakPerS);
  const { plan } = atPeak;
  const model: PlanModel = {
    workload,
    services: demands.services.flatMap((demand) => {
      const cost = costsOfPlan(costs, plan).find(({ name }) => name === demand.service);
      if (cost === undefined) return [];
      return [{ ...cost, cpuS: demand.cpuS, mainThreadS: demand.mainThread?.cpuS ?? null, demand: doubtOf(demand) }];
    }),
    sustainedPerS: {
      value: (sustainedPerS.low + (sustainedPerS.high ?? sustainedPerS.low)) / 2,
      low: sustainedPerS.low,
      high: sustainedPerS.high ?? Math.max(sustainedPerS.low, usedUpPerS),
      shape: 'range',
    },
    modelError: modelErrorAt(load.peakPerS / sustainedPerS.low),
    usedUpPerS,
    usedUpBy: usedUpBy(demands),
    prices: prices === null ? null : modelledPrices(atPeak.planned, costs, demands.responseBytes, prices),
  };
  const inWorlds = planInWorlds(
    model,
    plan.services.map(({ instances }) => instances),
    drawWorlds(inputsOf(model), WORLDS, seededRandom(SEED)),
  );
  return {
    kind: 'planned',
    ...atPeak,
    activeUsers: users,
    sustainedPerS,
    withinTargets,
    demandsHaveIntervals: demands.services.every(({ interval }) => interval !== null),
    costs,
    meanResponseS: meanResponse(costsOfPlan(costs, plan), plan, Math.ceil(users), thinkS),
    inWorlds,
    model,
    resources: resourceNeeds({ tier, demands, records, load, peakPerS: inWorlds.peakPerS, plan }, workload),
    limit: scenario.searched?.above?.limit ?? null,
    demands,
  };
}

/** The plan for another rate at the peak, everything else as it is. */
export function planAtRate(
  { costs, withinTargets, demands, load }: Pick<Planned, 'costs' | 'withinTargets' | 'demands' | 'load'>,
  tier: Tier,
  { workload, prices }: PlanQuestion,
  peakPerS: number,
): PlanAtRate {
  const { headroomRatio, failures, largestCpus } = workload;
  const plan = planTier(costs, withinTargets, {
    peakPerS,
    growthRatio: middle(workload.growthRatio),
    headroomRatio,
    failures,
    largestCpus,
  });
  const planned = asPlanned(tier, plan);
  const scaled = { meanPerS: (load.meanPerS * peakPerS) / load.peakPerS, peakPerS };
  return {
    load: scaled,
    plan,
    planned,
    connections: connectionsOf(planned),
    cost: prices === null ? null : costOfPlan({ planned, costs, plan, load: scaled }, demands.responseBytes, prices),
  };
}

/** As a multiple of the demand. */
function doubtOf({ cpuS, interval }: Demand): Uncertain {
  if (interval === null || !(cpuS > 0)) return UNKNOWN_DEMAND;
  return { value: 1, low: interval.lowS / cpuS, high: interval.highS / cpuS, shape: 'interval' };
}

/** Whose demand says when the measured tier is used up: a service, or all of them where it is the machine they share. */
function usedUpBy({ expected, services }: Demands): PlanModel['usedUpBy'] {
  const [first] = expected.here;
  const own = services.filter(({ service }) => service === first?.station);
  const sharing = own.length > 0 ? own : services;
  const totalS = sharing.reduce((total, { cpuS }) => total + cpuS, 0);
  return Object.fromEntries(
    sharing.map(({ service, cpuS }) => [service, totalS > 0 ? cpuS / totalS : 1 / sharing.length]),
  );
}

/** What a plan is for: the middle of every range. */
function middles(workload: Workload): Readonly<Record<AssumptionId | 'amount', number>> {
  const of = (id: AssumptionId | 'amount') => [id, middle(workload[id])] as const;
  return Object.fromEntries([of('amount'), ...assumptionIds.map(of)]) as Record<AssumptionId | 'amount', number>;
}

function asPlanned(tier: Tier, { services }: TierPlan): Tier {
  return {
    ...tier,
    services: tier.services.map((service) => {
      const own = services.find(({ name }) => name === service.name);
      if (own === undefined) return service;
      const { instances, cpusOfOne } = own;
      const resources = cpusOfOne === null ? service.resources : { ...service.resources, cpus: cpusOfOne };
      return { ...service, instances, resources };
    }),
  };
}

function pricedService({ name, kind, instances, resources }: Service, costs: readonly ServiceCost[]): PricedService {
  const cpus = resources.cpus ?? null;
  const measured = costs.find((each) => each.name === name)?.cpus ?? null;
  const size = cpus === null || measured === null ? 1 : cpus / measured;
  return { name, kind, instances, cpus, memoryBytes: resources.memoryBytes ?? null, size };
}

function modelledPrices(
  { services }: Tier,
  costs: readonly ServiceCost[],
  responseBytes: number | null,
  prices: Prices,
): ModelledPrices {
  const nothing = monthlyCost([], prices, null);
  return {
    instanceMonth: Object.fromEntries(
      services.flatMap((service) => {
        const month = instanceMonth(pricedService(service, costs), prices);
        return month === null ? [] : [[service.name, month]];
      }),
    ),
    fixedMonth: nothing.total,
    perRequest: product(prices.networkGb ?? exactly(0), exactly((responseBytes ?? 0) / 1e9)),
  };
}

function costOfPlan(
  {
    planned: { services },
    costs,
    plan: { capacityPerS },
    load: { meanPerS },
  }: Pick<Planned, 'planned' | 'costs' | 'plan' | 'load'>,
  responseBytes: number | null,
  prices: Prices,
): PlanCost {
  const bytes = responseBytes === null ? null : responseBytes * meanPerS * MONTH_S;
  const month = monthlyCost(
    services.map((service) => pricedService(service, costs)),
    prices,
    bytes,
  );
  const { total } = month;
  const at = (ratePerS: number): Range => ({
    low: perMillionRequests(total.low, ratePerS),
    high: perMillionRequests(total.high, ratePerS),
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
