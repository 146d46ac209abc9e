import { z } from 'zod';
import { offeredLoadSchema as load } from '../core/findings.ts';
import { arrivalProcesses } from '../core/load.ts';
import { isMetricId } from '../core/metrics.ts';
import type { RunFacts, RunStatus } from '../core/run.ts';
import { measuredMetrics, type Target } from '../core/target.ts';
import { faultKinds, requestOutcomes, type TrialRecord } from '../core/trial.ts';

/**
 * The stored form of a run, schema version 1. A folder of another version is refused instead of being read wrongly.
 * The schemas are typed by harness/core, so that a change of the one without the other does not compile.
 */

const count = z.number().int().nonnegative();
const duration = z.number().nonnegative();
const documentReference = z.object({ document: z.string(), section: z.string() });

const tier = z.object({
  name: z.string(),
  title: z.string(),
  description: z.string(),
  documents: z.array(documentReference),
  entry: z.string(),
  services: z.array(
    z.object({
      name: z.string(),
      kind: z.string(),
      instances: count,
      settings: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
      resources: z.object({ cpus: z.number().exactOptional(), memoryBytes: z.number().exactOptional() }),
      connectsTo: z.record(z.string(), z.string()),
    }),
  ),
});

const runningService = z.object({
  name: z.string(),
  kind: z.string(),
  instances: z.array(
    z.object({
      name: z.string(),
      host: z.string(),
      port: count,
      processIds: z.array(z.number().int()),
      containerId: z.string().exactOptional(),
      limits: z.object({ cpus: z.number().exactOptional(), memoryBytes: z.number().exactOptional() }).exactOptional(),
    }),
  ),
  version: z.string().exactOptional(),
});

export const factsSchema: z.ZodType<RunFacts> = z.object({
  schemaVersion: z.literal(1),
  runId: z.string(),
  startedAt: z.string(),
  tierbench: z.object({ version: z.string(), commit: z.string().nullable() }),
  machine: z.object({
    cpuModel: z.string(),
    cpus: count,
    memoryBytes: count,
    operatingSystem: z.string(),
    kernel: z.string(),
    node: z.string(),
    limits: z.object({ cpus: z.number().exactOptional(), memoryBytes: z.number().exactOptional() }),
    container: z.string().nullable(),
  }),
  placement: z.object({ generatorCpus: z.array(count), systemCpus: z.array(count) }).nullable(),
  calibration: z
    .object({
      ceilingPerS: z.number(),
      ceilingConcurrency: count,
      ceilingIsAtLeast: z.boolean(),
      floorP50S: duration,
      floorP95S: duration,
      floorRatePerS: z.number().nullable(),
      sendLagP99S: z.number().nullable(),
    })
    .nullable(),
  settings: z.object({
    quick: z.boolean(),
    engine: z.string(),
    provider: z.string(),
    scenarios: z.array(z.string()),
    seed: z.number().int(),
    durationS: duration,
    warmUpS: duration,
    timeoutS: duration,
    coolDownS: duration,
    arrivalRatesPerS: z.array(z.number().positive()).nullable(),
    arrivals: z.enum(arrivalProcesses),
    concurrencies: z.array(count).nullable(),
    workers: count,
    skipThinkTimes: z.boolean(),
    scaleModelFactor: z.number().positive().nullable(),
    faults: z.array(z.object({ kind: z.enum(faultKinds), service: z.string().nullable() })),
  }),
  tiers: z.array(
    z.object({
      tier,
      provider: z.string(),
      services: z.array(runningService),
      data: z.object({ users: count, tasksPerUser: count, seed: z.number().int() }).nullable(),
      bringUpS: duration,
      prepareDataS: duration,
      planned: z.array(z.object({ scenario: z.string(), load })),
      notRun: z.array(z.string()),
      notes: z.array(z.string()),
      endedEarly: z.string().nullable(),
    }),
  ),
});

const endedAt = z.string();
export const statusSchema: z.ZodType<RunStatus> = z.discriminatedUnion('state', [
  z.object({ state: z.literal('running') }),
  z.object({ state: z.literal('finished'), endedAt }),
  z.object({ state: z.literal('interrupted'), endedAt }),
  z.object({ state: z.literal('failed'), endedAt, code: z.string(), what: z.string(), nextStep: z.string() }),
]);

export const targetsSchema: z.ZodType<readonly Target[]> = z.array(
  z.object({
    id: z.string(),
    title: z.string(),
    source: documentReference,
    comparison: z.enum(['<', '<=', '=', '>=', '>', 'between']),
    value: z.union([z.number(), z.tuple([z.number(), z.number()])]),
    unit: z.string(),
    appliesTo: z.object({
      tiers: z.array(z.string()),
      scenarios: z.array(z.string()),
      concurrency: z.number().exactOptional(),
      arrivalRatePerS: z.number().exactOptional(),
      users: z.number().exactOptional(),
      tasks: z.number().exactOptional(),
    }),
    judged: z.discriminatedUnion('by', [
      z.object({ by: z.literal('measured'), metric: z.enum(measuredMetrics) }),
      z.object({ by: z.literal('setting'), option: z.string() }),
      z.object({ by: z.literal('model'), model: z.string() }),
      z.object({ by: z.literal('not-yet'), why: z.string() }),
    ]),
    contradictions: z.array(z.object({ target: z.string(), note: z.string() })),
    note: z.string().exactOptional(),
  }),
);

const iterations = z.object({ intended: count, completed: count, failed: count, dropped: count });
const steps = z.array(
  z.object({
    name: z.string(),
    outcomes: z.record(z.enum(requestOutcomes), count),
    statuses: z.record(z.string(), count),
    latency: z.string(),
    serviceTime: z.string().exactOptional(),
    coordinated: z.string().exactOptional(),
  }),
);

export const measuredTrialSchema: z.ZodType<TrialRecord> = z.object({
  schemaVersion: z.literal(1),
  sequence: count,
  subject: z.string(),
  purpose: z.enum(['warm-up', 'measure', 'fault']),
  fault: z
    .object({ kind: z.enum(faultKinds), instance: z.string(), atS: z.number(), undoneAtS: z.number().nullable() })
    .exactOptional(),
  trial: z.object({
    engine: z.string(),
    plan: z.object({
      scenario: z.string(),
      baseUrl: z.string(),
      baseUrls: z.record(z.string(), z.string()).exactOptional(),
      load,
      warmUpS: duration,
      durationS: duration,
      seed: z.number().int(),
      timeoutS: duration,
    }),
    startedAt: z.string(),
    measuredS: duration,
    stopped: z.boolean(),
    iterations,
    steps,
    intervals: z.array(z.object({ startS: z.number(), durationS: duration, iterations, steps })),
    inFlightAtEnd: z.string().nullable(),
    generator: z.object({
      utilizationRatio: z.number(),
      eventLoopLagP99S: z.number().nullable(),
      sendLagP99S: z.number().nullable(),
    }),
    repeatWith: z.string().exactOptional(),
    failureExamples: z.array(z.object({ step: z.string(), outcome: z.enum(requestOutcomes), message: z.string() })),
  }),
  // A metric that only another version of tierbench knows is passed over: nothing is derived from it.
  samples: z
    .array(
      z.object({
        atS: z.number(),
        source: z.string(),
        metric: z.string(),
        detail: z.string().exactOptional(),
        value: z.number(),
      }),
    )
    .transform((samples) =>
      samples.flatMap(({ metric, ...sample }) => (isMetricId(metric) ? [{ metric, ...sample }] : [])),
    ),
  notes: z.array(z.string()),
});
