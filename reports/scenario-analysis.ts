import type { SummarizedTrial } from '../harness/judging/summary.ts';

export interface ScenarioAnalysis {
  readonly name: string;
  /** Measured ones, by ascending load. */
  readonly trials: readonly SummarizedTrial[];
}
