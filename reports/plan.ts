import type { Service } from '../harness/core/tier.ts';
import type { Demand } from '../harness/judging/demands.ts';
import {
  planTier,
  type Range,
  type Requirement,
  type ServiceCost,
  type TierPlan,
} from '../harness/models/capacity-plan.ts';
import { meanValueAnalysis } from '../harness/models/mva.ts';
import { activeUsers, mostRequestsPerS, requestRate, type Workload } from '../harness/models/workload.ts';
import { connectionSum, connectionSumText } from '../harness/services/connections.ts';
import { shippedTypes } from '../harness/services/registry.ts';
import type { Analysis, ScenarioAnalysis, TierAnalysis } from './analysis.ts';

/** The load that is planned for: requests per second at the peak, users in a day, or users at once. */
export type Wanted =
  | { readonly kind: 'rate'; readonly peakPerS: number }
  | ({ readonly kind: 'users' } & Workload)
  | { readonly kind: 'concurrent'; readonly users: number };

export interface PlanQuestion extends Omit<Requirement, 'peakPerS'> {
  readonly wanted: Wanted;
  readonly scenario: string;
  readonly thinkS: number;
  /** How many times faster a CPU of the planned machines is than one of the machine that was measured. */
  readonly cpuFactor: Range;
}

export interface PlannedTier {
  readonly tier: string;
  readonly outcome: PlanOutcome;
}

export type PlanOutcome =
  | { readonly kind: 'no-plan'; readonly why: 'no-demands' | 'no-sustained-rate' | 'no-tier' }
  | {
      readonly kind: 'planned';
      readonly peakPerS: number;
      readonly activeUsers: number;
      /** Requests per second that the tier sustained when it was measured; `high` is null where no end was found. */
      readonly sustainedPerS: { readonly low: number; readonly high: number | null };
      /** The share of the rate at which it is used up that meets the targets. */
      readonly withinTargets: Range;
      /** Demands of fewer than three trials have no interval. */
      readonly demandsHaveIntervals: boolean;
      readonly plan: TierPlan;
      /** Mean response time of the planned tier by mean value analysis, with the active users; null above 100,000 users. */
      readonly meanResponseS: number | null;
      /** Services that cannot accept the connections of the planned instances. */
      readonly connections: readonly TooManyConnections[];
    };

export interface TooManyConnections {
  readonly service: string;
  readonly total: number;
  readonly limit: number;
  /** The calculation. */
  readonly sum: string;
}

/** Each user more is a step of mean value analysis. */
const MOST_USERS_SIMULATED = 100_000;

/** Every tier of a run, in its order: a pure function of the results folder and the question. */
export function planTiers({ tiers }: Analysis, question: PlanQuestion): readonly PlannedTier[] {
  return tiers.map((tier) => ({ tier: tier.name, outcome: planOf(tier, question) }));
}

export function suffices({ outcome }: PlannedTier): boolean {
  return outcome.kind === 'planned' && outcome.plan.carries && outcome.connections.length === 0;
}

function planOf({ facts, scenarios }: TierAnalysis, question: PlanQuestion): PlanOutcome {
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
  const { services } = facts.tier;
  const costs = demands.services.flatMap((demand) => {
    const service = services.find(({ name }) => name === demand.service);
    return service === undefined ? [] : [costOf(service, services, demand, question.cpuFactor)];
  });
  const totalS = costs.reduce((total, { cpuS }) => total + cpuS.low, 0);
  const peakPerS = peakOf(question, totalS);
  const responseS = scenario.searched?.at?.summary.latency.meanS ?? totalS;
  const atOnce =
    question.wanted.kind === 'concurrent' ? question.wanted.users : activeUsers(peakPerS, responseS, question.thinkS);
  const plan = planTier(costs, withinTargets, { ...question, peakPerS });
  return {
    kind: 'planned',
    peakPerS,
    activeUsers: atOnce,
    sustainedPerS,
    withinTargets,
    demandsHaveIntervals: demands.services.every(({ interval }) => interval !== null),
    plan,
    meanResponseS: meanResponse(costs, plan, Math.ceil(atOnce), question.thinkS),
    connections: tooManyConnections(services, plan),
  };
}

function peakOf({ wanted, thinkS }: PlanQuestion, demandS: number): number {
  switch (wanted.kind) {
    case 'rate':
      return wanted.peakPerS;
    case 'users':
      return requestRate(wanted).peakPerS;
    case 'concurrent':
      return mostRequestsPerS(wanted.users, demandS, thinkS);
  }
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

function tooManyConnections(services: readonly Service[], plan: TierPlan): readonly TooManyConnections[] {
  const planned = services.map((service) => ({
    ...service,
    instances: plan.services.find(({ name }) => name === service.name)?.instances ?? service.instances,
  }));
  return planned.flatMap((service) => {
    const sum = connectionSum(service, planned, (kind) => shippedTypes.get(kind));
    if (sum === undefined || sum.total <= sum.limit) return [];
    return [{ service: service.name, total: sum.total, limit: sum.limit, sum: connectionSumText(sum) }];
  });
}
