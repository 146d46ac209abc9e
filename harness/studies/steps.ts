import type { OfferedLoad } from '../core/load.ts';
import type { FaultKind } from '../core/trial.ts';

/** What the run study wants next. */
export type LadderStep = TrialStep | CoolDownStep | PlanStep;

export interface TrialStep {
  readonly kind: 'trial';
  readonly purpose: 'answer-check' | 'warm-up' | 'measure' | 'fault';
  readonly scenario: string;
  readonly load: OfferedLoad;
  readonly warmUpS: number;
  readonly durationS: number;
  readonly timeoutS: number;
  /** Open load: so many users take what is due, as far as there are so many; all of them when absent. */
  readonly users?: number;
  /** With purpose `fault`, else absent. */
  readonly fault?: PlannedFault;
}

interface CoolDownStep {
  readonly kind: 'cool-down';
  readonly durationS: number;
}

/** Nothing is to be done: the loads of a scenario are decided, and these trials come next. */
interface PlanStep {
  readonly kind: 'plan';
  readonly scenario: string;
  readonly trials: readonly TrialStep[];
  /** What a reader should know of the choice. */
  readonly note?: string;
}

/** Times are seconds from the start of the measured window. */
export interface PlannedFault {
  readonly kind: FaultKind;
  /** `cache/1` */
  readonly instance: string;
  readonly atS: number;
  readonly undoAtS: number;
}

/** Warm-up and measured window together. */
export function lengthS(step: LadderStep): number {
  if (step.kind === 'plan') return 0;
  return step.durationS + (step.kind === 'trial' ? step.warmUpS : 0);
}
