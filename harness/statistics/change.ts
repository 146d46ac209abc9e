import type { Estimate } from '../core/units.ts';
import { designEffect, serialInflation } from './correlation.ts';
import { studentT95, studentTBeyond } from './student-t.ts';
import { sum } from './sums.ts';

/**
 * A figure above 0 on the logarithm, where a ratio is a difference, as blocks of time gave it. How far off it may be
 * upwards and downwards is kept apart: latencies have a long tail on one side.
 */
export interface BlockFigure {
  readonly logarithm: number;
  /** Standard errors on the logarithm, as if blocks were independent of each other. */
  readonly errorBelow: number;
  readonly errorAbove: number;
  /** How much lower the true logarithm may be because of the instrument, chance aside; 0 where it may not. */
  readonly bias: number;
  /** What each block is off the whole: shows how alike neighbours are. */
  readonly deviations: readonly number[];
}

export interface Change {
  /** After over before, with its two-sided 95 % interval. */
  readonly ratio: Estimate;
  /** How likely a ratio at least so far from 1 would be if both were the same: 0..1. Below 0.05 where the interval leaves 1 out. */
  readonly pValue: number;
}

/**
 * A rate: the sum of `counts` over the sum of `durations`, one of each for every block. Null where nothing was counted.
 *
 * The standard error is that of a ratio of sums (W. G. Cochran, *Sampling Techniques*, 1977, section 2.11). It is what
 * drawing whole blocks again and again comes to, without the draws.
 */
export function rateFigure(counts: readonly number[], durations: readonly number[]): BlockFigure | null {
  const total = sum(counts);
  const blocks = counts.length;
  if (blocks < 2 || !(total > 0)) return null;
  const rate = total / sum(durations);
  const deviations = counts.map((count, block) => count - rate * (durations[block] ?? 0));
  const squares = sum(deviations.map((deviation) => deviation ** 2));
  const error = Math.sqrt((blocks / (blocks - 1)) * squares) / total;
  return { logarithm: Math.log(rate), errorBelow: error, errorAbove: error, bias: 0, deviations };
}

/** The samples of one quantile, by blocks of time. */
export interface QuantileBlocks {
  /** How many samples of each block are at most the quantile, and how many there are. */
  readonly within: readonly number[];
  readonly counts: readonly number[];
  /** Reads the quantile of all samples at a share of 0 to 1. */
  readonly quantileOf: (share: number) => number;
  /** The least that the quantile may be because of the instrument, chance aside: the quantile itself where it adds nothing. */
  readonly least: number;
}

/**
 * The same quantile of several sets of samples that are alike: one scenario at several loads. Null where the blocks are too
 * few or the quantile is not above 0.
 *
 * How far the share of samples below the quantile may be off is turned into how far the quantile itself may be off by
 * reading the quantiles that far away (R. S. Woodruff, *Confidence Intervals for Medians and Other Position Measures*,
 * Journal of the American Statistical Association 47, 1952). The share varies more than that of independent samples, by
 * the design effect: that of the set itself or the mean of all, whichever is more, since in a few blocks a set with few
 * slow moments seems surer than it is.
 */
export function quantileFigures(quantile: number, sets: readonly QuantileBlocks[]): readonly (BlockFigure | null)[] {
  const effects = sets.map(({ within, counts }) => designEffect(within, counts, quantile));
  const known = effects.filter((effect) => effect !== null);
  const usual = sum(known) / Math.max(1, known.length);
  return sets.map((set, index) => {
    const effect = effects[index];
    return effect === null || effect === undefined ? null : quantileFigure(quantile, set, Math.max(effect, usual));
  });
}

function quantileFigure(quantile: number, set: QuantileBlocks, effect: number): BlockFigure | null {
  const { within, counts, quantileOf, least } = set;
  const value = quantileOf(quantile);
  if (!(value > 0)) return null;
  const samples = sum(counts);
  const share = sum(within) / samples;
  const error = Math.sqrt((effect * quantile * (1 - quantile)) / samples);
  return {
    logarithm: Math.log(value),
    errorBelow: Math.log(value / quantileOf(Math.max(0, quantile - error))),
    errorAbove: Math.log(quantileOf(Math.min(1, quantile + error)) / value),
    bias: least > 0 ? Math.max(0, Math.log(value / least)) : Number.POSITIVE_INFINITY,
    deviations: within.map((count, block) => count - share * (counts[block] ?? 0)),
  };
}

/**
 * How many times `before` `after` is. `correlation` says how alike neighbouring blocks are (`serialCorrelation`).
 *
 * Errors add up as squares, of each figure the side that faces the other one (MOVER: G. Y. Zou and A. Donner,
 * *Construction of confidence limits about effect measures: a general approach*, Statistics in Medicine 27, 2008).
 * What a figure may be lower because of the instrument is added to the interval as it is: nobody knows how likely it is.
 * Two figures that vary unequally have the degrees of freedom of B. L. Welch (Biometrika 34, 1947).
 */
export function changeBetween(before: BlockFigure, after: BlockFigure, correlation: number): Change {
  const change = after.logarithm - before.logarithm;
  const down = distance(after, after.errorBelow, before, before.errorAbove, correlation);
  const up = distance(after, after.errorAbove, before, before.errorBelow, correlation);
  const facing = change > 0 ? down : up;
  const sure = Math.max(0, Math.abs(change) - (change > 0 ? after : before).bias);
  return {
    ratio: {
      value: Math.exp(change),
      low: Math.exp(change - after.bias - studentT95(Math.floor(down.freedom)) * down.error),
      high: Math.exp(change + before.bias + studentT95(Math.floor(up.freedom)) * up.error),
    },
    pValue: sure === 0 ? 1 : studentTBeyond(sure / facing.error, Math.floor(facing.freedom)),
  };
}

function distance(one: BlockFigure, oneError: number, other: BlockFigure, otherError: number, correlation: number) {
  const oneVariance = oneError ** 2 * serialInflation(correlation, one.deviations.length);
  const otherVariance = otherError ** 2 * serialInflation(correlation, other.deviations.length);
  const variance = oneVariance + otherVariance;
  const [oneFreedom, otherFreedom] = [one.deviations.length - 1, other.deviations.length - 1];
  const freedom =
    variance > 0
      ? variance ** 2 / (oneVariance ** 2 / oneFreedom + otherVariance ** 2 / otherFreedom)
      : Math.min(oneFreedom, otherFreedom);
  return { error: Math.sqrt(variance), freedom };
}

/**
 * Which of several p-values stand when all are looked at together: the chance that any that should not stand does is at
 * most `level`, however they depend on each other (S. Holm, *A Simple Sequentially Rejective Multiple Test Procedure*,
 * Scandinavian Journal of Statistics 6, 1979). The smallest must be at most level / n, the next level / (n - 1), and so
 * on; the first that is not ends it.
 */
export function holm(pValues: readonly number[], level: number): readonly boolean[] {
  const stands = pValues.map(() => false);
  const ascending = pValues
    .map((pValue, index) => ({ pValue, index }))
    .toSorted((one, other) => one.pValue - other.pValue);
  for (const [rank, { pValue, index }] of ascending.entries()) {
    if (pValue > level / (pValues.length - rank)) break;
    stands[index] = true;
  }
  return stands;
}
