import { isOneRate } from '../harness/core/load.ts';
import type { JudgedTrial } from '../harness/judging/judged-trial.ts';
import type { SustainedRate } from '../harness/judging/sustained-rate.ts';

export interface ScenarioAnalysis {
  readonly name: string;
  /** Measured ones: by arrival rate, by rates that change, by numbers of users, each by ascending load. */
  readonly trials: readonly JudgedTrial[];
  /** How far it came by arrival rate; empty where none was offered. */
  readonly sustained: readonly SustainedRate[];
}

/** Those by one arrival rate: the points of a curve over it. */
export function byRate(trials: readonly JudgedTrial[]): readonly JudgedTrial[] {
  return trials.filter(({ summary }) => isOneRate(summary.load));
}

/** Those by a number of users. */
export function byUsers(trials: readonly JudgedTrial[]): readonly JudgedTrial[] {
  return trials.filter(({ summary }) => summary.load.model === 'closed');
}

/** The loads that the run is about: arrival rates, and numbers of users where there are none. */
export function mainLadder(trials: readonly JudgedTrial[]): readonly JudgedTrial[] {
  const ladders = [byRate(trials), byUsers(trials), trials];
  return ladders.find((ladder) => ladder.length > 0) ?? [];
}
