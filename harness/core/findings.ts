import { z } from 'zod';
import { arrivalProcesses } from './load.ts';
import { latencyMetrics } from './target.ts';

/**
 * What tierbench finds, as data: why a trial is invalid, what a reader should know, why something was not judged. Codes are
 * stable; numbers are in SI units, ratios from 0 to 1. `reports/describe/` has the words for each code, and the command
 * line the options for each remedy. `detail` is text of somebody else, such as a message of a server, and is only shown.
 *
 * Findings are stored and reported, so that each is a schema first, and its type follows from it.
 */

const count = z.number().int().nonnegative();
const number = z.number();
const text = z.string();
const listOf = <Item extends z.ZodType>(item: Item) => z.array(item).readonly();

export const offeredLoadSchema = z.discriminatedUnion('model', [
  z.object({
    model: z.literal('open'),
    arrivalRatePerS: z.number().nonnegative(),
    arrivals: z.enum(arrivalProcesses),
    changes: listOf(
      z.object({ atS: number, overS: z.number().nonnegative(), toRatePerS: z.number().nonnegative() }),
    ).exactOptional(),
  }),
  z.object({ model: z.literal('closed'), concurrency: count }),
]);

/** One code and what it says. */
const finding = <Code extends string, Fields extends z.ZodRawShape>(code: Code, fields: Fields) =>
  z.object({ code: z.literal(code), ...fields });

/** `step` null: of all requests together. */
const latencyAt = { load: offeredLoadSchema, metric: z.enum(latencyMetrics), step: text.nullable() };
const bytesAt = { load: offeredLoadSchema, step: text.nullable() };

/** Why a trial is invalid: its figures may be those of something else than the system. */
export const reasonSchema = z.discriminatedUnion('code', [
  finding('stopped', { measuredS: number, plannedS: number }),
  finding('service-crashed', { instance: text, detail: text }),
  /** Requests in flight at the end that had waited much longer than any answer took (`longestAnswerS` 0: none came). */
  finding('never-answered', { requests: count, waitedS: number, longestAnswerS: number, timeoutS: number }),
  finding('too-few-seconds', { seconds: count, neededSeconds: count }),
  finding('too-few-requests', { requests: count, neededRequests: count }),
  finding('cpu-stolen', { ratio: number, limitRatio: number }),
  /** `requests` were never sent: no local port or file descriptor was left for them. */
  finding('generator-out-of-resources', { resource: z.enum(['ports', 'files']), requests: count }),
  /** CPU of processes that belong neither to the system nor to the generator. */
  finding('foreign-cpu', { ratio: number, limitRatio: number }),
  finding('generator-busy', { utilizationRatio: number, limitRatio: number }),
  finding('not-offered', { startedRatio: number, limitRatio: number, arrivalRatePerS: number }),
  finding('near-generator-limit', { ratePerS: number, ceilingPerS: number, limitRatio: number }),
  finding('throughput-drift', { firstHalfPerS: number, secondHalfPerS: number }),
  finding('throughput-settled-late', { afterSeconds: count, ofSeconds: count, settledPerS: number, wholePerS: number }),
  finding('latency-drift', { firstHalfMeanS: number, secondHalfMeanS: number }),
]);
export type Reason = z.infer<typeof reasonSchema>;

/** What makes no figure untrue and should be kept in mind all the same. */
export const caveatSchema = z.discriminatedUnion('code', [
  /** The machine was busy when the generator was calibrated. */
  finding('above-ceiling', { ratePerS: number, ceilingPerS: number }),
  finding('near-floor', { p95S: number, floorP95S: number }),
  /**
   * Latencies may be up to `lagS` shorter than measured, because the generator sent or read late, or a CPU limit stopped it.
   * Their intervals hold that. A part is 0 within its limit; of `readLagS` and `throttledS` the larger counts.
   */
  finding('instrument-lag', { lagS: number, sendLagS: number, readLagS: number, throttledS: number }),
  /**
   * Processes that belong neither to the system nor to the generator, or the host, took so much of the machine's CPU: the
   * system alone is no slower, so that such a trial can meet a target and not miss one. 0 within the limit.
   */
  finding('machine-shared', { foreignRatio: number, stolenRatio: number }),
]);
export type Caveat = z.infer<typeof caveatSchema>;

/** Why a tier cannot be started here. */
export const obstacleSchema = z.discriminatedUnion('code', [
  /** `command` installs it, where one does. */
  finding('missing', { capability: text, services: listOf(text), detail: text, command: text.nullable() }),
  finding('no-container-engine', {}),
  finding('container-engine-not-reachable', { address: text, detail: text }),
  finding('container-client-not-loaded', { detail: text }),
  finding('container-engine-refused', { address: text }),
  finding('container-engine-remote', { address: text }),
  /** tierbench runs in a container itself and cannot reach the ports of others. */
  finding('inside-container', {}),
  /** It has no image: only the local provider can start it. */
  finding('process-only', { service: text }),
  finding('image-not-available', { image: text, detail: text }),
]);
export type Obstacle = z.infer<typeof obstacleSchema>;

const faultKind = z.enum(['kill', 'pause']);
const limits = z.object({ cpus: number.exactOptional(), memoryBytes: number.exactOptional() });

/** What a reader should know of a run, a deployment or a trial. */
export const noteSchema = z.discriminatedUnion('code', [
  // The run
  finding('calibrated', { engine: text, ceilingPerS: number, ceilingIsAtLeast: z.boolean(), floorP95S: number }),
  /** Too little of what the generator sent to the echo was answered. */
  finding('not-calibrated', { engine: text }),
  finding('provider-chosen', { provider: text, obstacle: obstacleSchema.nullable() }),
  finding('tier-not-run', { tier: text, obstacles: listOf(obstacleSchema) }),
  finding('tier-ended-early', { tier: text, errorCode: text, detail: text }),
  /** Something failed while a tier was stopped because of another error. */
  finding('clean-up-failed', { detail: text }),
  /** Where the API runs is not known: the generator has no CPUs of its own. */
  finding('external-api', {}),
  finding('cpus-shared', {
    cause: z.enum(['one-cpu', 'cpus-unknown', 'no-taskset', 'taskset-failed', 'not-on-this-system']),
  }),
  /** `pilot-only`: nothing but the pilot trial warmed it up. */
  finding('caches', { state: z.enum(['warm', 'cold', 'pilot-only']) }),
  /** A value of a sweep that was not measured, as the values below and above it say as much within the precision. */
  finding('value-known', {
    subject: text,
    below: text,
    above: text,
    predictions: listOf(z.object({ scenario: text, lowPerS: number, highPerS: number })),
  }),
  /** No iteration of the pilot trial succeeded, so no arrival rate was chosen. */
  finding('rates-unknown', { scenario: text, pilotLoad: offeredLoadSchema }),
  /** An invalid trial was measured again; `valid`: its last attempt is. */
  finding('trial-repeated', { scenario: text, load: offeredLoadSchema, attempts: count, valid: z.boolean() }),
  // A deployment
  finding('container-engine', { version: text }),
  /** `limits`: those of the tier file that are not; `detail` null: the container engine cannot enforce them. */
  finding('limits-not-enforced', { service: text, limits, detail: text.nullable() }),
  finding('not-pinned', { cpus: listOf(count) }),
  finding('published-by-proxy', {}),
  finding('prepared-statements-off', { service: text, version: text.nullable() }),
  // A trial
  finding('service-crashed', { instance: text, detail: text }),
  finding('probe-failed', { probe: text, times: count, detail: text }),
  /** Requests time out earlier in a fault trial, so that closed-loop users do not wait for a silent service. */
  finding('fault-timeout', { timeoutS: number }),
  finding('fault-not-made', { kind: faultKind, instance: text, detail: text }),
  finding('fault-not-undone', { kind: faultKind, instance: text, detail: text }),
]);
export type Note = z.infer<typeof noteSchema>;

/** Why something was not judged, not compared or not measured, or what keeps a verdict open. */
export const whyNotSchema = z.discriminatedUnion('code', [
  // Not measured
  finding('tier-not-run', { obstacles: listOf(obstacleSchema) }),
  finding('tier-ended-early', { errorCode: text, detail: text }),
  finding('not-measured', { runEnded: z.boolean() }),
  /** The load was planned for other tiers only. */
  finding('not-planned', {}),
  finding('planned-load-not-measured', { load: offeredLoadSchema }),
  /** The target names a load, and none as high was measured. Rates of targets are requests/s. */
  finding('no-load-as-high', { model: z.enum(['open', 'closed']), level: number }),
  finding('no-trial-of-scenario', { scenario: text }),
  // Not comparable
  finding('invalid', { reason: reasonSchema }),
  finding('too-many-failed', { errorRatio: number }),
  finding('too-few-answers', {}),
  // Not judged
  finding('not-yet', { detail: text }),
  finding('model-only', { model: text }),
  finding('other-scenarios', { scenarios: listOf(text) }),
  finding('other-steps', { steps: listOf(text) }),
  /** Its users pause so long that even if every answer took no time there would be at most `mostPerS` requests. */
  finding('offers-less', { load: offeredLoadSchema, mostPerS: number }),
  finding('data-unknown', {}),
  finding('no-such-service', { kind: text }),
  finding('setting-open', { option: text }),
  /** The tier turns off what the target is about. */
  finding('switched-off', { option: text }),
  /** It contradicts another target for the same setting, which the tier follows. */
  finding('follows-other', { target: text, document: text }),
  // Open
  /** What was measured misses the target or differs, and without this it might not. */
  finding('disturbed', { load: offeredLoadSchema, caveat: caveatSchema }),
  /** The reason of the highest of these loads; each code once. */
  finding('invalid-trials', { loads: listOf(offeredLoadSchema), reason: reasonSchema }),
  /** Samples in a row are alike, so that it may take more of them than `needed`. */
  finding('too-few-for-percentile', { ...latencyAt, succeeded: count, needed: count }),
  finding('latency-straddles', { ...latencyAt, lowS: number, highS: number }),
  /** `valueS` with failed requests counted as never answered; null where too few were answered for one. */
  finding('latency-with-failures', { ...latencyAt, failed: count, requests: count, valueS: number.nullable() }),
  /** Responses, or whole seconds of them, for an interval of the mean of their bytes. */
  finding('too-few-responses', { ...bytesAt, neededS: count }),
  finding('bytes-straddle', { ...bytesAt, lowBytes: number, highBytes: number }),
  finding('failures-may-be-chance', { scenario: text, load: offeredLoadSchema, failed: count, requests: count }),
  finding('error-ratio-straddles', { failed: count, requests: count, highRatio: number.nullable() }),
  finding('users-not-answered', { load: offeredLoadSchema, answered: count }),
  finding('throughput-straddles', { load: offeredLoadSchema, lowPerS: number, highPerS: number }),
  finding('throughput-still-rising', { load: offeredLoadSchema }),
  finding('one-load-only', { load: offeredLoadSchema }),
  /** All that arrived at the highest rate was answered (`nearly`: all but a little), so that more may be. */
  finding('limit-not-reached', { load: offeredLoadSchema, nearly: z.boolean() }),
  finding('too-little-data', { unit: text, amount: count }),
]);
export type WhyNot = z.infer<typeof whyNotSchema>;

/** How a target was missed. */
export const violationSchema = z.discriminatedUnion('code', [
  /** `step` is the slowest of `steps`, all that are beyond the target; null and none for all requests together. */
  finding('latency-above', { ...latencyAt, valueS: number.nullable(), steps: listOf(text) }),
  /** So many failed that not even the percentile was answered. */
  finding('too-few-answered', { ...latencyAt, errorRatio: number, steps: listOf(text) }),
  finding('failures-above', {
    scenario: text,
    load: offeredLoadSchema,
    failed: count,
    requests: count,
    limitRatio: number,
  }),
  finding('bytes-beyond', { ...bytesAt, meanBytes: number }),
  finding('throughput-below', { load: offeredLoadSchema, throughputPerS: number }),
  finding('setting-differs', { option: text, value: number, unit: text, tier: text }),
]);
export type Violation = z.infer<typeof violationSchema>;

/** What a verdict rests on. `loads`: all that were judged. */
export const evidenceSchema = z.discriminatedUnion('code', [
  finding('latency', {
    metric: z.enum(latencyMetrics),
    /** The worst load; of a missed target the lowest and the highest load beyond it. Each with its slowest step. */
    at: listOf(z.object({ load: offeredLoadSchema, step: text.nullable(), valueS: number.nullable() })),
    loads: listOf(offeredLoadSchema),
    /** The highest load of each model up to which all met the target. */
    metUpTo: listOf(offeredLoadSchema),
  }),
  /** Of the step or load that is nearest to the limit. */
  finding('bytes', { ...bytesAt, meanBytes: number.nullable(), loads: listOf(offeredLoadSchema) }),
  finding('failures', { failed: count, requests: count, loads: listOf(offeredLoadSchema) }),
  finding('throughput', { load: offeredLoadSchema, throughputPerS: number, loads: listOf(offeredLoadSchema) }),
  finding('no-valid-trial', { loads: listOf(offeredLoadSchema) }),
  /** `amounts`: what the data of the app amounts to, by the units of targets. */
  finding('data', { amounts: z.record(text, count), validTrials: count }),
  finding('setting', { option: text, value: number, unit: text, tier: text }),
]);
export type Evidence = z.infer<typeof evidenceSchema>;

/** What a person can do about a finding or an error. The command line says with which option. */
export const remedies = [
  'measure-longer',
  'warm-up-longer',
  'lower-timeout',
  'lower-load',
  'higher-concurrency',
  'higher-rates',
  'name-rates',
  'name-scenario',
  'more-virtual-users',
  'more-data',
  'faster-engine',
  'more-generator-cpu',
  'quiet-machine',
  'more-ports',
  'more-open-files',
  'run-to-end',
  'fix-failures',
  'other-folder',
  'other-provider',
  'allow-remote',
  'trust-certificate',
  'other-engine',
  'constant-arrivals',
  'skip-think-times',
  'other-fault',
  'name-k6',
] as const;
export type Remedy = (typeof remedies)[number];

export type NonEmpty<T> = readonly [T, ...T[]];

export function isNonEmpty<T>(items: readonly T[]): items is NonEmpty<T> {
  return items.length > 0;
}

export type Verdict =
  | { readonly kind: 'met' }
  | { readonly kind: 'missed'; readonly violation: Violation }
  | { readonly kind: 'inconclusive'; readonly reasons: NonEmpty<WhyNot> }
  | { readonly kind: 'not-judged'; readonly why: WhyNot };
