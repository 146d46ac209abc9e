import {
  type Autoscaling,
  type AutoscalingQuestion,
  ratesOfDay,
  simulateAutoscaling,
} from '../harness/models/autoscaling.ts';

export interface AutoscaledDay {
  readonly peakPerS: number;
  /** Of one instance within the targets, in requests/s. */
  readonly capacityPerS: number;
  /** The least that the plan keeps, such as one more than may fail. */
  readonly minimum: number;
  /** The share of its capacity that an instance is used to: the headroom of the plan. */
  readonly targetUtilizationRatio: number;
}

/** As a day of people in one time zone; it stands in where a workload has no curve of its own. */
const usualDay = [
  0.25, 0.18, 0.14, 0.12, 0.12, 0.16, 0.25, 0.42, 0.6, 0.74, 0.82, 0.86, 0.85, 0.84, 0.85, 0.87, 0.88, 0.88, 0.9, 0.96,
  1, 0.88, 0.62, 0.4,
];
/** The defaults of Kubernetes: it looks every 15 s, leaves 10 % alone, and removes instances after 5 min. */
const usualRule = { stepS: 15, toleranceRatio: 0.1, stabilisationS: 300 } as const;
/** The documents say that a pod starts in 2 to 4 s. */
const START_S = 4;
const MOST = 1000;

/** `dayCurve` null: a usual day, which is assumed. */
export function autoscalingOf(
  { peakPerS, capacityPerS, minimum, targetUtilizationRatio }: AutoscaledDay,
  dayCurve: readonly number[] | null,
): Autoscaling & { readonly question: AutoscalingQuestion } {
  const question: AutoscalingQuestion = {
    ...usualRule,
    ratesPerS: ratesOfDay(dayCurve ?? usualDay, peakPerS, usualRule.stepS),
    capacityPerS,
    minimum,
    maximum: MOST,
    targetUtilizationRatio,
    startS: START_S,
  };
  return { ...simulateAutoscaling(question), question };
}
