import { type AssumptionId, assumptionIds, isExact, middle, type Range, type Workload } from '../core/plan.ts';
import type { Estimate } from '../core/units.ts';
import { instancesFor, type PlannedLoad, type ServiceCost, secondsOfOne } from './capacity-plan.ts';
import { MONTH_S } from './cost.ts';
import { SCATTER_BEYOND, USUAL_SCATTER } from './held-out.ts';
import {
  type Inputs,
  likelyWorld,
  SIDES_95,
  type Swing,
  spreadOf,
  tornado,
  type Uncertain,
  type World,
} from './monte-carlo.ts';
import { type Load, loadOf, peakAssumptions } from './workload.ts';

/**
 * A plan in many worlds: what was measured and what is assumed vary within their intervals, and in each world the load and
 * the capacity of every service follow from them.
 */

/** `sustained`: the rate that was measured. `model`: what is true over what the model says. `price`: from the lower end of the prices to the upper one, 0..1. */
export type InputId = AssumptionId | 'amount' | 'sustained' | 'model' | 'price' | `demand:${string}`;

export interface PlanModel {
  readonly workload: Workload;
  readonly services: readonly ModelledService[];
  /** Requests per second that the measured tier sustained. */
  readonly sustainedPerS: Uncertain;
  /** Requests per second at which it is used up by its demands, and the part that each service has in what is used up. */
  readonly usedUpPerS: number;
  readonly usedUpBy: Readonly<Record<string, number>>;
  readonly modelError: Uncertain;
  /** A month of one instance of each service by its name, and of all that the instances do not change; null without prices. */
  readonly prices: ModelledPrices | null;
}

/** Demands at their values on the CPUs of the machine that was measured. */
export interface ModelledService extends Omit<ServiceCost, 'cpuS'> {
  readonly cpuS: number;
  /** Of its demand, as a multiple of it. */
  readonly demand: Uncertain;
}

export interface ModelledPrices {
  readonly instanceMonth: Readonly<Record<string, Range>>;
  readonly fixedMonth: Range;
  /** For one request. */
  readonly perRequest: Range;
}

/** Demands of fewer than three trials have no interval: what is taken in its place. */
export const UNKNOWN_DEMAND: Uncertain = { value: 1, low: 0.8, high: 1.2, shape: 'range' };

/** How far off the bottleneck law may be at `times` the measured rate: as in sweeps whose values were held out. */
export function modelErrorAt(times: number): Uncertain {
  const deviation = Math.hypot(USUAL_SCATTER, SCATTER_BEYOND * Math.log(Math.max(1, times)));
  const factor = Math.exp(SIDES_95 * deviation);
  return { value: 1, low: 1 / factor, high: factor, shape: 'interval' };
}

/** Everything that the plan depends on. */
export function inputsOf({ workload, services, sustainedPerS, modelError, prices }: PlanModel): Inputs<InputId> {
  const used = new Set<AssumptionId>([...peakAssumptions[workload.kind], 'growthRatio', 'cpuFactor']);
  if (prices !== null && !isExact(prices.perRequest)) used.add('peakFactor');
  const ofRange = (range: Range): Uncertain => ({ ...range, value: middle(range), shape: 'range' });
  const fixed = (range: Range): Uncertain => ({ ...ofRange(range), low: middle(range), high: middle(range) });
  const hasPriceRange =
    prices !== null &&
    [prices.fixedMonth, prices.perRequest, ...Object.values(prices.instanceMonth)].some((each) => !isExact(each));
  return {
    ...(Object.fromEntries(
      assumptionIds.map((id) => [id, used.has(id) ? ofRange(workload[id]) : fixed(workload[id])]),
    ) as Record<AssumptionId, Uncertain>),
    amount: ofRange(workload.amount),
    sustained: sustainedPerS,
    model: modelError,
    price: hasPriceRange
      ? { value: 0.5, low: 0, high: 1, shape: 'range' }
      : { value: 0.5, low: 0.5, high: 0.5, shape: 'range' },
    ...Object.fromEntries(services.map(({ name, demand }) => [`demand:${name}`, demand])),
  };
}

/** What the load needs in one world. */
export interface NeedInWorld {
  readonly load: Load;
  /** Of each service, in their order. */
  readonly services: readonly PlannedLoad[];
}

export function needIn(model: PlanModel, world: World<InputId>): NeedInWorld {
  const { services, workload, usedUpBy } = model;
  const demandOf = (name: string) => world[`demand:${name}`] ?? 1;
  const demandS = services.reduce((total, { name, cpuS }) => total + cpuS * demandOf(name), 0) / world.cpuFactor;
  const load = loadOf(workload.kind, world, demandS);
  // Where demands are higher than they seemed, the measured tier was nearer to the end of what it can do.
  const moreUsed = Object.entries(usedUpBy).reduce((total, [name, share]) => total + share * demandOf(name), 0);
  const withinTargets = Math.min(1, (world.sustained * moreUsed) / model.usedUpPerS);
  return {
    load,
    services: services.map((service): PlannedLoad => {
      const faster = demandOf(service.name) / world.cpuFactor;
      const own = { ...service, mainThreadS: service.mainThreadS === null ? null : service.mainThreadS * faster };
      const now = (load.peakPerS * secondsOfOne(service.cpuS * faster, own)) / withinTargets / world.model;
      return { now, grown: now * (1 + world.growthRatio) };
    }),
  };
}

/** Instances of each service by its name, and CPUs or money a month. */
export interface WorldsOfPlan {
  readonly worlds: number;
  /** The share of worlds in which the plan carries the peak with all of its instances, its headroom used up. */
  readonly chance: number;
  readonly peakPerS: Estimate;
  /** What each service that scales needs. */
  readonly instances: Readonly<Record<string, Estimate>>;
  /** Of what each world needs: money a month where there are prices, else CPUs. */
  readonly cost: Estimate;
  /** In the likely world, instances counted in fractions, and by how much each input moves that. */
  readonly likelyCost: number;
  readonly swings: readonly Swing<InputId>[];
}

/** A plan, by the instances of its services in the order of the model, in worlds that `drawWorlds` drew. */
export function planInWorlds(
  model: PlanModel,
  instances: readonly number[],
  worlds: readonly World<InputId>[],
): WorldsOfPlan {
  const { services, workload } = model;
  const needs = worlds.map((world) => ({ world, need: needIn(model, world) }));
  const counts = needs.map(({ need }) =>
    need.services.map((load, index) => {
      const service = services[index];
      return service === undefined || !service.scales ? (instances[index] ?? 1) : instancesFor(load, workload);
    }),
  );
  const enough = needs.filter(({ need }) =>
    need.services.every(({ grown }, index) => grown <= (instances[index] ?? 0) * (1 + 1e-9)),
  );
  const inputs = inputsOf(model);
  const costInFractions = (world: World<InputId>) => {
    const need = needIn(model, world);
    const fractions = need.services.map((load, index) => fractionFor(load, services[index], workload));
    return costIn(model, world, need, fractions);
  };
  return {
    worlds: worlds.length,
    chance: enough.length / worlds.length,
    peakPerS: spreadOf(needs.map(({ need }) => need.load.peakPerS)),
    instances: Object.fromEntries(
      services.flatMap(({ name, scales }, index) =>
        scales ? [[name, spreadOf(counts.map((each) => each[index] ?? 0))]] : [],
      ),
    ),
    cost: spreadOf(needs.map(({ world, need }, index) => costIn(model, world, need, counts[index] ?? []))),
    likelyCost: costInFractions(likelyWorld(inputs)),
    swings: tornado(inputs, costInFractions),
  };
}

/** As if instances, or sizes of those that do not scale, came in fractions: so that small changes show. */
function fractionFor({ now, grown }: PlannedLoad, service: ModelledService | undefined, workload: Workload): number {
  const { headroomRatio, failures } = workload;
  return Math.max(1, grown / headroomRatio, service?.scales === true ? now + failures : 0);
}

function costIn(
  { services, prices }: PlanModel,
  world: World<InputId>,
  { load }: NeedInWorld,
  instances: readonly number[],
): number {
  const at = ({ low, high }: Range) => low + (high - low) * world.price;
  if (prices === null) {
    return services.reduce((total, { cpus }, index) => total + (cpus ?? 0) * (instances[index] ?? 0), 0);
  }
  const ofServices = services.reduce((total, { name }, index) => {
    const month = prices.instanceMonth[name];
    return total + (month === undefined ? 0 : at(month) * (instances[index] ?? 0));
  }, 0);
  return ofServices + at(prices.fixedMonth) + at(prices.perRequest) * load.meanPerS * MONTH_S;
}
