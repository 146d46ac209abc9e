import type { DocumentReference } from './tier.ts';
import type { SettingChoice } from './tier-setting.ts';

/** How a value is held against the figure. `between` includes both ends. */
export const comparisons = ['<', '<=', '=', '>=', '>', 'between'] as const;
export type Comparison = (typeof comparisons)[number];

/** How a documented figure is judged. */
export type Judgement =
  /** From trials. `each`: the target is about every step of a scenario, not about all its requests together. */
  | { readonly by: 'measured'; readonly metric: MeasuredMetric; readonly each?: 'step' }
  /** A setting of the tier must have this value. Not judged where the tier turns off what it is about. */
  | ({ readonly by: 'setting'; readonly unlessOff?: string } & SettingChoice)
  /** Derived by a model from measurements; `model` is one of `studyModels`. */
  | { readonly by: 'model'; readonly model: string }
  /** Not judged, and why. */
  | { readonly by: 'not-yet'; readonly why: string };

export const latencyMetrics = [
  'latency-p50',
  'latency-p90',
  'latency-p95',
  'latency-p99',
  'latency-p99.9',
  'latency-mean',
  'latency-max',
] as const;
export type LatencyMetric = (typeof latencyMetrics)[number];

export function isLatencyMetric(metric: MeasuredMetric): metric is LatencyMetric {
  return metric.startsWith('latency-');
}

export const measuredMetrics = [
  ...latencyMetrics,
  'response-bytes',
  'error-ratio',
  'throughput',
  'concurrency',
  'data-size',
] as const;
export type MeasuredMetric = (typeof measuredMetrics)[number];

/** What a capacity study can work out: throughput of an instance, instances and servers for a demand, money. */
export const studyModels = ['usl', 'plan', 'cost'] as const;

/** One figure of the scaling documents. */
export interface Target {
  readonly id: string;
  readonly title: string;
  readonly source: DocumentReference;
  readonly comparison: Comparison;
  /** One value, or the two ends of `between`. SI units and ratios. */
  readonly value: number | readonly [number, number];
  /** One of `units` (harness/core/units.ts), which also formats it. */
  readonly unit: string;
  readonly appliesTo: {
    /** Empty: every tier. */
    readonly tiers: readonly string[];
    /** Empty: every scenario. */
    readonly scenarios: readonly string[];
    /** Each of these steps by itself; left out: as `each` says. */
    readonly steps?: readonly string[];
    /** The load the figure speaks of, where it names one. */
    readonly concurrency?: number;
    readonly arrivalRatePerS?: number;
    readonly users?: number;
    readonly tasks?: number;
  };
  readonly judged: Judgement;
  /** Figures elsewhere in the documents that say something else. */
  readonly contradictions: readonly { readonly target: string; readonly note: string }[];
  readonly note?: string;
}
