import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import {
  type Caveat,
  caveatSchema,
  type Evidence,
  evidenceSchema,
  type Note,
  noteSchema,
  type Obstacle,
  obstacleSchema,
  type Reason,
  reasonSchema,
  type Violation,
  violationSchema,
  type WhyNot,
  whyNotSchema,
} from '../../harness/core/findings.ts';
import type { OfferedLoad } from '../../harness/core/load.ts';
import type { Target } from '../../harness/core/target.ts';
import { describeNote, describeObstacle } from './notes.ts';
import { describeCaveat, describeReason } from './reasons.ts';
import { describeEvidence, describeViolation, describeWhyNot } from './verdicts.ts';

const closed: OfferedLoad = { model: 'closed', concurrency: 50 };
const open: OfferedLoad = { model: 'open', arrivalRatePerS: 300, arrivals: 'poisson' };
const target: Target = {
  id: 'login-p95',
  title: 'Login p95',
  source: { document: 'shop', section: 'Service levels' },
  comparison: '<',
  value: 0.2,
  unit: 's',
  appliesTo: { tiers: [], scenarios: [] },
  judged: { by: 'measured', metric: 'latency-p95' },
  contradictions: [],
};

/** The wording of a sample of each code. Fails when a code of the union has no sample. */
function wording<Finding extends { readonly code: string }>(
  schema: { readonly options: readonly { readonly shape: { readonly code: z.ZodLiteral<Finding['code']> } }[] },
  describeFinding: (finding: Finding) => string,
  samples: readonly Finding[],
): readonly string[] {
  const codes = schema.options.map(({ shape }) => shape.code.value);
  expect(codes.filter((code) => !samples.some((sample) => sample.code === code))).toEqual([]);
  return samples.map((sample) => `${sample.code}: ${describeFinding(sample)}`);
}

const stolen: Reason = { code: 'cpu-stolen', ratio: 0.12, limitRatio: 0.05 };
const noEngine: Obstacle = { code: 'no-container-engine' };

const p95 = { metric: 'latency-p95', load: open, step: null } as const;
const p99OfMe = { metric: 'latency-p99', load: open, step: 'me' } as const;

describe('the wording of findings', () => {
  it('says why a trial is invalid', () => {
    const said = wording<Reason>(reasonSchema, describeReason, [
      { code: 'stopped', measuredS: 3, plannedS: 30 },
      { code: 'service-crashed', instance: 'api/1', detail: 'exit code 1' },
      { code: 'never-answered', requests: 1, waitedS: 4, longestAnswerS: 0, timeoutS: 10 },
      { code: 'never-answered', requests: 7, waitedS: 4, longestAnswerS: 0.5, timeoutS: 10 },
      { code: 'too-few-seconds', seconds: 3, neededSeconds: 5 },
      { code: 'too-few-requests', requests: 12, neededRequests: 59 },
      stolen,
      { code: 'generator-out-of-resources', resource: 'ports', requests: 1 },
      { code: 'generator-out-of-resources', resource: 'files', requests: 1805 },
      { code: 'foreign-cpu', ratio: 0.3, limitRatio: 0.1 },
      { code: 'generator-busy', utilizationRatio: 0.91, limitRatio: 0.8 },
      { code: 'not-offered', startedRatio: 0.9, limitRatio: 0.99, arrivalRatePerS: 300 },
      { code: 'near-generator-limit', ratePerS: 900, ceilingPerS: 1000, limitRatio: 0.8 },
      { code: 'throughput-drift', firstHalfPerS: 100, secondHalfPerS: 60 },
      { code: 'throughput-settled-late', afterSeconds: 6, ofSeconds: 30, settledPerS: 100, wholePerS: 80 },
      { code: 'latency-drift', firstHalfMeanS: 0.01, secondHalfMeanS: 0.02 },
      { code: 'latency-drift', firstHalfMeanS: 0.02, secondHalfMeanS: 0.01 },
    ]);
    expect(said).toMatchInlineSnapshot(`
      [
        "stopped: it was stopped after 3 s of 30 s",
        "service-crashed: api/1 crashed: exit code 1; the tier was incomplete while it was measured",
        "never-answered: 1 request had waited up to 4 s without an answer at the end of the window, and none was answered; the window was shorter than the timeout of 10 s",
        "never-answered: 7 requests had waited up to 4 s without an answer at the end of the window, and no answer took more than 500 ms; the window was shorter than the timeout of 10 s",
        "too-few-seconds: only 3 whole seconds were measured, and intervals need 5",
        "too-few-requests: only 12 requests ended in the window, and p95 needs 59",
        "cpu-stolen: the host took 12 % of the CPU away (steal), more than 5 %",
        "generator-out-of-resources: the generator ran out of local ports: 1 request was never sent",
        "generator-out-of-resources: the generator ran out of file descriptors: 1,805 requests were never sent",
        "foreign-cpu: other processes used 30 % of the machine's CPU, more than 10 %",
        "generator-busy: the generator was busy 91 % of the time, more than 80 %: its own limit may have been measured",
        "not-offered: only 90 % of the intended 300/s were started, less than 99 %",
        "near-generator-limit: the generator made 900/s, more than 80 % of the 1,000/s it makes at most here: its own limit may have been measured",
        "throughput-drift: the throughput was not steady: it went from 100/s in the first half to 60/s in the second",
        "throughput-settled-late: the throughput was not steady: it settled only after 6 of 30 seconds, at 100/s instead of 80/s",
        "latency-drift: the latency was not steady: it went from 10 ms (mean) in the first half to 20 ms in the second; the system may be overloaded",
        "latency-drift: the latency was not steady: it went from 20 ms (mean) in the first half to 10 ms in the second",
      ]
    `);
  });

  it('says what to keep in mind', () => {
    const said = wording<Caveat>(caveatSchema, describeCaveat, [
      { code: 'above-ceiling', ratePerS: 1100, ceilingPerS: 1000 },
      { code: 'near-floor', p95S: 0.0015, floorP95S: 0.001 },
      { code: 'instrument-lag', lagS: 0.00509, sendLagS: 0.00509, readLagS: 0, throttledS: 0 },
      { code: 'instrument-lag', lagS: 0.058, sendLagS: 0.008, readLagS: 0.012, throttledS: 0.05 },
      { code: 'machine-shared', foreignRatio: 0.17, stolenRatio: 0.06 },
      { code: 'machine-shared', foreignRatio: 0, stolenRatio: 0.06 },
    ]);
    expect(said).toMatchInlineSnapshot(`
      [
        "above-ceiling: the generator made 1,100/s, more than the 1,000/s found to be its limit: the machine was busy when that was measured",
        "near-floor: its p95 of 1.5 ms is less than twice the 1 ms that the generator reads of an echo: much of it may be the generator's own",
        "instrument-lag: sent up to 5.09 ms late: latencies may be up to 5.09 ms shorter, which their intervals allow for",
        "instrument-lag: sent up to 8 ms late, read up to 12 ms late and stopped by a CPU limit for up to 50 ms: latencies may be up to 58 ms shorter, which their intervals allow for",
        "machine-shared: other processes used 17 % of the machine's CPU and the host took 6 % of the CPU away (steal): alone the system is no slower, so this can meet a target and not miss one",
        "machine-shared: the host took 6 % of the CPU away (steal): alone the system is no slower, so this can meet a target and not miss one",
      ]
    `);
  });

  it('says why a tier cannot be started', () => {
    const said = wording<Obstacle>(obstacleSchema, describeObstacle, [
      {
        code: 'missing',
        capability: 'nginx',
        services: ['lb'],
        detail: 'not in the PATH',
        command: 'apt install nginx',
      },
      { code: 'missing', capability: 'nginx', services: ['lb', 'other'], detail: 'not in the PATH', command: null },
      noEngine,
      { code: 'container-engine-not-reachable', address: '/run/docker.sock', detail: 'ENOENT' },
      { code: 'container-client-not-loaded', detail: 'dockerode cannot be loaded' },
      { code: 'container-engine-refused', address: '/run/docker.sock' },
      { code: 'container-engine-remote', address: 'tcp://host:2375' },
      { code: 'inside-container' },
      { code: 'process-only', service: 'api' },
      { code: 'image-not-available', image: 'redis:8', detail: 'no such host' },
    ]);
    expect(said).toMatchInlineSnapshot(`
      [
        "missing: nginx is missing, which lb needs: not in the PATH; install it with \`apt install nginx\`",
        "missing: nginx is missing, which lb and other need: not in the PATH",
        "no-container-engine: no container engine was found; install one from https://docs.docker.com/engine/install/, or use the local provider",
        "container-engine-not-reachable: no container engine answers at /run/docker.sock (ENOENT); start it (\`sudo systemctl start docker\`), or install one from https://docs.docker.com/engine/install/, or use the local provider",
        "container-client-not-loaded: dockerode cannot be loaded; run \`npm install\` again where tierbench is installed, or use the local provider",
        "container-engine-refused: this account may not use the container engine at /run/docker.sock; \`sudo usermod -aG docker $USER\`, then sign in again",
        "container-engine-remote: the container engine at tcp://host:2375 is not on this machine; unset DOCKER_HOST, or run tierbench there",
        "inside-container: tierbench runs in a container itself and cannot reach the ports of others; run it outside, or with the local provider",
        "process-only: api is a process of this machine, which needs the local provider",
        "image-not-available: the image redis:8 is not here and cannot be pulled (no such host); \`docker pull redis:8\` where a registry can be reached, or use the local provider",
      ]
    `);
  });

  it('says what to know of a run, a deployment or a trial', () => {
    const said = wording<Note>(noteSchema, describeNote, [
      { code: 'calibrated', engine: 'open-loop', ceilingPerS: 5000, ceilingIsAtLeast: true, floorP95S: 0.001 },
      { code: 'not-calibrated', engine: 'open-loop' },
      { code: 'provider-chosen', provider: 'containers', obstacle: null },
      { code: 'provider-chosen', provider: 'local', obstacle: noEngine },
      { code: 'tier-not-run', tier: 'cached', obstacles: [noEngine] },
      { code: 'tier-ended-early', tier: 'cached', errorCode: 'SERVICE_ENDED', detail: 'api/1 crashed' },
      { code: 'clean-up-failed', detail: 'Error: stuck' },
      { code: 'external-api' },
      { code: 'cpus-shared', cause: 'one-cpu' },
      { code: 'cpus-shared', cause: 'cpus-unknown' },
      { code: 'cpus-shared', cause: 'no-taskset' },
      { code: 'cpus-shared', cause: 'taskset-failed' },
      { code: 'cpus-shared', cause: 'not-on-this-system' },
      { code: 'caches', state: 'warm' },
      { code: 'caches', state: 'cold' },
      { code: 'caches', state: 'pilot-only' },
      {
        code: 'value-known',
        subject: 'pooled@api.instances=2',
        below: 'pooled@api.instances=1',
        above: 'pooled@api.instances=3',
        predictions: [{ scenario: 'crud', lowPerS: 95, highPerS: 104 }],
      },
      { code: 'rates-unknown', scenario: 'crud', pilotLoad: closed },
      { code: 'trial-repeated', scenario: 'crud', load: open, attempts: 2, valid: true },
      { code: 'trial-repeated', scenario: 'crud', load: open, attempts: 3, valid: false },
      { code: 'container-engine', version: '28.1.0' },
      { code: 'limits-not-enforced', service: 'api', limits: { cpus: 1, memoryBytes: 2 ** 29 }, detail: null },
      { code: 'limits-not-enforced', service: 'api', limits: { cpus: 2 }, detail: 'no control groups' },
      { code: 'not-pinned', cpus: [1, 2] },
      { code: 'published-by-proxy' },
      { code: 'prepared-statements-off', service: 'pooler', version: '1.18.0' },
      { code: 'prepared-statements-off', service: 'pooler', version: null },
      { code: 'service-crashed', instance: 'api/1', detail: 'exit code 1' },
      { code: 'probe-failed', probe: 'redis', times: 1, detail: 'closed' },
      { code: 'probe-failed', probe: 'redis', times: 3, detail: 'closed' },
      { code: 'fault-timeout', timeoutS: 2 },
      { code: 'fault-not-made', kind: 'kill', instance: 'cache/1', detail: 'no answer' },
      { code: 'fault-not-undone', kind: 'pause', instance: 'cache/1', detail: 'no answer' },
    ]);
    expect(said).toMatchInlineSnapshot(`
      [
        "calibrated: against an echo the open-loop engine makes at least 5,000/s and reads a p95 of 1 ms",
        "not-calibrated: the open-loop engine could not be calibrated: too little of what it sent to an echo was answered",
        "provider-chosen: tiers are started in containers: an engine answers, and every image can be had",
        "provider-chosen: tiers are started as local processes, not in containers: no container engine was found; install one from https://docs.docker.com/engine/install/, or use the local provider",
        "tier-not-run: tier cached is not run here: no container engine was found; install one from https://docs.docker.com/engine/install/, or use the local provider",
        "tier-ended-early: tier cached ended early: api/1 crashed",
        "clean-up-failed: while cleaning up: Error: stuck",
        "external-api: Where the API runs is not known to tierbench: the load generator has no CPU kept free for it.",
        "cpus-shared: the load generator and the system share all CPUs: there is only one CPU",
        "cpus-shared: the load generator and the system share all CPUs: this system does not say which CPUs may be used",
        "cpus-shared: the load generator and the system share all CPUs: there is no taskset (package util-linux)",
        "cpus-shared: the load generator and the system share all CPUs: taskset could not move the generator",
        "cpus-shared: the load generator and the system share all CPUs: this operating system keeps no process to a CPU",
        "caches: Caches were warm: load that is not measured came before what is.",
        "caches: Caches were cold when the first trial began: nothing was warmed up.",
        "caches: Nothing was warmed up but by the pilot trial that found the arrival rates of a scenario.",
        "value-known: pooled@api.instances=2 was not measured: between pooled@api.instances=1 and pooled@api.instances=3 it sustains 95 to 104/s of crud, which is within the precision of a search",
        "rates-unknown: No arrival rate of crud was measured: in the pilot trial at concurrency 50 no iteration succeeded, so that none was known to be sustained; name the arrival rates.",
        "trial-repeated: crud at 300/s was measured 2 times, until it was valid",
        "trial-repeated: crud at 300/s was measured 3 times, and was invalid each time",
        "container-engine: in containers of Docker Engine 28.1.0",
        "limits-not-enforced: limits of api (1 CPU, 512 MiB) are not enforced: the container engine cannot enforce them",
        "limits-not-enforced: limits of api (2 CPUs) are not enforced: no control groups",
        "not-pinned: the services are not kept to CPUs 1, 2: there is no taskset",
        "published-by-proxy: the container engine forwards published ports through a process (docker-proxy), which costs more than half of the requests per second of a light endpoint; start the engine with \`--userland-proxy=false\` to measure without it",
        "prepared-statements-off: pooler: PgBouncer 1.18.0 cannot keep named prepared statements in transaction mode (1.21 and later can), so max_prepared_statements is left out and the API prepares none",
        "prepared-statements-off: pooler: this PgBouncer cannot keep named prepared statements in transaction mode (1.21 and later can), so max_prepared_statements is left out and the API prepares none",
        "service-crashed: api/1 crashed: exit code 1",
        "probe-failed: probe redis failed once: closed",
        "probe-failed: probe redis failed 3 times: closed",
        "fault-timeout: a request not answered within 2 s counts as a timeout in this trial, so that users do not wait for a silent service",
        "fault-not-made: cache/1 could not be killed: no answer",
        "fault-not-undone: cache/1 did not come back after it was paused: no answer",
      ]
    `);
  });

  it('says why something was not measured, compared or judged', () => {
    const said = wording<WhyNot>(whyNotSchema, describeWhyNot, [
      { code: 'tier-not-run', obstacles: [noEngine] },
      { code: 'tier-ended-early', errorCode: 'SERVICE_ENDED', detail: 'api/1 crashed' },
      { code: 'not-measured', runEnded: true },
      { code: 'not-measured', runEnded: false },
      { code: 'not-planned' },
      { code: 'planned-load-not-measured', load: open },
      { code: 'no-load-as-high', model: 'closed', level: 1000 },
      { code: 'no-load-as-high', model: 'open', level: 1000 },
      { code: 'no-trial-of-scenario', scenario: 'login' },
      { code: 'invalid', reason: stolen },
      { code: 'too-many-failed', errorRatio: 0.1 },
      { code: 'too-few-answers' },
      { code: 'not-yet', detail: 'Nothing measures it.' },
      { code: 'model-only', model: 'cost' },
      { code: 'other-scenarios', scenarios: ['login', 'mixed'] },
      { code: 'other-steps', steps: ['me', 'refresh'] },
      { code: 'offers-less', load: closed, mostPerS: 430 },
      { code: 'data-unknown' },
      { code: 'no-such-service', kind: 'cache' },
      { code: 'setting-open', option: 'max_connections' },
      { code: 'switched-off', option: 'RATE_LIMIT' },
      { code: 'follows-other', target: 'lsf-auth-pool-min', document: 'lsf-auth' },
      { code: 'disturbed', load: open, caveat: { code: 'machine-shared', foreignRatio: 0.17, stolenRatio: 0 } },
      {
        code: 'disturbed',
        load: closed,
        caveat: { code: 'instrument-lag', lagS: 0.02, sendLagS: 0, readLagS: 0.02, throttledS: 0 },
      },
      { code: 'invalid-trials', loads: [open, closed], reason: stolen },
      { code: 'too-few-for-percentile', ...p99OfMe, succeeded: 12, needed: 368 },
      { code: 'latency-straddles', ...p95, lowS: 0.1, highS: 0.3 },
      { code: 'latency-straddles', ...p99OfMe, lowS: 0.1, highS: 0.3 },
      { code: 'latency-with-failures', ...p95, failed: 40, requests: 1000, valueS: 0.3 },
      { code: 'latency-with-failures', ...p95, failed: 60, requests: 1000, valueS: null },
      { code: 'too-few-responses', load: open, step: 'me', neededS: 5 },
      { code: 'bytes-straddle', load: open, step: null, lowBytes: 900, highBytes: 1100 },
      { code: 'failures-may-be-chance', scenario: 'crud', load: open, failed: 1, requests: 100 },
      { code: 'error-ratio-straddles', failed: 1, requests: 100, highRatio: 0.05 },
      { code: 'error-ratio-straddles', failed: 1, requests: 100, highRatio: null },
      { code: 'users-not-answered', load: closed, answered: 30 },
      { code: 'throughput-straddles', load: closed, lowPerS: 190, highPerS: 210 },
      { code: 'throughput-still-rising', load: closed },
      { code: 'one-load-only', load: closed },
      { code: 'limit-not-reached', load: open, nearly: true },
      { code: 'limit-not-reached', load: open, nearly: false },
      { code: 'too-little-data', unit: 'users', amount: 1000 },
    ]);
    expect(said).toMatchInlineSnapshot(`
      [
        "tier-not-run: not run: no container engine was found; install one from https://docs.docker.com/engine/install/, or use the local provider",
        "tier-ended-early: ended early: api/1 crashed",
        "not-measured: not measured before the run ended",
        "not-measured: not measured",
        "not-planned: not planned for this tier",
        "planned-load-not-measured: 300/s was not measured",
        "no-load-as-high: no concurrency of 1,000 or more was measured",
        "no-load-as-high: no arrival rate of 1,000 requests/s or more was measured",
        "no-trial-of-scenario: the run ended before a trial of login was measured",
        "invalid: invalid: the host took 12 % of the CPU away (steal), more than 5 %",
        "too-many-failed: 10 % of the requests failed",
        "too-few-answers: too few answers",
        "not-yet: Nothing measures it.",
        "model-only: It is derived by the model 'cost', which a run does not compute.",
        "other-scenarios: It is about login and mixed, not run here.",
        "other-steps: It is about me and refresh, which the scenario does not send.",
        "offers-less: The users of the scenario pause: concurrency 50 makes at most 430/s, however fast the answers are.",
        "data-unknown: The data was not made by this run, so nobody knows how much there is.",
        "no-such-service: The tier has no cache.",
        "setting-open: The tier leaves max_connections open.",
        "switched-off: The tier has RATE_LIMIT off.",
        "follows-other: The tier follows lsf-auth instead (lsf-auth-pool-min).",
        "disturbed: 300/s: other processes used 17 % of the machine's CPU: alone the system is no slower, so this can meet a target and not miss one",
        "disturbed: concurrency 50: read up to 20 ms late: latencies may be up to 20 ms shorter, which their intervals allow for; users who waited for that sent fewer requests",
        "invalid-trials: 300/s, concurrency 50: the host took 12 % of the CPU away (steal), more than 5 %",
        "too-few-for-percentile: 300/s: 12 successful requests of me are too few for p99, which takes 368 or more",
        "latency-straddles: 300/s: p95 lies somewhere in 100 ms to 300 ms, on both sides of the target",
        "latency-straddles: 300/s: p99 of me lies somewhere in 100 ms to 300 ms, on both sides of the target",
        "latency-with-failures: 300/s: 40 of 1,000 requests failed: with those counted as never answered p95 is 300 ms",
        "latency-with-failures: 300/s: 60 of 1,000 requests failed: with those counted as never answered too few were answered for p95",
        "too-few-responses: 300/s: too few responses of me for the mean of their bytes, which takes some in 5 whole seconds or more",
        "bytes-straddle: 300/s: a response has somewhere in 900 B to 1.07 KiB on average, on both sides of the target",
        "failures-may-be-chance: 1 of 100 requests failed in crud at 300/s: too few requests to tell that from chance",
        "error-ratio-straddles: 1 of 100 requests failed, which allows for up to 5 %",
        "error-ratio-straddles: 1 of 100 requests failed",
        "users-not-answered: only 30 requests were answered at concurrency 50, so some users never were",
        "throughput-straddles: concurrency 50: throughput lies somewhere in 190/s to 210/s, on both sides of the target",
        "throughput-still-rising: the throughput was still rising at concurrency 50, the highest valid load",
        "one-load-only: only concurrency 50 has a valid trial, so nobody knows if more load brings more",
        "limit-not-reached: nearly all that arrived at 300/s was answered, so more may be",
        "limit-not-reached: all that arrived at 300/s was answered, so more may be",
        "too-little-data: only 1,000 users were there",
      ]
    `);
  });

  it('says how a target was missed', () => {
    const said = wording<Violation>(violationSchema, (violation) => describeViolation(violation, target), [
      { code: 'latency-above', ...p95, valueS: 0.612, steps: [] },
      { code: 'latency-above', ...p99OfMe, valueS: 0.612, steps: ['read task', 'me', 'list tasks'] },
      { code: 'latency-above', ...p95, valueS: null, steps: [] },
      { code: 'too-few-answered', ...p95, errorRatio: 0.1, steps: [] },
      { code: 'too-few-answered', ...p99OfMe, errorRatio: 0.1, steps: ['me'] },
      { code: 'failures-above', scenario: 'crud', load: open, failed: 20, requests: 1000, limitRatio: 0.001 },
      { code: 'bytes-beyond', load: open, step: 'list tasks', meanBytes: 2048 },
      { code: 'throughput-below', load: closed, throughputPerS: 150 },
      { code: 'setting-differs', option: 'max_connections', value: 100, unit: 'connections', tier: 'single' },
    ]);
    expect(said).toMatchInlineSnapshot(`
      [
        "latency-above: p95 612 ms at 300/s, not < 200 ms",
        "latency-above: p99 of me 612 ms at 300/s, and of read task and list tasks too, not < 200 ms",
        "latency-above: p95 unknown at 300/s, not < 200 ms",
        "too-few-answered: 10 % of the requests failed at 300/s, so too few were answered for p95",
        "too-few-answered: 10 % of the requests of me failed at 300/s, so too few were answered for p99",
        "failures-above: 20 of 1,000 requests failed in crud at 300/s, 2 %, more than 0.1 %",
        "bytes-beyond: 2 KiB a response of list tasks at 300/s, not < 200 ms",
        "throughput-below: 150/s at concurrency 50 at most, not < 200 ms",
        "setting-differs: max_connections is 100 connections in tier single, not < 200 ms",
      ]
    `);
  });

  it('says what a verdict rests on', () => {
    const said = wording<Evidence>(evidenceSchema, describeEvidence, [
      { code: 'bytes', load: open, step: null, meanBytes: 1000, loads: [open] },
      { code: 'bytes', load: open, step: 'me', meanBytes: null, loads: [open] },
      {
        code: 'latency',
        metric: 'latency-p95',
        at: [{ load: open, step: 'me', valueS: 0.612 }],
        loads: [open, closed],
        metUpTo: [],
      },
      {
        code: 'latency',
        metric: 'latency-p95',
        at: [{ load: closed, step: null, valueS: 0.1 }],
        loads: [closed],
        metUpTo: [closed],
      },
      { code: 'failures', failed: 2, requests: 1000, loads: [open] },
      { code: 'throughput', load: closed, throughputPerS: 150, loads: [closed] },
      { code: 'no-valid-trial', loads: [open, closed] },
      { code: 'data', amounts: { users: 1000, tasks: 100_000 }, validTrials: 1 },
      { code: 'setting', option: 'max_connections', value: 100, unit: 'connections', tier: 'single' },
    ]);
    expect(said).toMatchInlineSnapshot(`
      [
        "bytes: 1 kB a response at 300/s, measured over 300/s",
        "bytes: unknown bytes a response of me at 300/s, measured over 300/s",
        "latency: p95 of me 612 ms at 300/s; measured over 300/s and concurrency 50; met at no valid load",
        "latency: p95 100 ms at concurrency 50; measured over concurrency 50; met up to concurrency 50",
        "failures: 2 of 1,000 requests failed at 300/s",
        "throughput: 150/s at concurrency 50, measured over concurrency 50",
        "no-valid-trial: no valid trial over 300/s and concurrency 50",
        "data: 1,000 users and 100,000 tasks; 1 valid trial ran on them",
        "setting: max_connections is 100 connections in tier single",
      ]
    `);
  });
});
