import { middle } from '../harness/core/plan.ts';
import { type Choice, leastRegret, type RegretOf } from '../harness/models/monte-carlo.ts';
import type { Analysis } from './analysis.ts';
import { carries, type Planned, type PlannedTier, type PlanQuestion, planAtRate, planTiers, suffices } from './plan.ts';

/** Every tier of a run, planned, and how to choose among them. */
export interface CapacityPlan {
  readonly tiers: readonly PlannedTier[];
  /** The first that carries the load, in the order of the run; null where none does. */
  readonly first: TierWithPlan | null;
  /** By price where there are prices, else by CPUs. */
  readonly cheapest: TierWithPlan | null;
  /** What each tier costs at other rates; without prices in CPUs. */
  readonly curves: readonly CostCurve[];
  /** Rates at which another tier becomes the cheapest, ascending; a tier is null where none carries the load. */
  readonly breakEvens: readonly BreakEven[];
  /** Null where the load is exact. */
  readonly regret: Regret | null;
}

export interface TierWithPlan {
  readonly tier: string;
  readonly outcome: Planned;
}

export interface CostCurve {
  readonly tier: string;
  /** Null cost: it does not carry so much. */
  readonly points: readonly { readonly peakPerS: number; readonly cost: number | null }[];
}

export interface BreakEven {
  readonly peakPerS: number;
  readonly below: string | null;
  readonly above: string | null;
  /** It changes because `below` carries no more, not because `above` is cheaper. */
  readonly belowEnds: boolean;
}

export interface Regret {
  /** The peak in the lower, the middle and the upper world: 2.5 %, 50 % and 97.5 %. */
  readonly peaksPerS: readonly number[];
  /** The least largest regret first. */
  readonly choices: readonly RegretOf<PlanChoice>[];
}

export interface PlanChoice extends Choice {
  readonly tier: string;
  readonly plannedForPerS: number;
  readonly instances: readonly { readonly name: string; readonly instances: number }[];
}

/** How many times less and more than the planned load is looked at. */
const SPREAD = 20;
const POINTS = 160;
const MOST_BREAK_EVENS = 12;
/** Of the cost: less is no reason to change the tier. */
const LEAST_SAVING = 0.1;

/** A pure function of the results folder and the question. */
export function planCapacity(analysis: Analysis, question: PlanQuestion): CapacityPlan {
  const tiers = planTiers(analysis, question);
  const planned = tiers.flatMap(({ tier, outcome }) => (outcome.kind === 'planned' ? [{ tier, outcome }] : []));
  const carrying = planned.filter(suffices);
  const peakPerS = Math.max(...planned.map(({ outcome }) => outcome.load.peakPerS));
  const rates = Array.from({ length: POINTS + 1 }, (_, step) => (peakPerS / SPREAD) * SPREAD ** ((2 * step) / POINTS));
  const curves = planned.map(({ tier, outcome }) => ({
    tier,
    points: rates.map((each) => ({ peakPerS: each, cost: costAt(outcome, question, each)?.cost ?? null })),
  }));
  return {
    tiers,
    first: carrying[0] ?? null,
    cheapest: carrying.toSorted((one, other) => sizeOf(one.outcome) - sizeOf(other.outcome))[0] ?? null,
    curves,
    breakEvens: breakEvens(planned, question, curves, planned.length === 0 ? [] : rates),
    regret: regretOf(planned, question),
  };
}

function sizeOf({ cost, plan }: Pick<Planned, 'cost' | 'plan'>): number {
  return cost === null ? plan.cpus : middle(cost.total);
}

function costAt(outcome: Planned, question: PlanQuestion, peakPerS: number) {
  const at = planAtRate(outcome, outcome.planned, question, peakPerS);
  return carries(at) ? { ...at, cost: sizeOf(at) } : null;
}

function breakEvens(
  planned: readonly TierWithPlan[],
  question: PlanQuestion,
  curves: readonly CostCurve[],
  ratesPerS: readonly number[],
): readonly BreakEven[] {
  const costOf = ({ outcome }: TierWithPlan, peakPerS: number) => costAt(outcome, question, peakPerS)?.cost ?? null;
  let incumbent: string | null = null;
  const onGrid = ratesPerS.map((_, index) => {
    incumbent = cheapestOf(planned, (_tier, place) => curves[place]?.points[index]?.cost ?? null, incumbent);
    return incumbent;
  });
  return onGrid
    .flatMap((above, index): BreakEven[] => {
      const [below, from, to] = [onGrid[index - 1], ratesPerS[index - 1], ratesPerS[index]];
      if (below === undefined || from === undefined || to === undefined || below === above) return [];
      const cheapestAt = (peakPerS: number) => cheapestOf(planned, (tier) => costOf(tier, peakPerS), below);
      const at = crossing(cheapestAt, below, from, to);
      const before = planned.find(({ tier }) => tier === below);
      return [{ peakPerS: at, below, above, belowEnds: before !== undefined && costOf(before, at) === null }];
    })
    .slice(0, MOST_BREAK_EVENS);
}

/**
 * The tier that carries the load for least, or the incumbent unless that saves much: instances come in whole numbers, so that
 * costs cross often.
 */
function cheapestOf(
  planned: readonly TierWithPlan[],
  costOf: (tier: TierWithPlan, place: number) => number | null,
  incumbent: string | null,
): string | null {
  const costs = planned.flatMap((each, place) => {
    const cost = costOf(each, place);
    return cost === null ? [] : [{ tier: each.tier, cost }];
  });
  const best = costs.toSorted((one, other) => one.cost - other.cost)[0];
  const kept = costs.find(({ tier }) => tier === incumbent);
  if (best === undefined || kept === undefined) return best?.tier ?? null;
  return best.cost < kept.cost * (1 - LEAST_SAVING) ? best.tier : kept.tier;
}

/** The rate between both from which the tier is not `below` any more, to a thousandth. */
function crossing(
  cheapestAt: (peakPerS: number) => string | null,
  below: string | null,
  from: number,
  to: number,
): number {
  let [low, high] = [from, to];
  while (high / low > 1.001) {
    const middleOfBoth = Math.sqrt(low * high);
    if (cheapestAt(middleOfBoth) === below) low = middleOfBoth;
    else high = middleOfBoth;
  }
  return high;
}

function regretOf(planned: readonly TierWithPlan[], question: PlanQuestion): Regret | null {
  const { workload } = question;
  const [first] = planned;
  if (first === undefined) return null;
  const { low, value, high } = first.outcome.inWorlds.peakPerS;
  if (low === high) return null;
  const peaksPerS = [low, value, high];
  const choices = planned.flatMap(({ tier, outcome }) =>
    peaksPerS.flatMap((plannedForPerS): PlanChoice[] => {
      const at = costAt(outcome, question, plannedForPerS);
      if (at === null) return [];
      // What is missed is what the headroom cannot take either.
      const capacity = at.plan.capacityPerS / workload.headroomRatio / (1 + middle(workload.growthRatio));
      const instances = at.plan.services.filter(({ scales }) => scales);
      return [{ tier, plannedForPerS, capacity, cost: at.cost, instances }];
    }),
  );
  return choices.length === 0 ? null : { peaksPerS, choices: leastRegret(choices, peaksPerS, workload.shortageCost) };
}
