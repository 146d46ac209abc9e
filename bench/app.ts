/**
 * What one process of the reference app does on this machine, route by route: `npm run bench:app [-- --json]`, about a
 * minute. Closed load on one app process and one PostgreSQL without Redis; the generator shares the cores with them, so
 * requests per CPU second of the app say more about the app than requests per second do.
 */

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { hash, verify } from '@node-rs/bcrypt';
import autocannon from 'autocannon';
import { build as buildHistogram } from 'hdr-histogram-js';
import type { Tier } from '../harness/core/tier.ts';
import { registerRun } from '../harness/orphans/register.ts';
import { localProvider } from '../harness/providers/local/local-provider.ts';
import { referenceEmail } from '../harness/services/reference-app.ts';
import { migrate } from '../reference-app/migrate.ts';
import { seed } from '../reference-app/seed.ts';

const USERS = 200;
const TASKS_PER_USER = 100;
const BCRYPT_COST = 10;
const CONCURRENCY = 20;
const WARM_UP_S = 2;
const MEASURED_S = 6;
const LOGIN_ROUNDS = 3;
const LOGIN_MEASURED_S = 5;
const BCRYPT_LIMIT_S = 3;
const QUIET_RATIO = 0.9;
/** USER_HZ, which Linux fixes at 100 for what it shows to programs. */
const CLOCK_TICKS_PER_S = 100;

const databaseAlone: Tier = {
  name: 'database',
  title: 'A database',
  description: '',
  documents: [],
  entry: 'database',
  services: [{ name: 'database', kind: 'primary', instances: 1, settings: {}, resources: {}, connectsTo: {} }],
};

interface Route {
  readonly name: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly successStatus: number;
  readonly body?: (user: number) => object;
}

interface RouteResult {
  readonly route: string;
  readonly concurrency: number;
  readonly measuredS: number;
  readonly requests: number;
  readonly failed: number;
  readonly latencyP50S: number;
  readonly latencyP95S: number;
  readonly appCpuS: number;
}

interface App extends AsyncDisposable {
  readonly baseUrl: string;
  readonly processId: number;
}

const password = randomBytes(12).toString('base64url');

const login: Route = {
  name: 'login',
  method: 'POST',
  path: '/api/auth/login',
  successStatus: 200,
  body: (user) => ({ email: referenceEmail(user), password }),
};
const routes: readonly Route[] = [
  { name: 'health', method: 'GET', path: '/health', successStatus: 200 },
  { name: 'me', method: 'GET', path: '/api/auth/me', successStatus: 200 },
  { name: 'tasks list', method: 'GET', path: '/api/tasks?page=1&limit=10', successStatus: 200 },
  {
    name: 'create',
    method: 'POST',
    path: '/api/tasks',
    successStatus: 201,
    body: (user) => ({ title: `Task of user ${user}`, description: 'Made by the benchmark', priority: 'high' }),
  },
];

async function startApp(databaseUrl: string): Promise<App> {
  const server = spawn(process.execPath, [join(import.meta.dirname, '..', 'reference-app', 'server.ts')], {
    env: {
      PATH: process.env.PATH,
      NODE_ENV: 'production',
      JWT_SECRET: randomBytes(48).toString('base64'),
      DATABASE_URL: databaseUrl,
      PORT: '0',
      RATE_LIMIT: 'off',
      BCRYPT_COST: String(BCRYPT_COST),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(server, 'close');
  for await (const line of createInterface({ input: server.stdout })) {
    const { msg, port } = line.startsWith('{') ? JSON.parse(line) : {};
    if (msg !== 'listening') continue;
    server.stdout.resume();
    return {
      baseUrl: `http://127.0.0.1:${port}`,
      processId: server.pid ?? 0,
      async [Symbol.asyncDispose]() {
        server.kill('SIGTERM');
        await ended;
      },
    };
  }
  throw new Error('the app ended before it listened');
}

async function accessTokenOf(app: App, user: number): Promise<string> {
  const answer = await fetch(`${app.baseUrl}${login.path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(login.body?.(user)),
  });
  if (answer.status !== 200) throw new Error(`login answered ${answer.status}: ${await answer.text()}`);
  return ((await answer.json()) as { accessToken: string }).accessToken;
}

/** User and system time of all threads of a process so far. */
async function cpuS(processId: number): Promise<number> {
  const stat = await readFile(`/proc/${processId}/stat`, 'utf8');
  // The name in parentheses may hold spaces; the fields after it start with the third.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_S;
}

async function measure(
  app: App,
  route: Route,
  measuredS: number,
  accessTokens: readonly string[],
  signal: AbortSignal,
): Promise<RouteResult> {
  const histogram = buildHistogram({
    lowestDiscernibleValue: 1,
    highestTrackableValue: 60_000_000,
    numberOfSignificantValueDigits: 3,
  });
  let requests = 0;
  let failed = 0;
  let isMeasured = false;
  let clients = 0;
  const { promise: ended, resolve: resolveEnded } = Promise.withResolvers<void>();
  const options: autocannon.Options = {
    url: app.baseUrl + route.path,
    method: route.method,
    connections: CONCURRENCY,
    duration: WARM_UP_S + measuredS + 60,
    timeout: 30,
    setupClient(client) {
      const user = clients % CONCURRENCY;
      clients += 1;
      client.setHeaders({
        ...(route !== login && { authorization: `Bearer ${accessTokens[user]}` }),
        ...(route.body && { 'content-type': 'application/json' }),
      });
      if (route.body) client.setBody(JSON.stringify(route.body(user + 1)));
    },
  };
  const load = autocannon(options, () => resolveEnded());
  load.on('response', (_client, statusCode, _bytes, latencyMs) => {
    if (!isMeasured) return;
    if (statusCode !== route.successStatus) {
      failed += 1;
      return;
    }
    requests += 1;
    histogram.recordValue(Math.max(1, Math.round(latencyMs * 1000)));
  });
  load.on('reqError', () => {
    if (isMeasured) failed += 1;
  });
  try {
    await delay(WARM_UP_S * 1000, undefined, { signal });
    const cpuBeforeS = await cpuS(app.processId);
    const startedMs = performance.now();
    isMeasured = true;
    await delay(measuredS * 1000, undefined, { signal });
    isMeasured = false;
    const actualS = (performance.now() - startedMs) / 1000;
    return {
      route: route.name,
      concurrency: CONCURRENCY,
      measuredS: actualS,
      requests,
      failed,
      latencyP50S: histogram.getValueAtPercentile(50) / 1e6,
      latencyP95S: histogram.getValueAtPercentile(95) / 1e6,
      appCpuS: (await cpuS(app.processId)) - cpuBeforeS,
    };
  } finally {
    load.stop();
    await ended;
  }
}

interface BcryptLimit {
  readonly verified: number;
  readonly measuredS: number;
  readonly cpuS: number;
}

/** Verifies passwords with nothing but the library, as many at once as the app does. */
async function measureBcryptLimit(storedHash: string, signal: AbortSignal): Promise<BcryptLimit> {
  const startedMs = performance.now();
  const cpuBefore = process.cpuUsage();
  const endMs = startedMs + BCRYPT_LIMIT_S * 1000;
  let verified = 0;
  async function verifyUntilTheEnd(): Promise<void> {
    while (performance.now() < endMs) {
      signal.throwIfAborted();
      await verify(password, storedHash);
      verified += 1;
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, verifyUntilTheEnd));
  const { user, system } = process.cpuUsage(cpuBefore);
  return { verified, measuredS: (performance.now() - startedMs) / 1000, cpuS: (user + system) / 1e6 };
}

async function run(signal: AbortSignal, progress: (what: string) => void) {
  await using open = new AsyncDisposableStack();
  progress('starting PostgreSQL and the app');
  const provider = localProvider({ run: open.use(await registerRun()) });
  const deployment = open.use(await provider.deploy(databaseAlone, signal));
  const databaseUrl = deployment.access[0]?.url ?? '';
  await migrate(databaseUrl);
  await seed(databaseUrl, { users: USERS, tasksPerUser: TASKS_PER_USER, seed: 1, password, bcryptCost: BCRYPT_COST });
  const app = open.use(await startApp(databaseUrl));
  const users = Array.from({ length: CONCURRENCY }, (_, index) => index + 1);
  const accessTokens = await Promise.all(users.map((user) => accessTokenOf(app, user)));

  const results: RouteResult[] = [];
  for (const route of routes) {
    progress(`measuring ${route.name}`);
    results.push(await measure(app, route, MEASURED_S, accessTokens, signal));
  }
  const storedHash = await hash(password, { cost: BCRYPT_COST });
  const limits: BcryptLimit[] = [];
  const logins: RouteResult[] = [];
  // In turns, so that a machine that gets slower or busier meanwhile does so for both.
  for (let round = 1; round <= LOGIN_ROUNDS; round += 1) {
    progress(`measuring bcrypt alone and login, ${round} of ${LOGIN_ROUNDS}`);
    // Logins whose clients are gone are still hashed: one more login stands behind them all in the queue.
    await accessTokenOf(app, 1);
    limits.push(await measureBcryptLimit(storedHash, signal));
    logins.push(await measure(app, login, LOGIN_MEASURED_S, accessTokens, signal));
  }
  return summarise(results, limits, logins);
}

function percent(ratio: number): string {
  return `${(ratio * 100).toFixed(0)} %`;
}

function summarise(results: readonly RouteResult[], limits: readonly BcryptLimit[], logins: readonly RouteResult[]) {
  const sum = <T>(rows: readonly T[], of: (row: T) => number): number =>
    rows.reduce((total, row) => total + of(row), 0);
  const verifiedPerS = sum(limits, (limit) => limit.verified) / sum(limits, (limit) => limit.measuredS);
  const verifyCpuS = sum(limits, (limit) => limit.cpuS) / sum(limits, (limit) => limit.verified);
  const loginsPerS = sum(logins, (round) => round.requests) / sum(logins, (round) => round.measuredS);
  const loginCpuS = sum(logins, (round) => round.appCpuS) / sum(logins, (round) => round.requests);
  const cores = availableParallelism();
  return {
    cores,
    routes: results,
    loginRounds: logins,
    bcrypt: { cost: BCRYPT_COST, rounds: limits, verifiedPerS, verifyCpuS },
    /** What bcrypt alone got of the cores. Far below 1, other programs were busy, and two rates cannot be compared. */
    bcryptUtilizationRatio: sum(limits, (limit) => limit.cpuS) / sum(limits, (limit) => limit.measuredS) / cores,
    loginShareRatio: loginsPerS / verifiedPerS,
    /** The part of the app's CPU time per login that bcrypt needs: what the share would be with cores to spare. */
    loginCpuShareRatio: verifyCpuS / loginCpuS,
  };
}

function table({ cores, routes: results, loginRounds, bcrypt, ...shares }: ReturnType<typeof summarise>): string {
  const rows = [...results, ...loginRounds].map((result) => [
    result.route,
    String(result.concurrency),
    (result.requests / result.measuredS).toFixed(0),
    (result.requests / result.appCpuS).toFixed(0),
    (result.latencyP50S * 1000).toFixed(2),
    (result.latencyP95S * 1000).toFixed(2),
    ((result.appCpuS / result.requests) * 1000).toFixed(3),
    String(result.failed),
  ]);
  const head = ['route', 'at once', 'requests/s', 'per app core', 'p50 ms', 'p95 ms', 'app CPU ms each', 'failed'];
  const widths = head.map((name, column) => Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ');
  return [
    line(head),
    ...rows.map(line),
    '',
    `${cores} cores, shared by app, PostgreSQL and generator. "per app core": requests per CPU second of the app.`,
    `bcrypt alone, cost ${bcrypt.cost}: ${bcrypt.verifiedPerS.toFixed(1)}/s, ${(bcrypt.verifyCpuS * 1000).toFixed(1)} ms CPU each.`,
    `Login reaches ${percent(shares.loginShareRatio)} of that rate (aim: 90 %); bcrypt is ${percent(shares.loginCpuShareRatio)} of its CPU time in the app.`,
    ...(shares.bcryptUtilizationRatio < QUIET_RATIO
      ? [
          `Other programs were busy: bcrypt alone got ${percent(shares.bcryptUtilizationRatio)} of the cores. Trust the CPU times only.`,
        ]
      : []),
  ].join('\n');
}

const { values: flags } = parseArgs({ options: { json: { type: 'boolean', default: false } } });
const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interruption.abort());
try {
  const result = await run(interruption.signal, (what) => process.stderr.write(`${what}\n`));
  console.log(flags.json ? JSON.stringify(result, undefined, 2) : table(result));
  if ([...result.routes, ...result.loginRounds].some(({ failed }) => failed > 0)) process.exitCode = 1;
} catch (error) {
  if (!interruption.signal.aborted) throw error;
  process.exitCode = 130;
}
