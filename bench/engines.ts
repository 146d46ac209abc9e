import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

/**
 * How fast the engines are, side by side in one run: server and generator each on a core of its own, 50 connections,
 * all in turns, so that what else the machine does hits all alike. Beside requests/s stands what a second of the
 * generator's CPU was worth, which is less troubled by what others do on the machine.
 *
 *   npm run bench:engines -- --rounds 3 --seconds 5
 *   npm run bench:engines -- --open            send lag at 5,000/s
 *   npm run bench:engines -- --memory 600      20,000/s for 10 minutes: does memory stay flat?
 */
const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '5' },
    open: { type: 'boolean', default: false },
    memory: { type: 'string' },
  },
});
const rounds = Number(options.rounds);
const seconds = Number(options.seconds);
const CONNECTIONS = 50;
const root = join(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'tierbench-bench-engines-'));
const has = (program: string): boolean => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
const isPinned = availableParallelism() >= 2 && has('taskset');
const onCore = (core: number, command: readonly string[]): string[] =>
  isPinned ? ['taskset', '-c', String(core), ...command] : [...command];

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function untilAnswers(url: string): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    const isThere = await fetch(url).then(
      () => true,
      () => false,
    );
    if (isThere) return;
    await sleep(50);
  }
  throw new Error(`${url} does not answer`);
}

const nginxPort = await freePort();
const nodePort = await freePort();
const nginx = `http://127.0.0.1:${nginxPort}`;
const nodeServer = `http://127.0.0.1:${nodePort}`;

writeFileSync(
  join(folder, 'nginx.conf'),
  `worker_processes 1; daemon off; master_process off; pid ${folder}/nginx.pid; error_log ${folder}/error.log;
events { worker_connections 20000; }
http {
  access_log off; keepalive_requests 1000000000; client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi; uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  server {
    listen 127.0.0.1:${nginxPort};
    location / { default_type text/plain; return 200 "hello world\\n"; }
    location /login { default_type application/json; return 200 '{"token":"abcdefghijklmnop","user":{"id":17,"name":"someone"},"expiresInS":900}'; }
    location /tasks { default_type application/json; return 200 '{"tasks":[{"id":1,"title":"one","done":false},{"id":2,"title":"two","done":true}],"page":1,"total":2}'; }
  }
}
`,
);
writeFileSync(
  join(folder, 'server.mjs'),
  `import { createServer } from 'node:http';
createServer((request, response) => response.end('hello world')).listen(${nodePort}, '127.0.0.1');
`,
);
writeFileSync(
  join(folder, 'get.js'),
  `import http from 'k6/http';
export const options = { vus: ${CONNECTIONS}, duration: '${seconds}s', discardResponseBodies: true };
export default () => { http.get(__ENV.URL); };
export const handleSummary = (data) => ({ stdout: JSON.stringify(data.metrics.http_reqs.values) + '\\n' });
`,
);
writeFileSync(
  join(folder, 'flow.js'),
  `import http from 'k6/http';
export const options = { vus: ${CONNECTIONS}, duration: '${seconds}s' };
export default () => {
  const login = http.post(__ENV.URL + '/login', JSON.stringify({ email: 'a@example.org', password: 'secret' }), { headers: { 'content-type': 'application/json' } });
  const token = login.json().token;
  const list = http.get(__ENV.URL + '/tasks?page=1', { headers: { authorization: 'Bearer ' + token } });
  if (list.json().tasks.length !== 2) throw new Error('wrong');
};
export const handleSummary = (data) => ({ stdout: JSON.stringify(data.metrics.http_reqs.values) + '\\n' });
`,
);

interface Contender {
  readonly name: string;
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Requests/s, and how many there were in all (or in the CPU time it tells of), out of what it printed. */
  read(printed: string): { readonly ratePerS: number; readonly requests: number; readonly cpuS?: number | undefined };
}

const engine = (name: string, what: 'get' | 'flow', url: string): Contender => ({
  name: `${name} engine`,
  command: [process.execPath, join(root, 'bench/engine-load.ts'), name, what, url, String(seconds)],
  read: readJson,
});

function readJson(printed: string) {
  const { rate, count, cpuS } = JSON.parse(printed.trim().split('\n').at(-1) ?? '') as Record<string, number>;
  return { ratePerS: rate ?? 0, requests: count ?? 0, cpuS };
}

function contendersFor(what: 'get' | 'flow', url: string): Contender[] {
  const k6: Contender = {
    name: 'k6',
    command: ['k6', 'run', '--quiet', '--no-usage-report', join(folder, `${what}.js`)],
    env: { URL: url },
    read: readJson,
  };
  const own = [engine('open-loop', what, url), engine('autocannon', what, url)];
  if (what === 'flow') return [...own, ...(has('k6') ? [k6] : [])];
  const wrk: Contender = {
    name: 'wrk',
    command: ['wrk', '-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, url],
    read: (printed) => ({
      ratePerS: Number(/Requests\/sec:\s+([\d.]+)/.exec(printed)?.[1]),
      requests: Number(/(\d+) requests in/.exec(printed)?.[1]),
    }),
  };
  const autocannon: Contender = {
    name: 'autocannon',
    command: [
      process.execPath,
      join(root, 'node_modules/autocannon/autocannon.js'),
      '--json',
      '-c',
      String(CONNECTIONS),
      '-d',
      String(seconds),
      url,
    ],
    read: (printed) => {
      const { requests } = JSON.parse(printed) as { requests: { average: number; total: number } };
      return { ratePerS: requests.average, requests: requests.total };
    },
  };
  const oha: Contender = {
    name: 'oha',
    command: ['oha', '--no-tui', '--output-format', 'json', '-c', String(CONNECTIONS), '-z', `${seconds}s`, url],
    read: (printed) => {
      const ratePerS = Number(/"requestsPerSec":\s*([\d.]+)/.exec(printed)?.[1]);
      return { ratePerS, requests: ratePerS * seconds };
    },
  };
  const hey: Contender = {
    name: 'hey',
    command: ['hey', '-c', String(CONNECTIONS), '-z', `${seconds}s`, url],
    read: (printed) => {
      const ratePerS = Number(/Requests\/sec:\s+([\d.]+)/.exec(printed)?.[1]);
      return { ratePerS, requests: ratePerS * seconds };
    },
  };
  const others = [wrk, autocannon, k6, oha, hey].filter(({ name }) => name === 'autocannon' || has(name));
  return [...own, ...others];
}

interface Measured {
  readonly ratePerS: number;
  readonly perCpuS: number;
}

function measure({ command, env, read }: Contender): Measured {
  const words = onCore(1, command).map((word) => `'${word}'`);
  // The shell's own `time` tells the CPU of everything the command started.
  const { status, stdout, stderr } = spawnSync('bash', ['-c', `TIMEFORMAT='cpu %U %S'; time ${words.join(' ')}`], {
    encoding: 'utf8',
    env: { ...process.env, ...env, LC_ALL: 'C' },
    maxBuffer: 1e8,
  });
  if (status !== 0) throw new Error(`${command[0]} failed: ${stderr || stdout}`);
  const [, user, system] = /^cpu ([\d.]+) ([\d.]+)$/m.exec(stderr) ?? [];
  const { ratePerS, requests, cpuS = Number(user) + Number(system) } = read(stdout);
  return { ratePerS, perCpuS: requests / cpuS };
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

function compare(title: string, contenders: readonly Contender[]): void {
  const all = new Map<string, Measured[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const contender of contenders) all.get(contender.name)?.push(measure(contender));
  }
  console.log(`\n${title}: median of ${rounds} rounds of ${seconds} s (ours / theirs: median of the rounds)\n`);
  console.log('| generator         | requests/s | ours / theirs | per CPU second | ours / theirs |');
  console.log('| ----------------- | ---------- | ------------- | -------------- | ------------- |');
  const ours = all.get('open-loop engine') ?? [];
  const whole = (value: number): string => Math.round(value).toLocaleString('en');
  for (const [name, runs] of all) {
    const ratio = (key: keyof Measured): string =>
      median(runs.map((one, round) => (ours[round]?.[key] ?? 0) / one[key])).toFixed(2);
    const [rate, perCpu] = [median(runs.map((one) => one.ratePerS)), median(runs.map((one) => one.perCpuS))];
    console.log(
      `| ${name.padEnd(17)} | ${whole(rate).padStart(10)} | ${ratio('ratePerS').padStart(13)} | ${whole(perCpu).padStart(14)} | ${ratio('perCpuS').padStart(13)} |`,
    );
  }
}

const openLoad = (ratePerS: number, durationS: number): void => {
  const words = onCore(1, [
    process.execPath,
    join(root, 'bench/engine-load.ts'),
    'open-loop',
    'get',
    nginx,
    String(durationS),
    String(ratePerS),
  ]);
  const [program = '', ...rest] = words;
  execFileSync(program, rest, { stdio: 'inherit' });
};

function start(command: readonly string[]) {
  const [program = '', ...rest] = onCore(0, command);
  return spawn(program, rest, { stdio: 'inherit' });
}

const servers = [
  start(['nginx', '-p', folder, '-c', join(folder, 'nginx.conf')]),
  start([process.execPath, join(folder, 'server.mjs')]),
];
try {
  await Promise.all([untilAnswers(nginx), untilAnswers(nodeServer)]);
  const placement = isPinned ? 'server on core 0, generator on core 1' : 'not pinned: it takes taskset and two cores';
  console.log(
    `${cpus()[0]?.model ?? 'unknown CPU'}, ${availableParallelism()} cores, Node ${process.version}; ${placement}`,
  );
  if (options.memory !== undefined) openLoad(20_000, Number(options.memory));
  else if (options.open) for (const rate of [500, 5000, 20_000]) openLoad(rate, seconds);
  else {
    compare('keep-alive GET on nginx, 50 connections', contendersFor('get', nginx));
    compare('correlated JSON flow on nginx, 50 users', contendersFor('flow', nginx));
    compare('keep-alive GET on a Node server, which is the limit', contendersFor('get', nodeServer));
  }
} finally {
  for (const server of servers) {
    const ended = server.exitCode === null ? once(server, 'exit') : Promise.resolve();
    server.kill();
    await ended;
  }
  rmSync(folder, { recursive: true, force: true });
}
