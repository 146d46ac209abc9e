import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram } from '../harness/operating-system/find-program.ts';

/** What is asked: a file of `bench/scenarios/` for our engines, and the same thing for the other generators. */
export type Workload = 'get' | 'flow' | 'health' | 'tasks';

export interface Goal {
  readonly workload: Workload;
  readonly baseUrl: string;
  /** For the workload `tasks`: it is kept off command lines, where everybody could read it. */
  readonly signIn?: { readonly password: string; readonly token: string };
}

/** A load generator as it is started. */
export interface Contender {
  readonly name: string;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Out of what it printed. */
  read(printed: string): Figures;
}

interface Figures {
  readonly ratePerS: number;
  /** Of all it sent; or of the CPU time that it reports. */
  readonly requests: number;
  readonly cpuS?: number;
}

interface Settings {
  readonly connections: number;
  readonly seconds: number;
  /** Where scripts are written. */
  readonly folder: string;
  /** Names of our engines that can run here. */
  readonly engines: readonly string[];
}

const root = join(import.meta.dirname, '..');
const PATHS: Readonly<Record<Workload, string>> = {
  get: '/',
  flow: '/',
  health: '/health',
  tasks: '/api/tasks?page=1&limit=10',
};

const isThere = ({ command: [program = ''] }: Other): boolean =>
  program === process.execPath || findProgram([program]) !== undefined;

/** Our engines, and every other generator that is installed and can do the same without showing secrets. */
export async function contendersFor(goal: Goal, settings: Settings): Promise<readonly Contender[]> {
  const { workload, baseUrl, signIn } = goal;
  const url = `${baseUrl}${PATHS[workload]}`;
  const env = { BENCH_URL: baseUrl, BENCH_PASSWORD: signIn?.password ?? '', BENCH_TOKEN: signIn?.token ?? '' };
  const seconds = String(settings.seconds);
  const own = settings.engines.map(
    (name): Contender => ({
      name: `${name} engine`,
      command: [process.execPath, join(root, 'bench/engine-load.ts'), name, workload, baseUrl, seconds],
      env,
      read: lastLineAsJson,
    }),
  );
  const others = [await k6(workload, settings)];
  if (workload !== 'flow') others.unshift(await wrk(url, settings, signIn !== undefined));
  if (workload !== 'flow' && signIn === undefined) {
    others.push(autocannon(url, settings), oha(url, settings), hey(url, settings));
  }
  return [...own, ...others.filter(isThere).map((other) => ({ ...other, env }))];
}

type Other = Omit<Contender, 'env'>;

function lastLineAsJson(printed: string): Figures {
  return JSON.parse(printed.trim().split('\n').at(-1) ?? '') as Figures;
}

async function wrk(url: string, { connections, seconds, folder }: Settings, hasToken: boolean): Promise<Other> {
  const script = join(folder, 'token.lua');
  if (hasToken) await writeFile(script, `wrk.headers["authorization"] = "Bearer " .. os.getenv("BENCH_TOKEN")\n`);
  return {
    name: 'wrk',
    command: ['wrk', '-t1', `-c${connections}`, `-d${seconds}s`, ...(hasToken ? ['-s', script] : []), url],
    read(printed) {
      if (/Non-2xx|Socket errors/.test(printed)) throw new Error(`wrk saw failures: ${printed}`);
      return {
        ratePerS: Number(/Requests\/sec:\s+([\d.]+)/.exec(printed)?.[1]),
        requests: Number(/(\d+) requests in/.exec(printed)?.[1]),
      };
    },
  };
}

const K6_BODIES: Readonly<Record<Workload, string>> = {
  get: `http.get(__ENV.BENCH_URL + '/');`,
  health: `http.get(__ENV.BENCH_URL + '/health');`,
  flow: `const login = http.post(__ENV.BENCH_URL + '/login', JSON.stringify({ email: 'a@example.org', password: 'secret' }), { headers: { 'content-type': 'application/json' } });
  const token = login.json().token;
  const list = http.get(__ENV.BENCH_URL + '/tasks?page=1', { headers: { authorization: 'Bearer ' + token } });
  if (list.json().tasks.length !== 2) throw new Error('wrong');`,
  tasks: `const list = http.get(__ENV.BENCH_URL + '${PATHS.tasks}', { headers: { authorization: 'Bearer ' + __ENV.BENCH_TOKEN } });
  if (list.json().tasks.length !== 10) throw new Error('wrong');`,
};

async function k6(workload: Workload, { connections, seconds, folder }: Settings): Promise<Other> {
  const script = join(folder, `${workload}.js`);
  const readsBodies = workload === 'flow' || workload === 'tasks';
  await writeFile(
    script,
    `import http from 'k6/http';
export const options = {
  vus: ${connections}, duration: '${seconds}s', discardResponseBodies: ${!readsBodies},
  thresholds: { http_req_failed: ['rate==0'] },
};
export default () => {
  ${K6_BODIES[workload]}
};
export const handleSummary = ({ metrics: { http_reqs: { values } } }) =>
  ({ stdout: JSON.stringify({ ratePerS: values.rate, requests: values.count }) + '\\n' });
`,
  );
  return { name: 'k6', command: ['k6', 'run', '--quiet', '--no-usage-report', script], read: lastLineAsJson };
}

function autocannon(url: string, { connections, seconds }: Settings): Other {
  const program = join(root, 'node_modules/autocannon/autocannon.js');
  return {
    name: 'autocannon',
    command: [process.execPath, program, '--json', '-c', String(connections), '-d', String(seconds), url],
    read(printed) {
      const reported = JSON.parse(printed) as {
        readonly requests: { readonly average: number; readonly total: number };
        readonly non2xx: number;
        readonly errors: number;
      };
      if (reported.non2xx + reported.errors > 0)
        throw new Error(`autocannon saw ${reported.non2xx + reported.errors} failures`);
      return { ratePerS: reported.requests.average, requests: reported.requests.total };
    },
  };
}

function oha(url: string, { connections, seconds }: Settings): Other {
  return {
    name: 'oha',
    command: ['oha', '--no-tui', '--output-format', 'json', '-c', String(connections), '-z', `${seconds}s`, url],
    read(printed) {
      const ratePerS = Number(/"requestsPerSec":\s*([\d.]+)/.exec(printed)?.[1]);
      return { ratePerS, requests: ratePerS * seconds };
    },
  };
}

function hey(url: string, { connections, seconds }: Settings): Other {
  return {
    name: 'hey',
    command: ['hey', '-c', String(connections), '-z', `${seconds}s`, url],
    read(printed) {
      if (/^\s*\[(?!2)\d{3}\]/m.test(printed)) throw new Error(`hey saw failures: ${printed}`);
      const ratePerS = Number(/Requests\/sec:\s+([\d.]+)/.exec(printed)?.[1]);
      return { ratePerS, requests: ratePerS * seconds };
    },
  };
}
