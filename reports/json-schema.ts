import { z } from 'zod';
import { measuredMetrics } from '../harness/core/target.ts';

/**
 * report.json, schema version 1: what a report says, for programs. Figures are in SI units and ratios 0..1, as their
 * names say. docs/report.schema.json is made from this, and a test compares the two:
 * `node -e "import('./reports/json-schema.ts').then((m) => console.log(m.reportJsonSchema()))" > docs/report.schema.json`,
 * then `npm run format`.
 */

const estimate = z
  .object({ value: z.number(), low: z.number(), high: z.number() })
  .describe('A value with its two-sided 95 % interval.');
const quantile = estimate.nullable().describe('Null where the samples are too few for an interval.');

const latency = z.object({
  count: z.number().int().describe('Successful requests.'),
  meanS: z.number(),
  maxS: z.number(),
  p50S: quantile,
  p95S: quantile,
  p99S: quantile,
});

const load = z.discriminatedUnion('model', [
  z.object({ model: z.literal('open'), arrivalRatePerS: z.number(), arrivals: z.enum(['poisson', 'constant']) }),
  z.object({ model: z.literal('closed'), concurrency: z.number() }),
]);

const step = z.object({
  name: z.string(),
  requests: z.number().int(),
  errorRatio: z.number(),
  throughputPerS: estimate.nullable(),
  latency,
});

const trial = z.object({
  sequence: z.number().int().describe('Position in the run, from 1.'),
  load,
  measuredS: z.number(),
  throughputPerS: estimate.nullable().describe('Successful requests per second.'),
  iterationsPerS: estimate.nullable(),
  errorRatio: z.number().describe('Failed or dropped work over all intended work.'),
  latency,
  sound: z.boolean().describe('False when the figures cannot be trusted; `reasons` says why.'),
  reasons: z.array(z.string()),
  steps: z.array(step),
});

const target = z.object({
  id: z.string(),
  title: z.string(),
  limit: z.string().describe('What the target asks for, in words: `< 200 ms`.'),
  comparison: z.enum(['<', '<=', '=', '>=', '>', 'between']),
  bound: z.union([z.number(), z.tuple([z.number(), z.number()])]).describe('In `unit`; two ends for `between`.'),
  unit: z.string(),
  metric: z.enum(measuredMetrics).nullable().describe('Null for targets that are not measured by trials.'),
  source: z.object({ document: z.string(), section: z.string() }),
  scenario: z.string().nullable().describe('Null where the target is not about one scenario.'),
  verdict: z.enum(['met', 'missed', 'inconclusive', 'not-judged']),
  reasons: z.array(z.string()),
  value: estimate.nullable(),
  evidence: z.string(),
});

const tier = z.object({
  name: z.string(),
  title: z.string(),
  notRun: z.array(z.string()).describe('Why the tier was not run here; empty when it was.'),
  targets: z.array(target),
  scenarios: z.array(z.object({ name: z.string(), trials: z.array(trial) })),
  busiest: z.array(z.string()).describe('Which processes were busy at the highest load, in words.'),
  notes: z.array(z.string()),
});

export const reportSchema = z.object({
  schemaVersion: z.literal(1),
  run: z.object({
    id: z.string(),
    startedAt: z.string().describe('ISO 8601, UTC.'),
    endedAt: z.string().nullable(),
    state: z.enum(['running', 'finished', 'interrupted', 'failed']),
    incomplete: z.string().nullable().describe('Why the run is not complete, in words; null when it is.'),
  }),
  tierbench: z.object({ version: z.string(), commit: z.string().nullable() }),
  machine: z.object({
    cpuModel: z.string(),
    cpus: z.number(),
    memoryBytes: z.number(),
    operatingSystem: z.string(),
    kernel: z.string(),
    node: z.string(),
    limits: z
      .object({ cpus: z.number().nullable(), memoryBytes: z.number().nullable() })
      .describe('What the run was allowed to use of it; null where there was no limit.'),
    container: z.string().nullable().describe('The kind of container the run was made in, or null.'),
  }),
  settings: z.object({
    quick: z.boolean(),
    engine: z.string(),
    provider: z.string(),
    scenarios: z.array(z.string()),
    seed: z.number(),
    durationS: z.number(),
    warmUpS: z.number(),
    timeoutS: z.number(),
    coolDownS: z.number(),
    ladder: z.array(z.number()),
    skipThinkTimes: z.boolean(),
  }),
  tiers: z.array(tier),
});

export type Report = z.infer<typeof reportSchema>;

/** The text of docs/report.schema.json. */
export function reportJsonSchema(): string {
  const schema = z.toJSONSchema(reportSchema, { target: 'draft-2020-12', reused: 'ref' });
  return JSON.stringify({ title: 'tierbench report', ...schema }, null, 2);
}
