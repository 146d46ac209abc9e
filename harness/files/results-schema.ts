import { inflateSync } from 'node:zlib';
import { z } from 'zod';
import { offeredLoadSchema as load, noteSchema } from '../core/findings.ts';
import { isMetricId } from '../core/metrics.ts';
import { documentReferenceSchema as documentReference } from '../core/study-record.ts';
import { measuredMetrics, type Target } from '../core/target.ts';
import { faultKinds, generatorResources, requestOutcomes, type TrialRecord, trialPurposes } from '../core/trial.ts';

/** Trials and targets as they are stored. Typed by harness/core: a change of the one without the other does not compile. */

const count = z.number().int().nonnegative();
/** Seconds: of a trial, at most those of a week. */
const duration = z.number().nonnegative().max(604_800);

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
      steps: z.array(z.string()).exactOptional(),
      concurrency: z.number().exactOptional(),
      arrivalRatePerS: z.number().exactOptional(),
      users: z.number().exactOptional(),
      tasks: z.number().exactOptional(),
    }),
    judged: z.discriminatedUnion('by', [
      z.object({ by: z.literal('measured'), metric: z.enum(measuredMetrics), each: z.literal('step').exactOptional() }),
      z.object({
        by: z.literal('setting'),
        option: z.string(),
        as: z.string().exactOptional(),
        unlessOff: z.string().exactOptional(),
      }),
      z.object({ by: z.literal('model'), model: z.string() }),
      z.object({ by: z.literal('not-yet'), why: z.string() }),
    ]),
    contradictions: z.array(z.object({ target: z.string(), note: z.string() })),
    note: z.string().exactOptional(),
  }),
);

/** So much and no more may come of a short text that is inflated; the histogram with the most buckets has a fifth of it. */
const LARGEST_HISTOGRAM_BYTES = 1024 * 1024;
/** Deflate makes a thousandth of a text at best, so that a shorter one cannot stand for too much. */
const HARMLESS_LENGTH = LARGEST_HISTOGRAM_BYTES / 1032;

/** Whether it begins as an HdrHistogram V2, compressed and in base64, and can be inflated to no more than one may have. */
function isHistogram(encoded: string): boolean {
  if (!encoded.startsWith('HIST')) return false;
  if (encoded.length < HARMLESS_LENGTH) return true;
  try {
    inflateSync(Buffer.from(encoded, 'base64').subarray(8), { maxOutputLength: LARGEST_HISTOGRAM_BYTES });
    return true;
  } catch {
    return false;
  }
}

const histogram = z.string().refine(isHistogram, 'is no HdrHistogram V2 in base64, or too large');

const iterations = z.object({ intended: count, completed: count, failed: count, dropped: count });
const steps = z.array(
  z.object({
    name: z.string(),
    outcomes: z.record(z.enum(requestOutcomes), count),
    statuses: z.record(z.string(), count),
    responseBytes: count.exactOptional(),
    latency: histogram,
    serviceTime: histogram.exactOptional(),
    closedLoop: histogram.exactOptional(),
  }),
);

export const trialRecordSchema: z.ZodType<TrialRecord> = z.object({
  sequence: count,
  repeats: count.exactOptional(),
  subject: z.string(),
  purpose: z.enum(trialPurposes),
  fault: z
    .object({ kind: z.enum(faultKinds), instance: z.string(), atS: z.number(), undoneAtS: z.number().nullable() })
    .exactOptional(),
  trial: z.object({
    engine: z.string(),
    plan: z.object({
      scenario: z.string(),
      baseUrl: z.string(),
      baseUrls: z.record(z.string(), z.string()).exactOptional(),
      reach: z
        .object({
          addresses: z.record(z.string(), z.string()),
          verifiesCertificates: z.boolean(),
          authoritiesFile: z.string().nullable(),
        })
        .exactOptional(),
      load,
      warmUpS: duration,
      durationS: duration,
      seed: z.number().int(),
      timeoutS: duration,
    }),
    startedAt: z.string(),
    startedAtMonotonicS: z.number(),
    measuredS: duration,
    stopped: z.boolean(),
    iterations,
    steps,
    intervals: z.array(z.object({ startS: z.number(), durationS: duration, iterations, steps })),
    inFlightAtEnd: histogram,
    generator: z.object({
      utilizationRatio: z.number(),
      eventLoopLagP99S: z.number().nullable(),
      sendLagP99S: z.number().nullable(),
    }),
    repeatWith: z.string().exactOptional(),
    failureExamples: z.array(
      z.object({
        step: z.string(),
        outcome: z.enum(requestOutcomes),
        message: z.string(),
        resource: z.enum(generatorResources).exactOptional(),
      }),
    ),
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
  notes: z.array(noteSchema),
});
