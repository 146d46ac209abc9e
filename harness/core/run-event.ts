import type { OfferedLoad } from './load.ts';

/** What a run tells while it goes on, for whoever watches. Nothing is decided from it. */
export type RunEvent =
  | {
      readonly kind: 'tier-starting';
      readonly tier: string;
      readonly title: string;
      /** From 1. */
      readonly position: number;
      readonly total: number;
    }
  /** A line of the provider: `starting PostgreSQL 18.4`. */
  | { readonly kind: 'provider-progress'; readonly tier: string; readonly what: string }
  | {
      readonly kind: 'preparing-data';
      readonly tier: string;
      readonly users: number;
      readonly tasks: number;
    }
  | {
      readonly kind: 'trial-started';
      readonly tier: string;
      readonly purpose: 'warm-up' | 'measure' | 'fault';
      /** From 1, of `total` trials in the whole run. */
      readonly sequence: number;
      readonly total: number;
      readonly scenario: string;
      readonly load: OfferedLoad;
      /** Warm-up and measured window together. */
      readonly durationS: number;
    }
  /** Once a second while a trial runs. */
  | {
      readonly kind: 'interval';
      /** Successful requests per second. */
      readonly requestsPerS: number;
      /** Null when nothing succeeded in this second. */
      readonly p95S: number | null;
      /** Since the run began. */
      readonly elapsedS: number;
      /** Until the run ends, as planned; null when that is not known. */
      readonly remainingS: number | null;
    }
  | { readonly kind: 'trial-finished'; readonly sequence: number; readonly total: number; readonly summary: string }
  | { readonly kind: 'note'; readonly text: string }
  | { readonly kind: 'cooling-down'; readonly durationS: number }
  | { readonly kind: 'tier-stopped'; readonly tier: string }
  | { readonly kind: 'report-written'; readonly folder: string; readonly paths: readonly string[] };
