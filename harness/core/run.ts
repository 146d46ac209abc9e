import { z } from 'zod';
import { arrivalProcesses } from './load.ts';
import { type StudyRecord, settingValueSchema } from './study-record.ts';
import { faultKinds } from './trial.ts';

/** What the study `run` asks and answers: what does each tier sustain within its targets? */

/** Why a search ended; `stopped`: it was interrupted, and the interval is what was known then. */
const sustainedRateEnds = [
  'precise',
  'budget',
  'lowest-missed',
  'highest-met',
  'generator-limit',
  'machine-limit',
  'invalid-trials',
  'stopped',
] as const;

const count = z.number().int().nonnegative();
const durationS = z.number().nonnegative();
const listOf = <Item extends z.ZodType>(item: Item) => z.array(item).readonly();

/**
 * `service`: `cache`, of which the first instance is meant, or one of its instances, `api/2`; null: every service of the
 * tier, one after the other.
 */
const faultChoiceSchema = z.object({ kind: z.enum(faultKinds), service: z.string().nullable() });
export type FaultChoice = z.infer<typeof faultChoiceSchema>;

export const runQuestionSchema = z.object({
  quick: z.boolean(),
  scenarios: listOf(z.string()),
  durationS,
  warmUpS: durationS,
  timeoutS: durationS,
  /** Arrivals per second, ascending; null: a search for the sustained rate of each scenario, and the documented rates. */
  arrivalRatesPerS: listOf(z.number().positive()).nullable(),
  arrivals: z.enum(arrivalProcesses),
  /** How wide the interval of a sustained rate may be, as a share of it, and how many seconds of trials may find it. */
  precisionRatio: z.number().positive(),
  searchBudgetS: durationS,
  /** One open load whose rate changes evenly from each stage to the next, the first at 0 s; null: none. */
  stages: listOf(z.object({ atS: durationS, ratePerS: z.number().nonnegative() })).nullable(),
  /** Virtual users, ascending; null: as many as the documents speak of for the scenario. */
  concurrencies: listOf(count).nullable(),
  /** Nobody asks for these concurrencies in particular: they are a search. */
  searchesConcurrency: z.boolean().optional(),
  /** Faults made on purpose after the trials of each tier that has the service. */
  faults: listOf(faultChoiceSchema),
  /** Each combination of these values is a subject of its own. */
  sweep: listOf(z.object({ service: z.string(), setting: z.string(), values: listOf(settingValueSchema) })).default([]),
  /** Whether values of a sweep are measured too that a model knows within the precision. */
  sweepsAll: z.boolean().default(false),
});
export type RunQuestion = z.infer<typeof runQuestionSchema>;

/** The result of a search (harness/models/sustained-rate-search.ts), in iterations per second. */
export const sustainedRateSchema = z.object({
  valuePerS: z.number().nullable(),
  /** The highest rate confirmed to meet the targets and the lowest confirmed to miss one; null where there is none. */
  lowPerS: z.number().nullable(),
  highPerS: z.number().nullable(),
  end: z.enum(sustainedRateEnds),
  /** The id of the target that higher rates miss; null where no target binds. */
  binding: z.string().nullable(),
  shape: z.enum(['smooth', 'cliff']).nullable(),
  monotone: z.boolean(),
});
export type SustainedRateAnswer = z.infer<typeof sustainedRateSchema>;

const rateSchema = z.object({ arrivalRatePerS: z.number(), sequence: count });

/** Of one tier: the highest arrival rate of each scenario that met its p95 target. */
export const runAnswerSchema = z.object({
  subject: z.string(),
  scenarios: listOf(
    z.object({
      scenario: z.string(),
      /** Null where loads were given by hand, or where none was found to begin with. */
      sustainedRate: sustainedRateSchema.nullable(),
      /** Iterations/s of the pilot trial; absent without one. */
      pilotPerS: z.number().exactOptional(),
      /** One for each p95 target that names no load; `target` is its id, null where none applies. */
      sustained: listOf(
        z.object({
          target: z.string().nullable(),
          /** The trial that met it; null where none did. */
          highest: rateSchema.nullable(),
          /** The next higher trial and why it does not count; null where there is none. */
          next: rateSchema.extend({ why: z.enum(['missed', 'inconclusive', 'invalid']) }).nullable(),
        }),
      ),
    }),
  ),
});
export type RunAnswer = z.infer<typeof runAnswerSchema>;

export type RunResult = StudyRecord<RunQuestion, RunAnswer>;

/** Question and answers of a record were read by the schemas of its study. */
export function isRun(record: StudyRecord): record is RunResult {
  return record.study === 'run';
}
