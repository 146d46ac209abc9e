import type { Estimate } from '../core/units.ts';
import type { Random } from '../statistics/block-bootstrap.ts';

/** What an answer depends on and nobody knows exactly. */
export interface Uncertain {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** `interval`: 95 % of it lies between the ends. `range`: no more is known than the ends. */
  readonly shape: 'interval' | 'range';
}

export type Inputs<Id extends string> = Readonly<Record<Id, Uncertain>>;
/** A value of each input. */
export type World<Id extends string> = Readonly<Record<Id, number>>;

/** Of a normal distribution: 95 % lies within as many standard deviations. */
export const SIDES_95 = 1.959964;

/**
 * So many worlds, each with a value of every input, independent of each other: an interval is lognormal on either side of its
 * value, whose ends are those of 95 %; a range is even. Values above 0 stay above it.
 */
export function drawWorlds<Id extends string>(inputs: Inputs<Id>, count: number, random: Random): readonly World<Id>[] {
  const all = Object.entries<Uncertain>(inputs);
  return Array.from(
    { length: count },
    () => Object.fromEntries(all.map(([id, input]) => [id, draw(input, random)])) as World<Id>,
  );
}

function draw({ value, low, high, shape }: Uncertain, random: Random): number {
  if (low === high) return value;
  if (shape === 'range') return low + (high - low) * random();
  // Box and Muller, 1958.
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const end = normal < 0 ? Math.max(low, value / 100) : high;
  return value * (end / value) ** (Math.abs(normal) / SIDES_95);
}

/** The world in which every input has its value. */
export function likelyWorld<Id extends string>(inputs: Inputs<Id>): World<Id> {
  return Object.fromEntries(Object.entries<Uncertain>(inputs).map(([id, { value }]) => [id, value])) as World<Id>;
}

/** The value that `share` of all values do not exceed; of at least one. */
export function quantileOf(values: readonly number[], share: number): number {
  return quantileOfSorted(Float64Array.from(values).sort(), share);
}

/** The median and the ends between which 95 % of the values lie. */
export function spreadOf(values: readonly number[]): Estimate {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number) => quantileOfSorted(sorted, share);
  return { value: at(0.5), low: at(0.025), high: at(0.975) };
}

function quantileOfSorted(sorted: Float64Array, share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

/** By how much one input moves the answer: the answer at its ends, all others at their values. */
export interface Swing<Id extends string> {
  readonly input: Id;
  readonly atLow: number;
  readonly atHigh: number;
}

/** Of each input that is not exact, the one that moves the answer most first: the bars of a tornado chart. */
export function tornado<Id extends string>(
  inputs: Inputs<Id>,
  answerOf: (world: World<Id>) => number,
): readonly Swing<Id>[] {
  const likely = likelyWorld(inputs);
  return (Object.keys(inputs) as Id[])
    .filter((id) => inputs[id].low !== inputs[id].high)
    .map((input) => {
      const at = (value: number) => answerOf({ ...likely, [input]: value });
      return { input, atLow: at(inputs[input].low), atHigh: at(inputs[input].high) };
    })
    .toSorted((one, other) => sizeOf(other) - sizeOf(one));
}

export function sizeOf({ atLow, atHigh }: Swing<string>): number {
  return Math.abs(atHigh - atLow);
}

/** What may be bought: what it costs, and how much of the demand it carries. */
export interface Choice {
  readonly cost: number;
  readonly capacity: number;
}

export interface RegretOf<Chosen extends Choice> {
  readonly choice: Chosen;
  /** One for each demand, in their order. */
  readonly regrets: readonly number[];
}

/**
 * What each choice costs more than the best one for each demand: what is paid and not needed, and `shortageCost` times what
 * it would cost to carry the share of the demand that it cannot take. The first has the least largest regret (L. Savage,
 * *The Theory of Statistical Decision*, 1951). A demand that no choice carries counts for none.
 */
export function leastRegret<Chosen extends Choice>(
  choices: readonly Chosen[],
  demands: readonly number[],
  shortageCost: number,
): readonly RegretOf<Chosen>[] {
  const best = demands.map((demand) =>
    Math.min(...choices.filter(({ capacity }) => capacity >= demand).map(({ cost }) => cost)),
  );
  const regretAt = ({ cost, capacity }: Choice, demand: number, bestCost: number) =>
    Number.isFinite(bestCost)
      ? Math.max(0, cost - bestCost) + shortageCost * bestCost * Math.max(0, 1 - capacity / demand)
      : 0;
  return choices
    .map((choice) => ({ choice, regrets: demands.map((demand, index) => regretAt(choice, demand, best[index] ?? 0)) }))
    .toSorted(
      (one, other) => Math.max(...one.regrets) - Math.max(...other.regrets) || one.choice.cost - other.choice.cost,
    );
}
