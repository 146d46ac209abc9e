import { z } from 'zod';
import { noteSchema, obstacleSchema, offeredLoadSchema } from './findings.ts';
import { systemLacks } from './machine.ts';
import type { Target } from './target.ts';
import type { Tier } from './tier.ts';
import type { TrialRecord } from './trial.ts';

/**
 * What a results folder holds beside trials and targets. Each file is a schema first, and its type follows from it:
 * `study.json`, `facts.json`, `subjects/<id>.json` and `status.json`. Nothing in them is secret.
 */

/** A folder of another version is refused. */
export const RESULTS_VERSION = 2;

const text = z.string();
const count = z.number().int().nonnegative();
const durationS = z.number().nonnegative();
const listOf = <Item extends z.ZodType>(item: Item) => z.array(item).readonly();

export const settingValueSchema = z.union([text, z.number(), z.boolean()]);

export const documentReferenceSchema = z.object({ document: text, section: text });

const tierSchema: z.ZodType<Tier> = z.object({
  name: text,
  title: text,
  description: text,
  documents: listOf(documentReferenceSchema),
  entry: text,
  services: listOf(
    z.object({
      name: text,
      kind: text,
      instances: count,
      settings: z.record(text, settingValueSchema),
      resources: z.object({ cpus: z.number().exactOptional(), memoryBytes: z.number().exactOptional() }),
      connectsTo: z.record(text, text),
    }),
  ),
});

const limitsSchema = z.object({ cpus: z.number().exactOptional(), memoryBytes: z.number().exactOptional() });

const runningServiceSchema = z.object({
  name: text,
  kind: text,
  instances: listOf(
    z.object({
      name: text,
      host: text,
      port: count,
      processIds: listOf(z.number().int()),
      containerId: text.exactOptional(),
      limits: limitsSchema.exactOptional(),
    }),
  ),
  version: text.exactOptional(),
});

const machineSchema = z.object({
  cpuModel: text,
  cpus: count,
  memoryBytes: count,
  operatingSystem: text,
  kernel: text,
  node: text,
  lacks: listOf(z.enum(systemLacks)).default([]),
  limits: limitsSchema,
  container: text.nullable(),
});

/** Which CPUs did what, so that the generator does not take from the system what it measures. */
const placementSchema = z.object({ generatorCpus: listOf(count), systemCpus: listOf(count) });
export type Placement = z.infer<typeof placementSchema>;

/**
 * What the generator itself can do on this machine, measured before the first trial against an echo that takes no time
 * worth speaking of: beyond the ceiling and below the floor it is the generator that is measured.
 */
const calibrationSchema = z.object({
  /** Requests per second it makes at most, with `ceilingConcurrency` virtual users. */
  ceilingPerS: z.number(),
  ceilingConcurrency: count,
  /** The echo itself was at its limit, or took the generator's CPU: the generator may make more. */
  ceilingIsAtLeast: z.boolean(),
  /** Latency it reads at least, at `floorRatePerS` arrivals (or with one virtual user, where it knows no arrivals: null). */
  floorP50S: durationS,
  floorP95S: durationS,
  floorRatePerS: z.number().nullable(),
  /** Actual minus scheduled start at that rate, 99th percentile. */
  sendLagP99S: z.number().nullable(),
});
export type Calibration = z.infer<typeof calibrationSchema>;

/** How trials are measured, whatever the study asks. */
const settingsSchema = z.object({
  engine: text,
  provider: text,
  /** Processes or threads the generator uses. */
  workers: count,
  /** Of data and traffic. */
  seed: z.number().int(),
  /** Rest between scenarios, faults and subjects. */
  coolDownS: durationS,
  skipThinkTimes: z.boolean(),
  /** Of the scenario `mixed`: the weight of each part; absent where it was not asked for. */
  mix: z.record(text, z.number().nonnegative()).exactOptional(),
});
export type StudySettings = z.infer<typeof settingsSchema>;

/** `study.json`: what was asked. */
export const studyFileSchema = z.object({
  schemaVersion: z.literal(RESULTS_VERSION),
  /** The name of the study: `run`. */
  study: text,
  /** As the study's own schema has it. */
  question: z.unknown(),
  /** The ids of all subjects, in the order they were given. */
  subjects: listOf(text),
});

/** `facts.json`: what a reader must know to believe a result, or to repeat it. */
export const factsSchema = z.object({
  runId: text,
  /** ISO 8601, UTC. */
  startedAt: text,
  tierbench: z.object({ version: text, commit: text.nullable() }),
  machine: machineSchema,
  /** Null where generator and system share all CPUs; the notes of the subjects say why. */
  placement: placementSchema.nullable(),
  /** Null where it was not made: it was interrupted, too little was answered, or a test went without. */
  calibration: calibrationSchema.nullable(),
  settings: settingsSchema,
});
export type StudyFacts = z.infer<typeof factsSchema>;

/** One load a scenario was to be measured at. */
const plannedLoadSchema = z.object({ scenario: text, load: offeredLoadSchema });
export type PlannedLoad = z.infer<typeof plannedLoadSchema>;

/** `subjects/<id>.json`: one subject as it was really started. In a run the id is the name of the tier. */
export const subjectSchema = z.object({
  id: text,
  tier: tierSchema,
  /** In a sweep: what is changed in the tier file; else empty. `isOwn`: the file has the same value. */
  variant: listOf(z.object({ service: text, setting: text, value: settingValueSchema, isOwn: z.boolean() })).default(
    [],
  ),
  provider: text,
  services: listOf(runningServiceSchema),
  /** `values` by the names of the data options of the app, `amounts` by the units of targets; null where it is not ours. */
  data: z.object({ values: z.record(text, z.number()), amounts: z.record(text, count) }).nullable(),
  /** How long it took until every service answered. */
  startS: durationS,
  prepareDataS: durationS,
  /** As far as loads were decided: those of a scenario are when its pilot trial is done. */
  planned: listOf(plannedLoadSchema),
  /** Why it was not run here; empty when it was. */
  notRun: listOf(obstacleSchema),
  /** Where what ran differs from the tier file, and what a reader would not expect: limits that are not enforced. */
  notes: listOf(noteSchema),
  /** What ended it before its last trial; null when nothing did. */
  endedEarly: z.object({ errorCode: text, detail: text }).nullable(),
});
export type SubjectFacts = z.infer<typeof subjectSchema>;

export const statusSchema = z.discriminatedUnion('state', [
  z.object({ state: z.literal('running') }),
  z.object({ state: z.literal('finished'), endedAt: text }),
  z.object({ state: z.literal('interrupted'), endedAt: text }),
  z.object({ state: z.literal('failed'), endedAt: text, code: text, what: text, nextStep: text }),
]);
export type StudyStatus = z.infer<typeof statusSchema>;

/** In a sweep: another tier than that of the file. It is evidence of how the tier scales, and is not judged itself. */
export function isChanged({ variant }: Pick<SubjectFacts, 'variant'>): boolean {
  return variant.some(({ isOwn }) => !isOwn);
}

/** A results folder, read. Everything a report needs, and nothing else goes into one. */
export interface StudyRecord<Question = unknown, Answer = unknown> {
  readonly study: string;
  readonly question: Question;
  readonly facts: StudyFacts;
  readonly status: StudyStatus;
  /** Those that were reached, in the order they were given. */
  readonly subjects: readonly SubjectFacts[];
  /** In the order they were measured. */
  readonly trials: readonly TrialRecord[];
  /** `answer.json`: one answer for each group of subjects that was measured to its end. */
  readonly answers: readonly Answer[];
  /** The targets as they stood when the study was made. */
  readonly targets: readonly Target[];
}
