import type { DataAmounts } from '../core/app.ts';
import type { Note } from '../core/findings.ts';
import type { OfferedLoad } from '../core/load.ts';
import type { PlannedLoad } from '../core/study-record.ts';
import type { TrialPurpose } from '../core/trial.ts';
import type { JudgedTrial } from '../judging/judged-trial.ts';
import type { TrialStep } from './study.ts';

/** What happens in a study, for whoever watches. Data only; nothing is decided from it. */
export type StudyEvent =
  | {
      readonly kind: 'subject-starting';
      readonly subject: string;
      readonly title: string;
      /** From 1. */
      readonly position: number;
      readonly total: number;
    }
  /** A line of the provider: `starting PostgreSQL 18.4`. */
  | { readonly kind: 'provider-progress'; readonly subject: string; readonly what: string }
  | { readonly kind: 'preparing-data'; readonly subject: string; readonly amounts: DataAmounts }
  /** The loads of a scenario are decided. */
  | { readonly kind: 'planned'; readonly subject: string; readonly loads: readonly PlannedLoad[] }
  | {
      readonly kind: 'trial-started';
      readonly subject: string;
      readonly purpose: TrialPurpose;
      readonly scenario: string;
      readonly load: OfferedLoad;
      /** Warm-up and measured window together. */
      readonly durationS: number;
      /** From 1; more when an invalid trial is repeated. */
      readonly attempt: number;
      /** Which of the planned trials it is, from 1; null where it was not planned, such as a warm-up. */
      readonly planned: { readonly position: number; readonly total: number } | null;
      /** In a search for the sustained rate: the interval so far. */
      readonly bracket?: TrialStep['bracket'];
      /** One of two that are compared with each other. */
      readonly pair?: TrialStep['pair'];
      readonly time: TimeLeft;
    }
  /** Once a second while a trial runs. */
  | {
      readonly kind: 'interval';
      /** Successful requests per second. */
      readonly requestsPerS: number;
      /** Null when nothing succeeded in this second. */
      readonly p95S: number | null;
      readonly time: TimeLeft;
    }
  | { readonly kind: 'trial-finished'; readonly trial: JudgedTrial; readonly attempt: number }
  /** Once a second while the system rests, or finishes what a trial left in flight. */
  | { readonly kind: 'waiting'; readonly reason: 'drain' | 'rest'; readonly leftS: number; readonly time: TimeLeft }
  | { readonly kind: 'note'; readonly note: Note }
  | { readonly kind: 'subject-stopped'; readonly subject: string };

/** Seconds: since the study began, and bounds of what trials and rests still take. */
export interface TimeLeft {
  readonly elapsedS: number;
  readonly atLeastS: number;
  readonly atMostS: number;
}
