import type { z } from 'zod';
import type { Subject } from '../core/app.ts';
import type { Note } from '../core/findings.ts';
import type { OfferedLoad } from '../core/load.ts';
import type { Target } from '../core/target.ts';
import type { FaultKind, TrialPurpose } from '../core/trial.ts';
import type { JudgedTrial } from '../judging/judged-trial.ts';

/**
 * A question that trials answer. A study decides and does nothing: the conductor (conduct.ts) starts subjects, measures,
 * stores and reports progress for every study alike.
 */
export interface Study<Question = unknown, Answer = unknown> {
  /** As in `study.json` and on the command line. */
  readonly name: string;
  readonly question: z.ZodType<Question>;
  /** Of one group; `answer.json` has one for each group that was measured to its end. */
  readonly answer: z.ZodType<Answer>;
  /** The scenarios it needs. */
  scenarios(question: Question): readonly string[];
  /** Which subjects run at the same time: `[[single], [pooled]]`. Groups are measured one after the other. */
  groups(subjects: readonly Subject[], question: Question): readonly (readonly Subject[])[];
  /**
   * Pure. Proposes steps, receives what each trial measured (undefined after the others), ends with the group's answer.
   * `earlier` are the groups that were measured to their end before it.
   */
  steps(
    group: readonly Subject[],
    question: Question,
    context: StudyContext,
    earlier?: readonly Answered<Answer>[],
  ): Generator<Step, Answer, JudgedTrial | undefined>;
  /** What earlier groups say of this one, where that is as much as its trials would: then it is not measured. */
  known?(group: readonly Subject[], question: Question, earlier: readonly Answered<Answer>[]): Note | null;
  /** How long the steps of a group take, as far as that is known before the first of them. */
  estimate(group: readonly Subject[], question: Question, context: StudyContext): TimeBounds;
  /** What the answers come to, for the exit code; absent where a study has no verdict. */
  verdict?(answers: readonly Answer[]): 'met' | 'missed' | 'inconclusive';
}

/** A group that was measured to its end. */
export interface Answered<Answer> {
  readonly group: readonly Subject[];
  readonly answer: Answer;
}

/** What a study may know before the first trial. */
export interface StudyContext {
  readonly scenarios: ReadonlyMap<string, ScenarioTraits>;
  readonly targets: readonly Target[];
  /** No two virtual users share a user. */
  readonly userCount: number;
  /** The rest between scenarios, faults and subjects. */
  readonly coolDownS: number;
}

export interface ScenarioTraits {
  readonly name: string;
  /** It pauses between requests, and the pauses are kept. */
  readonly hasThinkTime: boolean;
  /** Each user does something before the first iteration, such as signing in. */
  readonly hasUserSetup: boolean;
}

/** Seconds. */
export interface TimeBounds {
  readonly atLeastS: number;
  readonly atMostS: number;
}

export type Step = TrialStep | RestartStep | RestStep | PlanStep | NoteStep;

export interface TrialStep {
  readonly kind: 'trial';
  readonly subject: string;
  readonly scenario: string;
  /** An answer check is not stored, and ends the subject when an iteration failed; `measure` is repeated when invalid. */
  readonly purpose: TrialPurpose;
  readonly load: OfferedLoad;
  readonly warmUpS: number;
  readonly durationS: number;
  readonly timeoutS: number;
  /** Open load: so many users take the arrivals, as far as there are so many; all of them when absent. */
  readonly users?: number;
  /** In a search: the interval of rates so far, for progress. An invalid trial is not repeated: the search decides. */
  readonly bracket?: { readonly lowPerS: number | null; readonly highPerS: number | null };
  /** One of two that are compared with each other: which pair, and how many there are at most. It is not repeated either. */
  readonly pair?: { readonly number: number; readonly most: number };
  /** With purpose `fault`, else absent. */
  readonly fault?: PlannedFault;
}

/** Ends instances and starts them again, so that what is measured next runs in fresh processes. */
export interface RestartStep {
  readonly kind: 'restart';
  readonly subject: string;
  /** `api/1` */
  readonly instances: readonly string[];
  /** What it usually takes, for the time left. */
  readonly durationS: number;
}

export interface RestStep {
  readonly kind: 'rest';
  readonly subject: string;
  readonly durationS: number;
}

/** Which trials come next, for progress and for the reader. Nothing is done. */
export interface PlanStep {
  readonly kind: 'plan';
  readonly subject: string;
  readonly scenario: string;
  readonly trials: readonly TrialStep[];
  /** What the group takes after these trials. */
  readonly after: TimeBounds;
}

/** What a reader of the subject should know. */
export interface NoteStep {
  readonly kind: 'note';
  readonly subject: string;
  readonly note: Note;
}

/** Times are seconds from the start of the measured window. */
export interface PlannedFault {
  readonly kind: FaultKind;
  /** `cache/1` */
  readonly instance: string;
  readonly atS: number;
  readonly undoAtS: number;
}

/** Warm-up and measured window together; 0 for what takes no time. */
export function lengthS(step: Step): number {
  if (step.kind === 'trial') return step.warmUpS + step.durationS;
  return step.kind === 'rest' || step.kind === 'restart' ? step.durationS : 0;
}

export function exactTime(durationS: number): TimeBounds {
  return { atLeastS: durationS, atMostS: durationS };
}

export function sumOfTimes(times: readonly TimeBounds[]): TimeBounds {
  return {
    atLeastS: times.reduce((sum, { atLeastS }) => sum + atLeastS, 0),
    atMostS: times.reduce((sum, { atMostS }) => sum + atMostS, 0),
  };
}
