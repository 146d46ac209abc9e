import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const tree = join(import.meta.dirname, '..');

/** A study that somebody adds: three rates, of which it picks the middle one. */
const middle = `
import { z } from 'zod';
import { exactTime, lengthS, type Study, type TrialStep } from './study.ts';

const questionSchema = z.object({ scenario: z.string(), rates: z.tuple([z.number(), z.number(), z.number()]) });
const answerSchema = z.object({ middlePerS: z.number(), p95S: z.number().nullable() });
type Question = z.infer<typeof questionSchema>;

function trialsOf(subject: string, { scenario, rates }: Question): readonly TrialStep[] {
  return rates.map((arrivalRatePerS) => ({
    kind: 'trial', subject, scenario, purpose: 'measure', warmUpS: 0, durationS: 5, timeoutS: 5,
    load: { model: 'open', arrivalRatePerS, arrivals: 'constant' },
  }));
}

export const middle: Study<Question, z.infer<typeof answerSchema>> = {
  name: 'middle',
  question: questionSchema,
  answer: answerSchema,
  scenarios: ({ scenario }) => [scenario],
  groups: (subjects) => subjects.map((subject) => [subject]),
  *steps([subject], question) {
    const trials = trialsOf(subject?.id ?? '', question);
    yield { kind: 'plan', subject: subject?.id ?? '', scenario: question.scenario, trials, after: exactTime(0) };
    const measured = [];
    for (const step of trials) {
      const judged = yield step;
      if (judged !== undefined) measured.push(judged.summary);
    }
    const rates = question.rates.toSorted((left, right) => left - right);
    const at = measured.find(({ load }) => load.model === 'open' && load.arrivalRatePerS === rates[1]);
    return { middlePerS: rates[1] ?? 0, p95S: at?.latency.p95S?.value ?? null };
  },
  estimate: ([subject], question) =>
    exactTime(trialsOf(subject?.id ?? '', question).reduce((sum, step) => sum + lengthS(step), 0)),
  verdict: (answers) => (answers.every(({ p95S }) => p95S !== null && p95S < 0.5) ? 'met' : 'missed'),
};
`;

let copy: string;
let server: Server;
let url: string;
let delayMs: number;

beforeEach(async () => {
  copy = await mkdtemp(join(tmpdir(), 'tierbench-study-'));
  for (const name of ['cli', 'exports', 'harness', 'reports', 'scenarios', 'package.json']) {
    await cp(join(tree, name), join(copy, name), { recursive: true });
  }
  await symlink(join(tree, 'node_modules'), join(copy, 'node_modules'));
  await mkdir(join(copy, 'home'));
  delayMs = 20;
  server = createServer(async (request, response) => {
    const body = (await request.toArray()).join('');
    const email = body === '' ? null : JSON.parse(body).email;
    setTimeout(() => response.end(JSON.stringify({ success: true, accessToken: 'a', user: { email } })), delayMs);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await rm(copy, { recursive: true, force: true });
});

async function tierbench(...words: readonly string[]) {
  const child = spawn(process.execPath, [join(copy, 'cli/tierbench.js'), ...words], {
    cwd: copy,
    env: { PATH: process.env.PATH ?? '', HOME: join(copy, 'home'), TIERBENCH_TEST_CALIBRATION: 'none' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      said[name] += chunk;
    });
  }
  const [exitCode] = (await once(child, 'close')) as [number | null];
  return { exitCode, ...said };
}

test('one file and one line add a study, and it has progress, results, a report and exit codes', {
  timeout: 180_000,
}, async () => {
  await writeFile(join(copy, 'harness/studies/middle.ts'), middle);
  const registry = join(copy, 'harness/studies/registry.ts');
  const known = await readFile(registry, 'utf8');
  const line = "import { middle } from './middle.ts';\n";
  await writeFile(registry, `${line}${known.replace(/(?<= = \[)(?=.*\];)/u, 'middle, ')}`);

  const question = JSON.stringify({ scenario: 'login', rates: [60, 20, 40] });
  const words = ['study', 'middle', '--url', url, '--question', question];
  const met = await tierbench(...words, '--out', 'out');
  expect(met.exitCode, met.stderr).toBe(0);
  expect(met.stderr).toContain('trial 3 of 3');
  expect(met.stdout).toContain('"middlePerS": 40');
  const read = async (name: string) => JSON.parse(await readFile(join(copy, 'out', name), 'utf8'));
  expect(await read('study.json')).toMatchObject({ schemaVersion: 2, study: 'middle', subjects: ['external'] });
  expect(await read('answer.json')).toMatchObject([{ middlePerS: 40 }]);
  expect(await read('status.json')).toMatchObject({ state: 'finished' });
  expect((await read('report.json')).trials).toHaveLength(3);
  const before = await readFile(join(copy, 'out/report.md'), 'utf8');
  expect((await tierbench('report', 'out')).exitCode).toBe(0);
  expect(await readFile(join(copy, 'out/report.md'), 'utf8')).toBe(before);

  delayMs = 800;
  const own = `import { defineScenario, send } from './scenarios/kit.ts';
    export default defineScenario({
      name: 'mine',
      description: 'Of a file.',
      *iteration() { yield* send({ name: 'front', method: 'GET', path: '/' }); },
    });`;
  await writeFile(join(copy, 'mine.ts'), own);
  const ofFile = JSON.stringify({ scenario: './mine.ts', rates: [60, 20, 40] });
  const slow = await tierbench('study', 'middle', '--url', url, '--question', ofFile, '--out', 'slow');
  expect(slow.exitCode, slow.stderr).toBe(2);
  const asked = JSON.parse(await readFile(join(copy, 'slow/study.json'), 'utf8'));
  expect(asked.question.scenario, 'a file is known by the name it gives itself').toBe('mine');
  const wrong = await tierbench('study', 'middle', '--url', url, '--question', '{"scenario":"login"}');
  expect(wrong.exitCode).toBe(1);
  expect(wrong.stderr).toContain('error OPTIONS_INVALID:');
});
