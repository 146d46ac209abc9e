import { z } from 'zod';
import { arrivalProcesses } from '../harness/core/load.ts';
import { measuredMetrics } from '../harness/core/target.ts';
import { faultKinds } from '../harness/core/trial.ts';

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
  z.object({
    model: z.literal('open'),
    arrivalRatePerS: z.number().describe('Iterations per second, at the beginning.'),
    arrivals: z.enum(arrivalProcesses),
    changes: z
      .array(z.object({ atS: z.number(), overS: z.number(), toRatePerS: z.number() }))
      .describe('Steps and ramps on the way, in the order of time; empty where the rate stays.'),
  }),
  z.object({ model: z.literal('closed'), concurrency: z.number() }),
]);

const step = z.object({
  name: z.string(),
  requests: z.number().int(),
  errorRatio: z.number(),
  throughputPerS: estimate.nullable(),
  latency,
});

const viewQuantile = z
  .union([z.number(), z.literal('never')])
  .nullable()
  .describe('Seconds; `never` where so many were never answered; null where the samples are too few.');
const view = z.object({
  count: z.number().int(),
  p50S: viewQuantile,
  p95S: viewQuantile,
  p99S: viewQuantile,
  longestS: viewQuantile,
});

const views = z
  .object({
    due: view.describe('From when it was due; what was dropped or failed was never answered.'),
    sent: view.nullable().describe('From when it was sent, right answers only.'),
    waiting: view
      .nullable()
      .describe('As ten users read it who wait for each answer before they ask again (coordinated omission).'),
  })
  .nullable()
  .describe('The same trial read in three ways; null for a number of users, or where the engine does not tell.');

const trial = z.object({
  sequence: z.number().int().describe('Position in the run, from 1.'),
  load,
  measuredS: z.number(),
  iterations: z.object({
    intended: z.number().int().describe('Due in the window; of a number of users: started.'),
    completed: z.number().int(),
    failed: z.number().int().describe('Completed with at least one failed request.'),
    dropped: z.number().int().describe('Due and never started.'),
  }),
  failures: z
    .record(z.string(), z.number().int())
    .describe('Failed requests by outcome; what did not happen is absent.'),
  throughputPerS: estimate.nullable().describe('Successful requests per second.'),
  iterationsPerS: estimate.nullable(),
  errorRatio: z.number().describe('Failed or dropped work over all intended work.'),
  latency,
  sound: z.boolean().describe('False when the figures cannot be trusted; `reasons` says why.'),
  reasons: z.array(z.string()),
  caveats: z.array(z.string()).describe('What a reader should mind, though it makes no figure untrue.'),
  views,
  repeatWith: z.string().nullable().describe('A command that repeats the trial by hand, where there is one.'),
  steps: z.array(step),
});

const carried = z
  .object({
    target: z.string().nullable().describe('The id of the p95 target; null where none applies.'),
    arrivalRatePerS: z
      .number()
      .nullable()
      .describe('The highest sound rate within the target, with no lower one beyond it; null where there is none.'),
    sequence: z.number().int().nullable().describe('Its trial.'),
    next: z
      .object({
        arrivalRatePerS: z.number(),
        sequence: z.number().int(),
        why: z.enum(['missed', 'inconclusive', 'invalid']),
      })
      .nullable()
      .describe('The next higher rate and what kept it out; null where none was measured.'),
  })
  .describe('How far the tier came by arrival rate within a p95 target.');

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

const phase = z.object({
  fromS: z.number(),
  toS: z.number(),
  throughputPerS: z.number().nullable().describe('Mean over the phase; null where it has no length.'),
  succeeded: z.number().int(),
  failures: z
    .record(z.string(), z.number().int())
    .describe('Failed requests by outcome; what did not happen is absent.'),
});

const fault = z
  .object({
    sequence: z.number().int(),
    scenario: z.string(),
    load: z.string().describe('In words.'),
    kind: z.enum(faultKinds),
    instance: z.string(),
    atS: z.number().describe('Seconds from the start of the measured window, as all times here.'),
    undoneAtS: z.number().nullable().describe('When it was up again or went on; null when it did not come back.'),
    before: phase,
    during: phase,
    after: phase.nullable(),
    firstFailureWithinS: z.number().nullable().describe('From the fault on; null when no request failed.'),
    servedAgainDuringS: z
      .number()
      .nullable()
      .describe('From the fault until it served as before while the fault lasted.'),
    recoveredAfterS: z.number().nullable().describe('From the end of the fault until it served as before.'),
  })
  .describe('A fault that was made on purpose, and what was seen when.');

const limits = z.object({ cpus: z.number().nullable(), memoryBytes: z.number().nullable() });

const tier = z.object({
  name: z.string(),
  title: z.string(),
  provider: z.string().nullable(),
  instances: z
    .array(z.object({ name: z.string(), limits: limits.describe('As far as they are enforced.') }))
    .describe('What was up, by name.'),
  endedEarly: z.string().nullable().describe('What ended the tier before its last trial; null when nothing did.'),
  faults: z.array(fault),
  notRun: z.array(z.string()).describe('Why the tier was not run here; empty when it was.'),
  targets: z.array(target),
  scenarios: z.array(z.object({ name: z.string(), carried: z.array(carried), trials: z.array(trial) })),
  notMeasured: z.array(z.object({ scenario: z.string(), load })).describe('Loads that were planned and not measured.'),
  viewsInWords: z
    .string()
    .nullable()
    .describe('What coordinated omission would have hidden; null where there are no views.'),
  busiest: z.array(z.string()).describe('Which processes were busy at the highest load, in words.'),
  notes: z.array(z.string()),
});

const change = z
  .discriminatedUnion('kind', [
    z.object({ kind: z.literal('changed'), ratio: estimate }),
    z.object({ kind: z.literal('no-change-beyond-noise'), ratio: estimate }),
    z.object({ kind: z.literal('unknown'), why: z.string() }),
  ])
  .nullable()
  .describe('From the tier `before` to this one, as a ratio; null where there is none to compare with.');

const comparedTier = z.object({
  tier: z.string(),
  before: z.string().nullable().describe('The tier it is compared with.'),
  notMeasured: z.string().nullable().describe('Why there are no figures; null where there are.'),
  sequence: z.number().int().nullable().describe('The trial with the figures.'),
  throughputChange: change,
  p95Change: change,
});

const comparison = z.object({
  inWords: z.string().describe('What the tiers bought on this machine and what they did not.'),
  comparisons: z.number().int().describe('How many changes were looked at, and corrected for each other.'),
  scenarios: z.array(
    z.object({
      name: z.string(),
      loads: z.array(z.object({ load, tiers: z.array(comparedTier) })),
      alone: z
        .array(z.object({ tier: z.string(), loads: z.array(load) }))
        .describe('Loads that one tier alone was measured at, so that nothing is compared there.'),
    }),
  ),
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
    arrivalRatesPerS: z.array(z.number()).nullable().describe('Null: chosen for each scenario by a probe.'),
    arrivals: z.enum(arrivalProcesses),
    concurrencies: z.array(z.number()).nullable().describe('Null: as many users as the documents speak of.'),
    workers: z.number(),
    skipThinkTimes: z.boolean(),
    scaleModelFactor: z.number().nullable().describe('What the CPUs of every service were multiplied by, or null.'),
    faults: z.array(z.object({ kind: z.enum(faultKinds), service: z.string().nullable() })),
  }),
  calibration: z
    .object({
      ceilingPerS: z.number().describe('Requests per second the generator makes at most.'),
      ceilingConcurrency: z.number(),
      ceilingIsAtLeast: z.boolean().describe('The echo was at its limit first: the generator may make more.'),
      floorP50S: z.number().describe('Latency it reads at least.'),
      floorP95S: z.number(),
      floorRatePerS: z.number().nullable().describe('The arrival rate of the floor; null: one virtual user.'),
      sendLagP99S: z.number().nullable(),
    })
    .nullable()
    .describe('What the generator itself can do on this machine, against an echo; null where it was not made.'),
  placement: z
    .object({ generatorCpus: z.array(z.number()), systemCpus: z.array(z.number()) })
    .nullable()
    .describe('Which CPUs did what; null where both shared all of them.'),
  comparison: comparison.nullable().describe('The tiers side by side; null for a run of one tier.'),
  tiers: z.array(tier),
});

export type Report = z.infer<typeof reportSchema>;

/** The text of docs/report.schema.json. */
export function reportJsonSchema(): string {
  const schema = z.toJSONSchema(reportSchema, { target: 'draft-2020-12', reused: 'ref' });
  return JSON.stringify({ title: 'tierbench report', ...schema }, null, 2);
}
