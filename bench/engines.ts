/**
 * How fast the engines are, side by side in one run: server and generator each on CPUs of their own, 50 connections, all
 * in turns, so that what else the machine does hits all alike. Beside requests/s stands what a second of the generator's
 * CPU was worth, which is less troubled by what others do on the machine.
 *
 *   npm run bench:engines -- --rounds 3 --seconds 5
 *   npm run bench:engines -- --only nginx,app  some of the tables: nginx, flow, node, health, app
 *   npm run bench:engines -- --open            send lag at 500, 5,000 and 20,000/s
 *   npm run bench:engines -- --memory 600      20,000/s for 10 minutes: does memory stay flat?
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { choosePlacement } from '../harness/machine/placement.ts';
import { type Contender, contendersFor, type Goal } from './contenders.ts';
import { commandLine, machineLine } from './machine-line.ts';
import { enginesHere } from './our-engines.ts';
import { onCpus, startNginx, startNodeServer } from './plain-servers.ts';
import { type ReferenceApp, startReferenceApp } from './reference-app.ts';
import { versionsHere } from './versions.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '5' },
    only: { type: 'string', default: 'nginx,flow,node,health,app' },
    open: { type: 'boolean', default: false },
    memory: { type: 'string' },
  },
});
const rounds = Number(options.rounds);
const seconds = Number(options.seconds);
const wanted = new Set(options.only.split(','));
const CONNECTIONS = 50;
const OPEN_RATES_PER_S = [500, 5000, 20_000];
const MEMORY_RATE_PER_S = 20_000;

const interruption = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => interruption.abort());
const { signal } = interruption;
const say = (what: string): void => void process.stderr.write(`${what}\n`);

const { placement, why } = choosePlacement();
const { generatorCpus, systemCpus } = placement ?? {};
const where =
  placement === null
    ? `Not pinned: ${why}`
    : `Generator on CPU ${placement.generatorCpus}, server on CPU ${placement.systemCpus}`;

interface Measured {
  readonly ratePerS: number;
  readonly perCpuS: number;
}

function measure({ name, command, env, read }: Contender): Measured {
  const words = onCpus(generatorCpus, command).map((word) => `'${word}'`);
  // The shell's own `time` reports the CPU of everything the command started.
  const { status, stdout, stderr } = spawnSync('bash', ['-c', `TIMEFORMAT='cpu %U %S'; time ${words.join(' ')}`], {
    encoding: 'utf8',
    env: { ...process.env, ...env, LC_ALL: 'C' },
    maxBuffer: 1e8,
  });
  if (status !== 0) throw new Error(`${name} failed: ${stderr || stdout}`);
  const [, user, system] = /^cpu ([\d.]+) ([\d.]+)$/m.exec(stderr) ?? [];
  const { ratePerS, requests, cpuS = Number(user) + Number(system) } = read(stdout);
  return { ratePerS, perCpuS: requests / cpuS };
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** Ratios are medians of the rounds, so that each is of two measurements that followed each other. */
async function compare(title: string, contenders: readonly Contender[]): Promise<void> {
  const all = new Map<string, Measured[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 1; round <= rounds; round += 1) {
    for (const contender of contenders) {
      say(`${title}, round ${round} of ${rounds}: ${contender.name}`);
      // Programs are waited for with everything else at rest: signals are heard in between.
      await nextTurn();
      signal.throwIfAborted();
      all.get(contender.name)?.push(measure(contender));
    }
  }
  const ours = all.get('open-loop engine') ?? [];
  const whole = (value: number): string => Math.round(value).toLocaleString('en');
  console.log(`\n**${title}**, median of ${rounds} rounds of ${seconds} s:\n`);
  console.log('| generator | requests/s | ours / theirs | per CPU second | ours / theirs |');
  console.log('| --- | ---: | ---: | ---: | ---: |');
  for (const [name, runs] of all) {
    const ratio = (key: keyof Measured): string =>
      median(runs.map((one, round) => (ours[round]?.[key] ?? Number.NaN) / one[key])).toFixed(2);
    const rate = whole(median(runs.map((one) => one.ratePerS)));
    const perCpu = whole(median(runs.map((one) => one.perCpuS)));
    console.log(`| ${name} | ${rate} | ${ratio('ratePerS')} | ${perCpu} | ${ratio('perCpuS')} |`);
  }
}

async function offerArrivals(baseUrl: string, ratePerS: number, durationS: number): Promise<void> {
  const command = [process.execPath, join(import.meta.dirname, 'engine-load.ts'), 'open-loop', 'get', baseUrl];
  const [program = '', ...words] = onCpus(generatorCpus, [...command, String(durationS), String(ratePerS)]);
  const load = spawn(program, words, { stdio: 'inherit' });
  // It may last for minutes, so it ends with this.
  const end = (): void => void load.kill();
  signal.addEventListener('abort', end);
  const [status] = (await once(load, 'close')) as [number | null];
  signal.removeEventListener('abort', end);
  signal.throwIfAborted();
  if (status !== 0) throw new Error(`the load of ${ratePerS}/s ended with status ${status}`);
}

/** One user's token, for generators that cannot sign in. */
async function signInTo({ baseUrl, users: [user] }: ReferenceApp): Promise<NonNullable<Goal['signIn']>> {
  if (user === undefined) throw new Error('the app has no users');
  const { email } = user;
  const password = String(user.password);
  const answer = await fetch(`${baseUrl}/api/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password }),
  });
  if (answer.status !== 200) throw new Error(`login answered ${answer.status}`);
  const { accessToken } = (await answer.json()) as { accessToken: string };
  return { password, token: accessToken };
}

async function main(): Promise<void> {
  await using open = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'tierbench-bench-engines-'));
  open.defer(() => rm(folder, { recursive: true, force: true }));
  const engines = (await enginesHere(folder, say)).map(({ name }) => name);
  const compareOn = async (title: string, goal: Goal): Promise<void> =>
    compare(title, await contendersFor(goal, { connections: CONNECTIONS, seconds, folder, engines }));

  const nginx = await startNginx(systemCpus);
  if (nginx === undefined) say('without nginx: it is not installed (apt-get install nginx-light)');
  else open.use(nginx);

  if (options.open || options.memory !== undefined) {
    const baseUrl = (nginx ?? open.use(await startNodeServer(0, systemCpus))).baseUrl;
    console.log(`${machineLine(commandLine('bench:engines'), versionsHere(), where)}\n`);
    if (options.memory !== undefined) await offerArrivals(baseUrl, MEMORY_RATE_PER_S, Number(options.memory));
    else for (const rate of OPEN_RATES_PER_S) await offerArrivals(baseUrl, rate, seconds);
  } else {
    await using app =
      wanted.has('health') || wanted.has('app')
        ? await startReferenceApp({ userCount: CONNECTIONS, systemCpus, signal })
        : undefined;
    const appVersions = app?.services.flatMap(({ version }) => version ?? []) ?? [];
    console.log(machineLine(commandLine('bench:engines'), [...versionsHere(), ...appVersions], where));
    if (nginx !== undefined) {
      const { baseUrl } = nginx;
      if (wanted.has('nginx')) await compareOn('Keep-alive GET on nginx, 50 connections', { workload: 'get', baseUrl });
      if (wanted.has('flow')) await compareOn('Correlated JSON flow on nginx, 50 users', { workload: 'flow', baseUrl });
    }
    if (wanted.has('node')) {
      await using server = await startNodeServer(0, systemCpus);
      await compareOn('Keep-alive GET on a Node server, which is the limit', {
        workload: 'get',
        baseUrl: server.baseUrl,
      });
    }
    if (app !== undefined) {
      const { baseUrl } = app;
      if (wanted.has('health'))
        await compareOn('Health of the reference app, which is the limit', { workload: 'health', baseUrl });
      if (wanted.has('app')) {
        const signIn = await signInTo(app);
        await compareOn('Tasks of the reference app for signed-in users, which is the limit', {
          workload: 'tasks',
          baseUrl,
          signIn,
        });
      }
    }
  }
}

try {
  await main();
} catch (error) {
  if (!signal.aborted) throw error;
  process.exitCode = 130;
}
