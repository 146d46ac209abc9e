/**
 * What one process of the reference app does on this machine, route by route: `npm run bench:app [-- --quick] [-- --json]`,
 * about a minute, or 20 s. Closed load on one app process and one PostgreSQL without Redis; the generator shares the cores
 * with them, so requests per CPU second of the app say more about the app than requests per second do.
 */

import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { hash, verify } from '@node-rs/bcrypt';
import { openLoopEngine } from '../harness/engines/open-loop/open-loop.ts';
import { LatencyHistogram } from '../harness/histograms/latency-histogram.ts';
import { requestsIn, succeededIn } from '../harness/judging/trial-window.ts';
import { processCpuProbe } from '../harness/probes/process-cpu.ts';
import { measure } from '../harness/studies/measure.ts';
import { defineScenario, type Scenario, type User } from '../scenarios/kit.ts';
import login from '../scenarios/login.ts';
import { type Call, call, createTask, listTasks, logIn, me } from '../scenarios/task-api.ts';
import { type ReferenceApp, startReferenceApp } from './reference-app.ts';
import health from './scenarios/health.ts';

const USERS = 200;
const TASKS_PER_USER = 100;
const BCRYPT_COST = 10;
const CONCURRENCY = 20;
const WARM_UP_S = 2;
const TIMEOUT_S = 30;
const QUIET_RATIO = 0.9;

const { values: flags } = parseArgs({
  options: { json: { type: 'boolean', default: false }, quick: { type: 'boolean', default: false } },
});
const [durationS, bcryptS, rounds] = flags.quick ? [3, 1, 1] : [6, 3, 3];
const cores = availableParallelism();
const interruption = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => interruption.abort());
const { signal } = interruption;
const say = (what: string): void => void process.stderr.write(`${what}\n`);

/** One call again and again by users who signed in before. */
function repeated(name: string, callOf: (user: User) => Call): Scenario {
  return defineScenario({
    name,
    description: '',
    *begin({ user }) {
      return yield* logIn(user);
    },
    *iteration({ user, session }) {
      yield* call(user, session, callOf(user));
    },
  });
}

const fields = { title: 'A task', description: 'Made by the benchmark', status: 'pending', priority: 'high' } as const;
const routes = [
  health,
  repeated('me', me),
  repeated('tasks list', () => listTasks(1)),
  repeated('create', () => createTask(fields)),
];

interface RouteResult {
  readonly route: string;
  readonly requestsPerS: number;
  readonly failed: number;
  readonly p50S: number;
  readonly p95S: number;
  /** CPU time of the app for each request. */
  readonly appCpuS: number;
}

async function measureRoute(app: ReferenceApp, scenario: Scenario): Promise<RouteResult> {
  const { baseUrl, services, users } = app;
  const load = { model: 'closed', concurrency: CONCURRENCY } as const;
  const plan = { scenario: scenario.name, baseUrl, load, warmUpS: WARM_UP_S, durationS, seed: 1, timeoutS: TIMEOUT_S };
  const probes = [processCpuProbe(services)];
  const { trial, samples } = await measure(openLoopEngine(), { plan, scenario, users }, probes, signal);
  signal.throwIfAborted();
  const latency = LatencyHistogram.merged(trial.steps.map((step) => LatencyHistogram.decode(step.latency)));
  const succeeded = succeededIn(trial);
  const requestsPerS = succeeded / trial.measuredS;
  // Each sample is of the second before it.
  const cpu = samples.filter(
    ({ source, metric, atS }) => source === 'api/1' && metric === 'cpu-cores' && atS >= 1 && atS <= trial.measuredS,
  );
  return {
    route: scenario.name,
    requestsPerS,
    failed: requestsIn(trial.steps) - succeeded,
    p50S: latency.quantileS(0.5),
    p95S: latency.quantileS(0.95),
    appCpuS: mean(cpu.map(({ value }) => value)) / requestsPerS,
  };
}

interface BcryptResult {
  readonly verifiedPerS: number;
  readonly cpuS: number;
  /** What it got of the cores. */
  readonly utilizationRatio: number;
}

/** Verifies passwords with nothing but the library, as many at once as the app does. */
async function measureBcrypt(password: string, storedHash: string): Promise<BcryptResult> {
  const startedMs = performance.now();
  const cpuBefore = process.cpuUsage();
  const endMs = startedMs + bcryptS * 1000;
  let verified = 0;
  async function verifyUntilTheEnd(): Promise<void> {
    while (performance.now() < endMs) {
      signal.throwIfAborted();
      await verify(password, storedHash);
      verified += 1;
    }
  }
  await Promise.all(Array.from({ length: cores }, verifyUntilTheEnd));
  const { user, system } = process.cpuUsage(cpuBefore);
  const elapsedS = (performance.now() - startedMs) / 1000;
  const cpuS = (user + system) / 1e6;
  return { verifiedPerS: verified / elapsedS, cpuS: cpuS / verified, utilizationRatio: cpuS / elapsedS / cores };
}

/** Logins whose clients are gone are still hashed: one more login is queued behind them all. */
async function waitForHashes({ baseUrl, users: [user] }: ReferenceApp): Promise<void> {
  const body = JSON.stringify({ email: user?.email, password: user?.password });
  const headers = { 'content-type': 'application/json' };
  const { status } = await fetch(`${baseUrl}/api/auth/login`, { method: 'POST', headers, body, signal });
  if (status !== 200) throw new Error(`login answered ${status}`);
}

async function measureAll() {
  say('starting PostgreSQL and the app');
  const settings = { BCRYPT_COST, PASSWORD_HASH_CONCURRENCY: cores };
  const options = { userCount: USERS, tasksPerUser: TASKS_PER_USER, systemCpus: undefined, settings, signal };
  await using app = await startReferenceApp(options);
  const results: RouteResult[] = [];
  for (const scenario of routes) {
    say(`measuring ${scenario.name}`);
    results.push(await measureRoute(app, scenario));
  }
  const password = String(app.users[0]?.password);
  const storedHash = await hash(password, BCRYPT_COST);
  const alone: BcryptResult[] = [];
  const logins: RouteResult[] = [];
  // In turns, so that a machine that gets slower or busier meanwhile does so for both.
  for (let round = 1; round <= rounds; round += 1) {
    say(`measuring bcrypt alone and login, ${round} of ${rounds}`);
    await waitForHashes(app);
    alone.push(await measureBcrypt(password, storedHash));
    logins.push(await measureRoute(app, login));
  }
  const verifiedPerS = mean(alone.map((one) => one.verifiedPerS));
  const verifyCpuS = mean(alone.map((one) => one.cpuS));
  return {
    cores,
    concurrency: CONCURRENCY,
    routes: [...results, ...logins],
    bcrypt: {
      cost: BCRYPT_COST,
      verifiedPerS,
      verifyCpuS,
      /** Far below 1, other programs were busy, and two rates cannot be compared. */
      utilizationRatio: mean(alone.map((one) => one.utilizationRatio)),
    },
    loginShareRatio: mean(logins.map((one) => one.requestsPerS)) / verifiedPerS,
    /** The part of the app's CPU time per login that bcrypt needs: what the share would be with cores to spare. */
    loginCpuShareRatio: verifyCpuS / mean(logins.map((one) => one.appCpuS)),
  };
}

function textOf({ routes: results, bcrypt, ...shares }: Awaited<ReturnType<typeof measureAll>>): string {
  const ms = (seconds: number, digits = 2): string => (seconds * 1000).toFixed(digits);
  const percent = (ratio: number): string => `${(ratio * 100).toFixed(0)} %`;
  const line = ([route = '', ...cells]: readonly string[]): string =>
    route.padEnd(10) + cells.map((cell) => cell.padStart(14)).join('');
  return [
    line(['route', 'requests/s', 'per app core', 'p50 ms', 'p95 ms', 'app CPU ms', 'failed']),
    ...results.map(({ route, requestsPerS, p50S, p95S, appCpuS, failed }) =>
      line([route, requestsPerS.toFixed(0), (1 / appCpuS).toFixed(0), ms(p50S), ms(p95S), ms(appCpuS, 3), `${failed}`]),
    ),
    '',
    `Concurrency ${CONCURRENCY}; ${cores} cores, shared by app, PostgreSQL and generator. "per app core": requests per CPU second of the app.`,
    `bcrypt alone, cost ${bcrypt.cost}: ${bcrypt.verifiedPerS.toFixed(1)}/s, ${ms(bcrypt.verifyCpuS, 1)} ms CPU each.`,
    `Login reaches ${percent(shares.loginShareRatio)} of that rate (aim: 90 %); bcrypt is ${percent(shares.loginCpuShareRatio)} of its CPU time in the app.`,
    ...(bcrypt.utilizationRatio < QUIET_RATIO
      ? [
          `Other programs were busy: bcrypt alone got ${percent(bcrypt.utilizationRatio)} of the cores. Trust the CPU times only.`,
        ]
      : []),
  ].join('\n');
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

try {
  const result = await measureAll();
  console.log(flags.json ? JSON.stringify(result, undefined, 2) : textOf(result));
  if (result.routes.some(({ failed }) => failed > 0)) process.exitCode = 1;
} catch (error) {
  if (!signal.aborted) throw error;
  process.exitCode = 130;
}
