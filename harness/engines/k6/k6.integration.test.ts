import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import crud from '../../../scenarios/crud.ts';
import type { Scenario } from '../../../scenarios/kit.ts';
import { startFakeTaskApi } from '../../../test-support/fake-task-api.ts';
import { lacks, programFor } from '../../../test-support/requirements.ts';
import conversation from '../../contracts/engines/scenarios/conversation.ts';
import oneRequest from '../../contracts/engines/scenarios/one-request.ts';
import { startTestServer } from '../../contracts/engines/server.ts';
import {
  expectConsistent,
  expectOnly,
  openRequestFor,
  outcomesOf,
  requestFor,
} from '../../contracts/engines/trial-contract.ts';
import type { OfferedLoad } from '../../core/load.ts';
import type { Interval } from '../../core/trial.ts';
import { scenarioFile } from '../../files/load-scenario.ts';
import { referenceEmail } from '../../services/reference-app.ts';
import type { TrialRequest } from '../engine.ts';
import { openLoopEngine } from '../open-loop/open-loop.ts';
import { findK6 } from './find-k6.ts';
import { type K6EngineOptions, k6Engine } from './k6.ts';
import type { K6Process, K6Program } from './k6-program.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tierbench-test-k6-'));
});
afterEach(async () => await rm(folder, { recursive: true }));

const never = new AbortController().signal;
const fine = () => startTestServer((_seen, _request, response) => response.end('{}'));

/** What was started, and with what. */
interface Started {
  readonly process: K6Process;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

function watched(program: K6Program): { readonly program: K6Program; readonly started: Started[] } {
  const started: Started[] = [];
  return {
    started,
    program: {
      ...program,
      start(args, options) {
        const process = program.start(args, options);
        started.push({ process, args, ...options });
        return process;
      },
    },
  };
}

/** Somebody else's program under the name of k6. */
function program(source: string): K6Program {
  return {
    version: '2.2.0',
    origin: 'a test',
    start: (_args, { cwd }) => spawn(process.execPath, ['-e', source], { cwd, stdio: ['ignore', 'pipe', 'pipe'] }),
  };
}

const programs = [programFor('k6') ?? 'k6', programFor('k6-1') ?? ''];

describe.skipIf(lacks('k6'))('k6 (needs k6)', () => {
  async function k6With(options: Partial<K6EngineOptions> = {}) {
    const { program: found, started } = watched(await findK6({ path: programFor('k6') }));
    return { engine: k6Engine({ program: found, folder, ...options }), started };
  }
  const run = async (request: TrialRequest) => (await k6With()).engine.run(request, never);

  test.each(programs.filter((path) => path !== ''))('a built-in scenario against the task API: %s', async (path) => {
    await using api = await startFakeTaskApi();
    const engine = k6Engine({ program: await findK6({ path }), folder });
    const emails = Array.from({ length: 10 }, (_, index) => referenceEmail(index + 1));
    const loads: OfferedLoad[] = [
      { model: 'closed', concurrency: 5 },
      { model: 'open', arrivalRatePerS: 20, arrivals: 'constant' },
    ];
    for (const load of loads) {
      const trial = await engine.run(
        {
          plan: { scenario: 'crud', baseUrl: api.baseUrl, load, warmUpS: 0.5, durationS: 1.5, seed: 1, timeoutS: 5 },
          scenario: crud,
          scenarioFile: scenarioFile('crud'),
          users: emails.map((email, index) => ({ index, email, password: `password of ${email}` })),
          skipThinkTimes: true,
        },
        never,
      );
      expectConsistent(trial);
      expect(trial.failureExamples).toEqual([]);
      expect(trial.iterations.completed).toBeGreaterThan(10);
      for (const { name } of trial.steps) expect(expectOnly('ok', trial, name)).toBeGreaterThan(0);
    }
    expect((await readdir(folder)).toSorted()).toEqual(['001-crud-concurrency-5.js', '002-crud-20-per-s.js']);
  });

  test('the same bytes on the wire as from our own engine, but for how header names are spelled', async () => {
    const linesFrom = async (make: (request: TrialRequest) => Promise<unknown>): Promise<string[]> => {
      const seen: string[] = [];
      await using server = await startTestServer((_seen, request, response) => {
        const { rawHeaders } = request;
        const named = rawHeaders.flatMap((name, index) =>
          index % 2 === 0 ? [`${name.toLowerCase()}: ${rawHeaders[index + 1]}`] : [],
        );
        seen.push([`${request.method} ${request.url} ${request.httpVersion}`, ...named.toSorted()].join('\n'));
        response.setHeader('set-cookie', 'kept=yes; Path=/');
        response.writeHead(request.url?.startsWith('/close') === true ? 302 : 200, { location: '/elsewhere' });
        response.end('{}');
      });
      await make(requestFor(conversation, server.baseUrl, 1, { durationS: 0.5 }));
      return seen.slice(0, 6).map((each) => each.replace(server.baseUrl.slice('http://'.length), 'HOST'));
    };
    const expected = await linesFrom((request) => openLoopEngine().run(request, never));
    expect(expected).toHaveLength(6);
    expect(await linesFrom(run)).toEqual(expected);
  });

  test('file descriptors that run out are a limit of the generator, not failures of the server', async () => {
    await using server = await startTestServer((_seen, _request, response) => setTimeout(() => response.end('{}'), 20));
    const found = await findK6({ path: programFor('k6') });
    const start: K6Program['start'] = (args, { cwd, env }) => {
      const shell = ['-c', 'ulimit -n 40; exec "$0" "$@"', programFor('k6') ?? 'k6', ...args];
      return spawn('sh', shell, { cwd, env: { PATH: process.env.PATH, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    };
    const { engine } = await k6With({ program: { ...found, start } });
    const trial = await engine.run(requestFor(oneRequest, server.baseUrl, 60, { durationS: 2 }), never);
    const outcomes = trial.steps[0]?.outcomes;
    expect(outcomes?.['generator-limit']).toBeGreaterThan(0);
    expect(outcomes?.refused).toBe(0);
    expect(trial.failureExamples).toMatchObject([{ outcome: 'generator-limit', resource: 'files' }]);
  });

  test('an arrival rate that changes, in steps and evenly', async () => {
    const sentMs: number[] = [];
    await using server = await startTestServer((_seen, _request, response) => {
      sentMs.push(performance.now());
      response.end('{}');
    });
    const request = openRequestFor(oneRequest, server.baseUrl, { arrivalRatePerS: 20, users: 50 }, { durationS: 4 });
    const changes = [
      { atS: 1, overS: 0, toRatePerS: 100 },
      { atS: 2, overS: 1, toRatePerS: 20 },
    ];
    const trial = await run({
      ...request,
      plan: { ...request.plan, load: { model: 'open', arrivalRatePerS: 20, arrivals: 'constant', changes } },
    });
    expectConsistent(trial);
    const scheduled = trial.intervals.map(({ iterations }) => iterations.intended);
    for (const [second, count] of [20, 100, 60, 20].entries()) {
      expect(Math.abs((scheduled[second] ?? 0) - count)).toBeLessThanOrEqual(1);
    }
    expect(Math.abs(sentMs.length - 200)).toBeLessThanOrEqual(2);
  });

  test("a GET whose kept connection breaks is sent again by Go's HTTP client, and nobody sees it", async () => {
    let asked = 0;
    await using server = await startTestServer((_seen, { socket }, response) => {
      asked += 1;
      if (asked % 2 === 0) socket.destroy();
      else response.end('{}');
    });
    const trial = await run(requestFor(oneRequest, server.baseUrl, 1, { durationS: 1 }));
    const ok = expectOnly('ok', trial);
    expect(ok).toBeGreaterThan(5);
    expect(Math.abs(asked - 2 * ok)).toBeLessThanOrEqual(3);
  });

  test('passwords are in one file that nobody else can read, and only while k6 runs', async () => {
    await using server = await fine();
    const { engine, started } = await k6With();
    const request = requestFor(oneRequest, server.baseUrl, 2, { durationS: 600 });
    const users = request.users.map((user) => ({ ...user, password: 'correct-horse' }));
    const stop = new AbortController();
    const stopped = engine.run({ ...request, users }, stop.signal);
    await expect.poll(() => server.seen.length).toBeGreaterThan(0);
    const [{ args, cwd, env }] = started as [Started];
    const usersFile = env.USERS ?? '';
    expect(JSON.parse(await readFile(usersFile, 'utf8'))).toMatchObject([{ password: 'correct-horse' }, {}]);
    expect((await stat(usersFile)).mode & 0o777).toBe(0o600);
    expect((await stat(cwd)).mode & 0o777).toBe(0o700);
    stop.abort();
    const trial = await stopped;
    await expect(stat(cwd)).rejects.toMatchObject({ code: 'ENOENT' });
    const kept = await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name), 'utf8')));
    for (const text of [...args, ...kept, JSON.stringify(trial)]) expect(text).not.toContain('correct-horse');
  });

  test('its script repeats the trial by hand', async () => {
    await using server = await startTestServer((_seen, _request, response) => response.end('{}'));
    const trial = await run(requestFor(conversation, server.baseUrl, 2, { durationS: 0.5, seed: 9 }));
    const first = server.seen.splice(0);
    await writeFile(
      join(folder, 'users.json'),
      JSON.stringify([0, 1].map((index) => ({ email: `user-${index}`, password: 'p' }))),
    );
    const command = trial.repeatWith?.replace('$PWD', folder).replace('k6 run', `'${programFor('k6')}' run -q`) ?? '';
    const { stdout } = await promisify(execFile)('sh', ['-c', command], { env: { HOME: folder } });
    expect(stdout).toMatch(/\blatency\.*:/);
    expect(stdout).toMatch(/\bsucceeded\.*:/);
    const sentBy = (seen: typeof first, user: string) =>
      seen.filter(({ headers }) => headers['x-user'] === user).map(({ method, path, body }) => [method, path, body]);
    for (const user of ['0', '1']) {
      const [once, again] = [sentBy(first, user), sentBy(server.seen, user)];
      expect(once.length).toBeGreaterThan(3);
      expect(again.slice(0, 3)).toEqual(once.slice(0, 3));
    }
    await expect(promisify(execFile)('sh', ['-c', command.replace(/-e USERS=\S+/, '')])).rejects.toMatchObject({
      stderr: expect.stringContaining('USERS='),
    });
  });

  test("a user's own scenario, and what begin returns must be JSON", async () => {
    const write = async (name: string, returned: string) => {
      const file = join(folder, `${name}.ts`);
      await writeFile(
        file,
        `import { defineScenario, send } from 'tierbench/scenarios';
        export default defineScenario<{ at: Date | string }>({
          name: '${name}', description: '',
          *begin() { return { at: ${returned} }; },
          *iteration({ session }) { yield* send({ name: 'ask', method: 'GET', path: '/' + session.at }); },
        });`,
      );
      const scenario: Scenario = { name, description: '', *begin() {}, *iteration() {} };
      return { scenario, scenarioFile: file };
    };
    await using server = await fine();
    const request = requestFor(oneRequest, server.baseUrl, 3, { durationS: 0.5 });
    const trial = await run({ ...request, ...(await write('plain', "'noon'")) });
    expect(outcomesOf(trial, 'ask').ok).toBeGreaterThan(3);
    expect(server.seen[0]?.path).toBe('/noon');
    await expect(run({ ...request, ...(await write('dated', 'new Date(0)')) })).rejects.toMatchObject({
      code: 'K6_SESSION_NOT_JSON',
    });
  });

  test.each([
    { how: 'killed', signal: 'SIGKILL', reported: 'SIGKILL' },
    // k6 has a code of its own for that.
    { how: 'interrupted by somebody else', signal: 'SIGINT', reported: 'exit code 105' },
  ] as const)('$how while it runs: an error, and no figures', async ({ signal, reported }) => {
    await using server = await fine();
    const { engine, started } = await k6With();
    const seen: Interval[] = [];
    const trial = engine.run(requestFor(oneRequest, server.baseUrl, 2, { durationS: 600 }), never, (interval) => {
      seen.push(interval);
      started[0]?.process.kill(signal);
    });
    await expect(trial).rejects.toMatchObject({ code: 'K6_FAILED', message: expect.stringContaining(reported) });
    expect(seen.length).toBeGreaterThan(0);
  });

  test('one that hangs is killed and reported', async () => {
    await using server = await fine();
    const { engine, started } = await k6With({ longestEndS: 1 });
    const request = requestFor(oneRequest, server.baseUrl, 2, { durationS: 4 });
    const trial = engine.run(request, never, () => void started[0]?.process.kill('SIGSTOP'));
    await expect(trial).rejects.toMatchObject({ code: 'K6_FAILED', message: expect.stringContaining('1 s') });
    expect(started[0]?.process.signalCode).toBe('SIGKILL');
  });

  test('one that does not stop when asked is killed, and what it measured is kept', async () => {
    await using server = await fine();
    const { engine, started } = await k6With({ longestEndS: 1 });
    const stop = new AbortController();
    const request = requestFor(oneRequest, server.baseUrl, 2, { durationS: 600 });
    const trial = await engine.run(request, stop.signal, () => {
      started[0]?.process.kill('SIGSTOP');
      stop.abort();
    });
    expect(started[0]?.process.signalCode).toBe('SIGKILL');
    expect([trial.stopped, trial.measuredS >= 1]).toEqual([true, true]);
    expect(outcomesOf(trial, 'request').ok).toBeGreaterThan(0);
  });

  test.each([
    ['an iteration', '*begin() {}, *iteration() { for (;;); }'],
    ['begin', '*begin() { for (;;); }, *iteration() {}'],
  ])(
    '%s that loops and yields nothing ends with an error soon after the trial should have, and k6 is gone',
    async (what, source) => {
      const file = join(folder, 'loop.ts');
      await writeFile(file, `export default { name: 'loop', description: '', ${source} };`);
      const scenario: Scenario = { name: 'loop', description: '', *begin() {}, *iteration() {} };
      const { engine, started } = await k6With({ longestEndS: 1 });
      const request = requestFor(oneRequest, 'http://127.0.0.1:1', 1, { durationS: 1, timeoutS: 0.5 });
      const startedMs = performance.now();
      await expect(engine.run({ ...request, scenario, scenarioFile: file }, never)).rejects.toMatchObject({
        code: 'K6_FAILED',
      });
      expect(performance.now() - startedMs).toBeLessThan(what === 'begin' ? 40_000 : 20_000);
      expect(started[0]?.process.exitCode ?? started[0]?.process.signalCode).not.toBeNull();
    },
  );

  test('a scenario that k6 cannot load is reported with the words of k6', async () => {
    const file = join(folder, 'odd.ts');
    await writeFile(file, "throw new Error('nowhere near');\nexport default {};");
    const request = requestFor(oneRequest, 'http://127.0.0.1:1', 1, {});
    await expect(run({ ...request, scenarioFile: file })).rejects.toMatchObject({
      code: 'K6_FAILED',
      message: expect.stringContaining('nowhere near'),
    });
  });
});

describe('a program that is not what it seems', () => {
  const outcomeOf = (source: string) =>
    expect(
      k6Engine({ program: program(source), folder }).run(requestFor(oneRequest, 'http://127.0.0.1:1', 1, {}), never),
    ).rejects;

  test('writes something else: it is shown', async () => {
    await outcomeOf("console.log('Hello, World!'); setInterval(() => {}, 1000)").toMatchObject({
      code: 'K6_FAILED',
      message: expect.stringContaining('Hello, World!'),
    });
  });

  test('ends at once without a word, well or badly', async () => {
    await outcomeOf('').toMatchObject({ code: 'K6_FAILED', message: expect.stringContaining('without having made') });
    await outcomeOf("console.error('no more room'); process.exit(3)").toMatchObject({
      code: 'K6_FAILED',
      message: expect.stringMatching(/exit code 3 .*no more room/),
    });
  });

  test('is not there any more', async () => {
    const gone: K6Program = {
      version: '2.2.0',
      origin: '',
      start: (args) => spawn(join(folder, 'k6'), args, { stdio: ['ignore', 'pipe', 'pipe'] }),
    };
    const trial = k6Engine({ program: gone, folder }).run(requestFor(oneRequest, 'http://127.0.0.1:1', 1, {}), never);
    await expect(trial).rejects.toMatchObject({ code: 'K6_FAILED', message: expect.stringContaining('ENOENT') });
  });
});
