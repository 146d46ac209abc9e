import { z } from 'zod';
import {
  caveatSchema,
  evidenceSchema,
  offeredLoadSchema as load,
  reasonSchema,
  violationSchema,
  whyNotSchema,
} from '../../harness/core/findings.ts';
import { type MetricId, metrics } from '../../harness/core/metrics.ts';
import { runQuestionSchema, sustainedRateSchema } from '../../harness/core/run.ts';
import { factsSchema, settingValueSchema, statusSchema, subjectSchema } from '../../harness/core/study-record.ts';
import { faultKinds } from '../../harness/core/trial.ts';
import { targetsSchema } from '../../harness/files/results-schema.ts';
import type { Demands } from '../../harness/judging/demands.ts';
import { isValid, type JudgedTrial } from '../../harness/judging/judged-trial.ts';
import type { LatencyView } from '../../harness/judging/latency-views.ts';
import type { RecoveryPhase } from '../../harness/judging/recovery.ts';
import type { Analysis, Limit, Sustained, TierAnalysis } from '../analysis.ts';
import { sweepCurves } from '../sweep.ts';
import { workOf } from '../work.ts';

/**
 * report.json of a run, schema version 2: what was stored, as it was stored, and what was judged from it. SI units and
 * ratios from 0 to 1, as the names say. docs/report.schema.json is made from it (tools/generated-docs.ts).
 */

const count = z.number().int();
const metricId = z.enum(Object.keys(metrics) as [MetricId, ...MetricId[]]);
const estimate = z
  .object({ value: z.number(), low: z.number(), high: z.number() })
  .describe('A value with its two-sided 95 % interval.');
const quantile = estimate.nullable().describe('Null where the samples are too few for an interval.');
const latency = z.object({
  count: count.describe('Successful requests.'),
  meanS: z.number(),
  maxS: z.number(),
  p50S: quantile,
  p95S: quantile,
  p99S: quantile,
});
const sequence = count.describe('The number of a trial, from 1.');

const viewQuantile = z
  .union([z.number(), z.literal('never')])
  .nullable()
  .describe('Seconds; `never` where so many were never answered; null where the samples are too few.');
const view = z
  .object({ count, p50S: viewQuantile, p95S: viewQuantile, p99S: viewQuantile, longestS: viewQuantile })
  .nullable();

const trial = z.object({
  sequence,
  load,
  measuredS: z.number(),
  iterations: z.object({ intended: count, completed: count, failed: count, dropped: count }),
  failures: z.record(z.string(), count).describe('Failed requests by outcome; those that did not happen are absent.'),
  throughputPerS: quantile.describe('Successful requests per second.'),
  iterationsPerS: quantile,
  errorRatio: z.number().describe('Failed and dropped requests, of all requests.'),
  latency,
  valid: z.boolean().describe('False when the figures may be those of something else than the system.'),
  reasons: z.array(reasonSchema).readonly().describe('Why it is invalid.'),
  caveats: z.array(caveatSchema).readonly().describe('What makes no figure untrue and should be kept in mind.'),
  latencyBy: z
    .object({ scheduled: view, sent: view, closedLoop: view })
    .nullable()
    .describe('From the scheduled start; from the actual start; as ten closed-loop users. Null for closed-loop load.'),
  steps: z.array(
    z.object({ name: z.string(), requests: count, errorRatio: z.number(), throughputPerS: quantile, latency }),
  ),
});

const utilization = z.object({
  kind: z.literal('utilization'),
  source: z.string(),
  metric: metricId,
  resource: z.string(),
  used: z.number(),
  limit: z.number(),
  ratio: z.number(),
});
const queue = z.object({
  kind: z.literal('queue'),
  source: z.string(),
  metric: metricId,
  resource: z.string(),
  waiting: z.number(),
});
const use = z.discriminatedUnion('kind', [utilization, queue]);

const limit = z.union([
  z.object({ unknown: z.enum(['no-samples', 'no-utilization', 'no-service']) }),
  z.object({
    first: use.nullable(),
    next: use.nullable(),
    utilizations: z.array(utilization),
    queues: z.array(queue),
  }),
]);

const sustainedRate = sustainedRateSchema
  .nullable()
  .describe('The highest arrival rate that meets the targets, in iterations/s; null where loads were given by hand.');

const expected = z
  .array(z.object({ station: z.string(), atMostPerS: z.number() }))
  .describe('Requests/s at which each service, or the machine, is used up; the lowest first.');
const demands = z
  .object({
    takenAtPerS: z.tuple([z.number(), z.number()]).describe('Requests/s of the trials it was taken at.'),
    trials: count,
    requestsPerIteration: z.number(),
    services: z.array(
      z.object({
        service: z.string(),
        cpuS: z.number(),
        interval: z.object({ lowS: z.number(), highS: z.number() }).nullable(),
        backgroundCpus: z.number(),
        mainThread: z.object({ cpuS: z.number(), backgroundCpus: z.number() }).nullable(),
      }),
    ),
    amounts: z.array(z.object({ service: z.string(), metric: metricId, perRequest: z.number() })),
    hitRatios: z.array(z.object({ service: z.string(), metric: metricId, ratio: z.number() })),
    connections: z.array(z.object({ service: z.string(), metric: metricId, mean: z.number() })),
    rowsReadAtReplicasRatio: z.number().nullable(),
    responseBytes: z.number().nullable(),
    expected: z.object({ here: expected, atTierSizes: expected }),
  })
  .nullable()
  .describe('What one request costs; null where no probe saw a service work.');

const sustained = z
  .object({
    target: z.string().nullable().describe('The id of the p95 target; null where none applies.'),
    load: load.nullable().describe('The highest valid load within the target, with no lower one that missed it.'),
    sequence: sequence.nullable(),
    limit: limit.nullable().describe('What limited the next higher load, where that missed the target.'),
    next: z
      .object({ load, sequence, why: z.enum(['missed', 'inconclusive', 'invalid']) })
      .nullable()
      .describe('The next higher load and why it is not sustained; null where none was measured.'),
  })
  .describe('The answer of the run.');

const verdict = z.object({
  target: z.string().describe('The id of the target.'),
  scenario: z.string().nullable(),
  verdict: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('met') }),
    z.object({ kind: z.literal('missed'), violation: violationSchema }),
    z.object({ kind: z.literal('inconclusive'), reasons: z.array(whyNotSchema).readonly() }),
    z.object({ kind: z.literal('not-judged'), why: whyNotSchema }),
  ]),
  value: estimate.nullable(),
  evidence: evidenceSchema.nullable().describe('What the verdict rests on; null where nothing was measured.'),
});

const phase = z.object({
  fromS: z.number(),
  toS: z.number(),
  throughputPerS: z.number().nullable(),
  succeeded: count,
  failures: z.record(z.string(), count),
});
const fault = z.object({
  sequence,
  kind: z.enum(faultKinds),
  instance: z.string(),
  atS: z.number().describe('Seconds from the start of the measured window, as all times here.'),
  undoneAtS: z.number().nullable(),
  before: phase,
  during: phase,
  after: phase.nullable(),
  firstFailureWithinS: z.number().nullable(),
  servedAgainDuringS: z.number().nullable(),
  recoveredAfterS: z.number().nullable(),
});

const change = z
  .discriminatedUnion('kind', [
    z.object({ kind: z.literal('changed'), ratio: estimate }),
    z.object({ kind: z.literal('unclear'), ratio: estimate }),
    z.object({ kind: z.literal('unknown'), tier: z.string(), why: whyNotSchema }),
  ])
  .nullable()
  .describe('The ratio to the tier `before`; `unclear`: no change beyond noise. Null where there is none before.');

const comparison = z.object({
  comparisons: count.describe('How many changes were tested, and corrected for each other.'),
  scenarios: z.array(
    z.object({
      scenario: z.string(),
      loads: z.array(
        z.object({
          load,
          tiers: z.array(
            z.object({
              tier: z.string(),
              before: z.string().nullable(),
              sequence: sequence.nullable(),
              whyNot: whyNotSchema.nullable().describe('Why it was not measured.'),
              throughput: change,
              p95: change,
            }),
          ),
        }),
      ),
      unpaired: z
        .array(z.object({ tier: z.string(), loads: z.array(load).readonly() }))
        .readonly()
        .describe('Loads that only one tier was measured at.'),
    }),
  ),
});

const pairOfTiers = {
  scenario: z.string(),
  before: z.string(),
  tier: z.string(),
  quantity: z.discriminatedUnion('code', [
    z.object({ code: z.literal('sustained-rate') }),
    z.object({ code: z.literal('cpu-per-request'), service: z.string().nullable() }),
  ]),
};
const figures = { ratio: estimate, valueBefore: z.number(), valueAfter: z.number() };
const cause = z.discriminatedUnion('code', [
  z.object({ code: z.literal('limited-by'), tier: z.string(), use }),
  z.object({ code: z.literal('prepared-statements'), kept: z.boolean(), pooler: z.string() }),
  z.object({ code: z.literal('few-cache-hits'), hitRatio: z.number(), readsFollowWrites: z.boolean() }),
  z.object({ code: z.literal('cache-hits'), hitRatio: z.number() }),
  z.object({ code: z.literal('reads-at-replica'), rowsRatio: z.number() }),
  z.object({ code: z.literal('other-work'), metric: metricId, before: z.number(), after: z.number() }),
]);
const whyOpen = z.discriminatedUnion('code', [
  z.object({ code: z.literal('no-interval-of-rate'), tier: z.string(), end: sustainedRateSchema.shape.end }),
  z.object({ code: z.literal('too-few-trials'), tier: z.string() }),
  z.object({ code: z.literal('interval-too-wide') }),
]);
const difference = z
  .discriminatedUnion('verdict', [
    z.object({ ...pairOfTiers, ...figures, verdict: z.literal('different'), causes: z.array(cause).readonly() }),
    z.object({ ...pairOfTiers, ...figures, verdict: z.literal('no-difference') }),
    z.object({ ...pairOfTiers, verdict: z.literal('open'), ratio: estimate.nullable(), why: whyOpen }),
  ])
  .describe('From the tier `before` to the next one; different where the interval of the ratio excludes 10 %.');

const listOf = <Item extends z.ZodType>(item: Item) => z.array(item).readonly();
const swept = settingValueSchema.nullable().describe('Null where no value that was measured does.');
const sweepCurve = z
  .object({
    tier: z.string(),
    scenario: z.string(),
    setting: z.string(),
    beside: z.string().describe('The other settings of the sweep.'),
    points: listOf(
      z.object({
        subject: z.string(),
        value: settingValueSchema,
        isOwn: z.boolean().describe('The tier file has the same value.'),
        ratePerS: estimate.nullable(),
        known: z
          .object({ lowPerS: z.number(), highPerS: z.number() })
          .nullable()
          .describe('What the values around it say, where that was enough not to measure it.'),
        heldOut: z
          .object({
            model: z.enum(['demands', 'usl', 'interpolation']),
            predictedPerS: estimate,
            measuredPerS: estimate,
            errorRatio: z.number(),
            isInside: z.boolean(),
          })
          .nullable()
          .describe('Predicted from the other values, beside what was measured.'),
      }),
    ),
    demand: listOf(z.object({ ratePerS: z.number(), atLeast: swept, enough: swept })),
    fit: z
      .object({ lambdaPerS: estimate, sigma: estimate, kappa: estimate.nullable() })
      .nullable()
      .describe('Universal Scalability Law through instances.'),
  })
  .describe('The sustained rate in iterations/s over one setting.');

export const runReportSchema = z.object({
  schemaVersion: z.literal(2),
  study: z.literal('run'),
  question: runQuestionSchema,
  status: statusSchema,
  facts: factsSchema,
  subjects: z.array(subjectSchema).readonly(),
  targets: targetsSchema,
  answer: z.object({
    subjects: z.array(
      z.object({
        tier: z.string(),
        scenarios: z.array(
          z.object({
            scenario: z.string(),
            sustainedRate,
            bottleneck: limit.nullable().describe('What limited the lowest rate above the sustained one.'),
            demands,
            sustained: z.array(sustained),
            trials: z.array(trial),
          }),
        ),
        stepDemands: z
          .array(z.object({ service: z.string(), steps: z.array(z.string()).readonly(), cpuS: estimate.nullable() }))
          .readonly()
          .describe('CPU of one request of a step, over all scenarios; `cpuS` null where they do not tell it.'),
        verdicts: z.array(verdict),
        notMeasured: z.array(z.object({ scenario: z.string(), load })).readonly(),
        faults: z.array(fault),
      }),
    ),
    comparison: comparison.nullable().describe('Null for a run of one tier.'),
    differences: z.array(difference).readonly(),
    sweep: listOf(sweepCurve).describe('Empty for a run without a sweep.'),
  }),
});

type RunReport = z.infer<typeof runReportSchema>;
type ReportTier = RunReport['answer']['subjects'][number];

export function runReport(analysis: Analysis): RunReport {
  const { question, facts, status, subjects, targets, tiers, comparison: compared, differences } = analysis;
  return {
    schemaVersion: 2,
    study: 'run',
    question,
    status,
    facts,
    subjects,
    targets,
    answer: {
      subjects: tiers.map(tierReport),
      differences,
      sweep: sweepCurves(analysis),
      comparison:
        compared === null
          ? null
          : {
              comparisons: compared.comparisons,
              scenarios: compared.scenarios.map(({ loads, ...scenario }) => ({
                ...scenario,
                loads: loads.map(({ load: offered, rows }) => ({
                  load: offered,
                  tiers: rows.map(({ trial: own, why, ...row }) => ({
                    ...row,
                    sequence: own?.summary.sequence ?? null,
                    whyNot: why,
                  })),
                })),
              })),
            },
    },
  };
}

function tierReport({ name, scenarios, stepDemands, targets, notMeasured, faults }: TierAnalysis): ReportTier {
  return {
    tier: name,
    scenarios: scenarios.map(({ name: scenario, trials, sustained: found, searched, demands: costs }) => ({
      scenario,
      sustainedRate: searched && sustainedRateSchema.parse(searched),
      bottleneck: searched?.above ? limitReport(searched.above.limit) : null,
      demands: costs && demandsReport(costs),
      sustained: found.map(sustainedReport),
      trials: trials.map(trialReport),
    })),
    stepDemands,
    verdicts: targets.map(({ target, scenario, verdict: found, value, evidence }) => ({
      target: target.id,
      scenario,
      verdict: found,
      value,
      evidence,
    })),
    notMeasured,
    faults: faults.map(({ record, recovery: { fault: made, ...recovery } }) => ({
      sequence: record.sequence,
      ...made,
      ...recovery,
      before: phaseReport(recovery.before),
      during: phaseReport(recovery.during),
      after: recovery.after === null ? null : phaseReport(recovery.after),
    })),
  };
}

function limitReport(found: Limit): z.infer<typeof limit> {
  return 'unknown' in found ? found : { ...found, utilizations: [...found.utilizations], queues: [...found.queues] };
}

function demandsReport({ takenAtPerS: [lowest, highest], ...found }: Demands): z.infer<typeof demands> {
  return {
    ...found,
    takenAtPerS: [lowest, highest],
    services: [...found.services],
    amounts: [...found.amounts],
    hitRatios: [...found.hitRatios],
    connections: [...found.connections],
    expected: { here: [...found.expected.here], atTierSizes: [...found.expected.atTierSizes] },
  };
}

function phaseReport(each: RecoveryPhase): z.infer<typeof phase> {
  return { ...each, failures: Object.fromEntries(Object.entries(each.failures)) };
}

function sustainedReport({ target, trial: highest, limit: found, next }: Sustained): z.infer<typeof sustained> {
  return {
    target: target?.id ?? null,
    load: highest?.summary.load ?? null,
    sequence: highest?.summary.sequence ?? null,
    limit: found && limitReport(found),
    next:
      next === null ? null : { load: next.trial.summary.load, sequence: next.trial.summary.sequence, why: next.why },
  };
}

function trialReport(judged: JudgedTrial): z.infer<typeof trial> {
  const { record, summary, validity, caveats, views } = judged;
  return {
    ...summary,
    measuredS: record.trial.measuredS,
    iterations: record.trial.iterations,
    failures: Object.fromEntries(workOf(record.trial).failures),
    valid: isValid(judged),
    reasons: validity.kind === 'valid' ? [] : validity.reasons,
    caveats,
    latencyBy:
      views === null
        ? null
        : {
            scheduled: viewReport(views.scheduled),
            sent: viewReport(views.sent),
            closedLoop: viewReport(views.closedLoop),
          },
    steps: [...summary.steps],
  };
}

function viewReport(read: LatencyView | null): z.infer<typeof view> {
  if (read === null) return null;
  const figure = (latencyS: number | null) => (latencyS === Number.POSITIVE_INFINITY ? 'never' : latencyS);
  return {
    count: read.count,
    p50S: figure(read.p50S),
    p95S: figure(read.p95S),
    p99S: figure(read.p99S),
    longestS: figure(read.longestS),
  };
}

/** The text of docs/report.schema.json. */
export function reportJsonSchema(): string {
  const schema = z.toJSONSchema(runReportSchema, { target: 'draft-2020-12', reused: 'ref' });
  return JSON.stringify({ title: 'tierbench report', ...schema }, null, 2);
}
