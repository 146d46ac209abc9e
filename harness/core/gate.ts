import { z } from 'zod';
import { acceptedSchema } from './accepted.ts';
import type { StudyRecord } from './study-record.ts';

/** What the study `gate` asks and answers: did a change make the app slower? */

const durationS = z.number().nonnegative();
const count = z.number().int().nonnegative();

export const gateQuestionSchema = z.object({
  scenario: z.string(),
  /** Null: half of what a pilot trial of the base gets out of the scenario. */
  arrivalRatePerS: z.number().positive().nullable(),
  /** A change that matters: half of it is the least estimate of an alarm, and the most of what counts as not slower. */
  toleranceRatio: z.number().positive(),
  /** Decides which of a pair comes first. */
  seed: z.number().int(),
  warmUpS: durationS,
  durationS,
  timeoutS: durationS,
  /** All pairs together; at least as many as the first look takes are measured. */
  budgetS: durationS,
  /** Targets of the study, by their ids, that the head is held against; null: all of them. */
  targets: z.array(z.string()).readonly().nullable().exactOptional(),
  /** What may be slower: its verdict is that of the rest (harness/judging/accepted-metrics.ts). */
  accepted: z.array(acceptedSchema).readonly().exactOptional(),
});
export type GateQuestion = z.infer<typeof gateQuestionSchema>;

/** `step` null: of all steps together; `service` null: of all services together. */
const gateMetricSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('latency'), step: z.string().nullable(), quantile: z.number() }),
  z.object({ kind: z.literal('cpu'), service: z.string().nullable() }),
  z.object({ kind: z.literal('throughput') }),
  z.object({ kind: z.literal('errors') }),
]);
export type GateMetric = z.infer<typeof gateMetricSchema>;

/** JSON has no infinity: null is an end that the pairs do not bound. */
const ratioSchema = z.object({ value: z.number(), low: z.number().nullable(), high: z.number().nullable() });

const gatedMetricSchema = z.object({
  metric: gateMetricSchema,
  kind: z.enum(['slower', 'not-slower', 'undecided']),
  /** Head over base, the other way round for throughput: more is worse. */
  ratio: ratioSchema,
  /** Standard deviation of the logarithm of the ratio between pairs. */
  noise: z.number().nullable(),
  /** Medians over the pairs: seconds, seconds of CPU for a request, requests per second, or a ratio. */
  base: z.number(),
  head: z.number(),
});
export type GatedMetric = z.infer<typeof gatedMetricSchema>;

/** A target held against all trials of the head together; `step` null: all steps. */
const gateTargetSchema = z.object({
  id: z.string(),
  step: z.string().nullable(),
  verdict: z.enum(['met', 'missed', 'inconclusive', 'not-judged']),
  /** Seconds or a ratio; null where nothing was judged. */
  value: z.number().nullable(),
});
export type GateTarget = z.infer<typeof gateTargetSchema>;

const gateVerdicts = ['slower', 'not-slower', 'cannot-tell'] as const;

export const gateAnswerSchema = z.object({
  base: z.string(),
  head: z.string(),
  scenario: z.string(),
  arrivalRatePerS: z.number().nullable(),
  pairs: count,
  /** Pairs of which a trial could not be used. */
  lostPairs: count,
  verdict: z.enum(gateVerdicts),
  metrics: z.array(gatedMetricSchema).readonly(),
  targets: z.array(gateTargetSchema).readonly().exactOptional(),
});
export type GateAnswer = z.infer<typeof gateAnswerSchema>;

export type GateResult = StudyRecord<GateQuestion, GateAnswer>;

/** What the study `noise` asks and answers: which changes can be seen here? The same code is measured twice in each pair. */
export const noiseQuestionSchema = gateQuestionSchema.omit({ budgetS: true, targets: true, accepted: true }).extend({
  pairs: count,
  /** How many pairs a gate would measure that is to see something. */
  gatePairs: count,
  /** What such a gate takes. */
  gateS: durationS,
});
export type NoiseQuestion = z.infer<typeof noiseQuestionSchema>;

export const noiseAnswerSchema = z.object({
  scenario: z.string(),
  arrivalRatePerS: z.number().nullable(),
  pairs: count,
  lostPairs: count,
  /** Neither CPU nor p95 is quiet enough for any number of pairs. */
  isTooNoisy: z.boolean(),
  metrics: z
    .array(
      z.object({
        metric: gateMetricSchema,
        /** As in a gate. */
        noise: z.number(),
        /** The least change that a gate finds in nine of ten cases, as head over base; null where it finds none. */
        visibleRatio: z.number().nullable(),
      }),
    )
    .readonly(),
});
export type NoiseAnswer = z.infer<typeof noiseAnswerSchema>;
export type NoiseResult = StudyRecord<NoiseQuestion, NoiseAnswer>;

export function isNoise(record: StudyRecord): record is NoiseResult {
  return record.study === 'noise';
}

export function isGate(record: StudyRecord): record is GateResult {
  return record.study === 'gate';
}
