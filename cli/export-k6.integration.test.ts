import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, it } from 'vitest';
import { referenceEmail } from '../harness/services/reference-app.ts';
import { startFakeTaskApi } from '../test-support/fake-task-api.ts';
import { lacks, programFor, requirements } from '../test-support/requirements.ts';
import { workplaceForEach } from '../test-support/tierbench.ts';

const place = workplaceForEach();

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(place.folder, name)), { recursive: true });
    await writeFile(join(place.folder, name), content);
  }
}

/** Met by any server that answers within some seconds. */
const patientTargets = `
document: shop
targets:
  shop-p95:
    title: p95 latency
    section: Service levels
    comparison: "<"
    value: 8 s
    judged: { measured: latency-p95 }
  shop-errors:
    title: Failures
    section: Service levels
    comparison: "<"
    value: 1 %
    judged: { measured: error-ratio }
`;

function users(count: number): string {
  const all = Array.from({ length: count }, (_, index) => referenceEmail(index + 1));
  return JSON.stringify(all.map((email) => ({ email, password: `password of ${email}` })));
}

/** A shop of two pages and an entrance. */
async function shop(latencyS: number) {
  const seen: string[] = [];
  const server = createServer(async ({ method, url, headers }, response) => {
    seen.push(`${method} ${url}${headers.cookie === undefined ? '' : ` ${headers.cookie}`}`);
    await delay(latencyS * 1000);
    if (url === '/enter') response.setHeader('set-cookie', ['key=open; Path=/']);
    response.end(JSON.stringify({ price: 42 }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    seen,
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

const shopScenario = {
  'my-scenarios/shop.ts': `
    import { defineScenario, send } from 'tierbench/scenarios';
    import { pages } from './parts/pages.ts';
    export default defineScenario({
      name: 'my.shop',
      description: 'looks at an\\narticle',
      *begin() {
        const entered = yield* send({ name: 'enter', method: 'POST', path: '/enter', body: { json: {} } });
        return entered.cookies;
      },
      *iteration({ session }) {
        for (const path of pages) {
          const check = (response: { json(): unknown }) => (response.json() as { price: number }).price === 42;
          yield* send({ name: 'look', method: 'GET', path, cookies: session, check });
        }
      },
    });`,
  'my-scenarios/parts/pages.ts': "export const pages: readonly string[] = ['/a', '/b'];",
};

interface K6End {
  readonly exitCode: number;
  readonly stderr: string;
  /** Metric -> its values at the end. */
  readonly metrics: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** Runs an exported folder from another one. */
async function runWith(program: string, folder: string, variables: Readonly<Record<string, string>>): Promise<K6End> {
  await mkdir(join(place.folder, 'elsewhere'), { recursive: true });
  const summary = join(place.folder, 'elsewhere', 'summary.json');
  const given = Object.entries(variables).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
  // Without its own server, for whose port k6 1.x complains of any other that runs meanwhile.
  const words = ['run', '--quiet', '--no-usage-report', '--address', '', '--summary-export', summary, ...given];
  const environment = { HOME: join(place.folder, 'elsewhere') };
  const options = { cwd: join(place.folder, 'elsewhere'), env: environment };
  const ended = await promisify(execFile)(program, [...words, join(place.folder, folder, 'script.js')], options).then(
    ({ stderr }) => ({ exitCode: 0, stderr }),
    ({ code, stderr }) => ({ exitCode: Number(code), stderr: String(stderr) }),
  );
  const metrics = await readFile(summary, 'utf8').then(
    (text) => JSON.parse(text).metrics,
    () => ({}),
  );
  return { ...ended, metrics };
}

async function thresholdsIn(program: string, folder: string): Promise<unknown> {
  const words = ['inspect', '-e', 'BASE_URL=http://127.0.0.1:1', join(place.folder, folder, 'script.js')];
  const { stdout } = await promisify(execFile)(program, words, { env: { HOME: place.folder } });
  return JSON.parse(stdout).thresholds;
}

describe('an exported folder in real k6', () => {
  describe.for(['k6', 'k6-1'] as const)('(needs %s)', (name) => {
    const program = programFor(name) ?? name;
    beforeEach(({ skip }) => skip(lacks(name), requirements[name].how));

    const loads = [
      ['crud', '--concurrency 3'],
      ['login', '--rate 20'],
      ['visit', '--rate 5 --user-count 40'],
      ['mixed', '--rate 20 --mix browse=1,login=1'],
    ] as const;
    it.each(name === 'k6' ? loads : loads.slice(0, 1))(
      'measures %s at %s, all answers right',
      async (scenario, load) => {
        await write({ 'targets.yaml': patientTargets });
        const options = `${load} --duration 3 --warm-up 1 --targets targets.yaml`.split(' ');
        const exported = await place.run(['export', 'k6', '--scenario', scenario, ...options, '--out', 'folder']);
        expect(exported.stderr).toBe('');
        expect(exported.exitCode).toBe(0);
        await write({ 'folder/users.json': users(200) });
        await using api = await startFakeTaskApi();
        const { exitCode, stderr, metrics } = await runWith(program, 'folder', {
          BASE_URL: `${api.baseUrl}/`,
          USERS: 'users.json',
        });
        expect(stderr).toBe('');
        expect(exitCode).toBe(0);
        expect(metrics.http_reqs?.count).toBe(api.requests.length);
        expect(metrics.failed?.value).toBe(0);
        // Without what the warm-up sent.
        const succeeded = metrics.succeeded?.count ?? 0;
        expect(succeeded).toBeGreaterThan(5);
        expect(succeeded).toBeLessThan(api.requests.length);
        if (scenario === 'mixed') {
          expect(api.requests).toContain('POST /api/auth/refresh');
          expect(api.requests).not.toContain('POST /api/tasks');
        }
        if (scenario === 'login') {
          // Where k6 pauses it sends later what is scheduled, and at the end less of it.
          expect(succeeded).toBeLessThanOrEqual(60 + 20);
          expect(api.requests.length).toBeGreaterThanOrEqual(80 - 30);
          expect(api.requests.length).toBeLessThanOrEqual(80 + 2);
        }
      },
    );

    it('ends with 99 where the server is slower than the target', async () => {
      await write({ ...shopScenario, 'targets.yaml': patientTargets.replace('8 s', '250 ms') });
      const options = '--rate 10 --duration 2 --warm-up 0 --targets targets.yaml --out folder'.split(' ');
      await place.run(['export', 'k6', '--scenario', './my-scenarios/shop.ts', ...options]);
      await using server = await shop(0.3);
      const { exitCode, stderr, metrics } = await runWith(program, 'folder', { BASE_URL: server.baseUrl });
      expect(exitCode).toBe(99);
      expect(stderr).toMatch(/thresholds on metrics 'latency' have been crossed/);
      expect(metrics.latency?.['p(95)']).toBeGreaterThanOrEqual(299);
      expect(metrics.failed?.value).toBe(0);
    });

    it('ends at once, and not with 0, where the scenario is broken', async () => {
      await write({
        'broken.ts': `
          import { defineScenario, send } from 'tierbench/scenarios';
          export default defineScenario({
            name: 'broken',
            description: 'gives up',
            *iteration() {
              yield* send({ name: 'look', method: 'GET', path: '/a' });
              throw new Error('out of luck');
            },
          });`,
      });
      const options = '--rate 10 --duration 60 --out folder'.split(' ');
      await place.run(['export', 'k6', '--scenario', './broken.ts', ...options]);
      await using server = await shop(0);
      const { exitCode, stderr } = await runWith(program, 'folder', { BASE_URL: server.baseUrl });
      // The code of k6 for a test that was aborted by its script.
      expect(exitCode).toBe(108);
      expect(stderr).toContain(
        "Scenario 'broken' threw in iteration although every answer was right: Error: out of luck",
      );
    });

    it('says what it needs', async () => {
      await place.run(['export', 'k6', '--scenario', 'crud', '--concurrency', '3', '--out', 'folder']);
      await write({ 'folder/one.json': users(1), 'folder/odd.json': '{}' });
      const said = async (variables: Readonly<Record<string, string>>) => {
        const { exitCode, stderr } = await runWith(program, 'folder', variables);
        expect(exitCode).toBe(107);
        return stderr;
      };
      const BASE_URL = 'http://127.0.0.1:1';
      expect(await said({})).toContain('BASE_URL is missing: k6 run -e BASE_URL=http');
      expect(await said({ BASE_URL, USERS: 'one.json' })).toContain(
        'one.json has 1 users: no two of 3 virtual users share one',
      );
      expect(await said({ BASE_URL, USERS: 'odd.json' })).toContain('odd.json is no list of {');
    });

    // The rest is the script's own, whatever runs it.
    if (name !== 'k6') return;

    it("runs a user's own scenario, counts its iterations alone, and keeps no cookies of its own", async () => {
      await write({ ...shopScenario, 'targets.yaml': patientTargets });
      const options = '--concurrency 2 --duration 2 --warm-up 0 --targets targets.yaml --out folder'.split(' ');
      await place.run(['export', 'k6', '--scenario', './my-scenarios/shop.ts', ...options]);
      await using server = await shop(0.01);
      const { exitCode, stderr, metrics } = await runWith(program, 'folder', { BASE_URL: server.baseUrl });
      expect(stderr).toBe('');
      expect(exitCode).toBe(0);
      const looks = server.seen.filter((request) => request.startsWith('GET'));
      expect(server.seen.length - looks.length).toBe(2);
      expect(new Set(looks)).toEqual(new Set(['GET /a key=open', 'GET /b key=open']));
      expect(metrics.succeeded?.count).toBe(looks.length);
      expect(metrics.latency?.min).toBeGreaterThanOrEqual(9);
    });

    it('ends with 99 where nothing answers, whatever the latency would have been', async () => {
      await write({ ...shopScenario, 'targets.yaml': patientTargets });
      const options = '--rate 10 --duration 1 --warm-up 0 --timeout 9 --targets targets.yaml --out folder'.split(' ');
      await place.run(['export', 'k6', '--scenario', './my-scenarios/shop.ts', ...options]);
      const { exitCode, metrics } = await runWith(program, 'folder', { BASE_URL: 'http://127.0.0.1:1' });
      expect(exitCode).toBe(99);
      expect(metrics.failed?.value).toBe(1);
      expect(metrics.latency?.min).toBe(9000);
    });

    it('has the thresholds of the built-in targets', async () => {
      await place.run(['export', 'k6', '--scenario', 'crud', '--rate', '1000', '--out', 'folder']);
      expect(await thresholdsIn(program, 'folder')).toEqual({
        latency: ['p(95)<200'],
        failed: ['rate<0.001'],
        dropped_iterations: ['count<35'],
        succeeded: ['count>=14850', 'count>=29700', 'count>0'],
      });
      const script = await readFile(join(place.folder, 'folder', 'script.js'), 'utf8');
      expect(script).toMatch(/\/\/ scalability-strategy-latency-p95: [^\n]+\n *'p\(95\)<200'/);
    });
  });
});

describe('tierbench export k6', () => {
  it('has the targets of the command line instead of the built-in ones', async () => {
    const options = ['--scenario', 'crud', '--rate', '100', '--p95', '150ms', '--errors', '2%', '--out', 'typed'];
    const { exitCode } = await place.run(['export', 'k6', ...options]);
    expect(exitCode).toBe(0);
    const script = await readFile(join(place.folder, 'typed/script.js'), 'utf8');
    expect(script).toContain("'p(95)<=150'");
    expect(script).toContain("'rate<=0.02'");
    expect(script).not.toContain('scalability-strategy');
    const wrong = await place.run(['export', 'k6', ...options.slice(0, 4), '--p95', 'soon', '--out', 'wrong']);
    expect(wrong).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('--p95 must be a time') });
  });

  it('writes what it says, without a secret and without a path of this machine', async () => {
    const options = ['--scenario', 'mixed', '--rate', '200', '--out', 'for/others'];
    const { exitCode, stdout } = await place.run(['export', 'k6', ...options]);
    expect(exitCode).toBe(0);
    const names = await readdir(join(place.folder, 'for/others'));
    expect(names.toSorted()).toEqual(['README.md', 'scenario.js', 'script.js', 'users.example.json']);
    for (const name of names) {
      expect(stdout).toContain(name);
      const text = await readFile(join(place.folder, 'for/others', name), 'utf8');
      expect(text).not.toContain(dirname(import.meta.dirname));
      expect(text).not.toContain(place.folder);
    }
    const readme = await readFile(join(place.folder, 'for/others/README.md'), 'utf8');
    expect(readme).toContain('k6 run -e BASE_URL=http://127.0.0.1:3000 -e USERS=users.json script.js');
    expect(readme).toContain('lsf-auth-throughput');
  });

  it('reports every problem of its options at once', async () => {
    const { exitCode, stderr } = await place.run(['export', 'k6', '--rate', 'fast', '--seed', '-1', '--duration', '0']);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('OPTIONS_INVALID: 5 options are wrong');
    for (const option of ['--scenario is missing', '--out is missing', '--rate must', '--seed must', '--duration must'])
      expect(stderr).toContain(option);
    const both = ['--scenario', 'crud', '--out', 'folder', '--rate', '1', '--concurrency', '2', '--user-count', '3'];
    const { stderr: refused } = await place.run(['export', 'k6', ...both]);
    expect(refused).toContain('--rate and --concurrency exclude each other');
    expect(refused).toContain('--user-count 3 does not go with --concurrency 2');
  });

  it('reports every problem with files at once, and overwrites nothing', async () => {
    await write({ 'folder/mine.txt': 'mine', 'plain.txt': 'no folder' });
    const inputs = [
      '--scenario',
      'mied',
      '--rate',
      '1',
      '--tier',
      'singel',
      '--targets',
      'none.yaml',
      '--out',
      'folder',
    ];
    const { exitCode, stderr } = await place.run(['export', 'k6', ...inputs]);
    expect(exitCode).toBe(1);
    for (const code of ['SCENARIO_NOT_FOUND', 'TIER_UNKNOWN', 'FILE_NOT_FOUND', 'FOLDER_NOT_EMPTY'])
      expect(stderr).toContain(code);
    expect(await readdir(join(place.folder, 'folder'))).toEqual(['mine.txt']);
    const into = await place.run(['export', 'k6', '--scenario', 'crud', '--rate', '1', '--out', 'plain.txt']);
    expect(into.stderr).toContain('CANNOT_WRITE');
  });

  it('names the line of a scenario that needs Node, and writes nothing', async () => {
    await write({
      'needs-node.ts': `import { readFileSync } from 'node:fs';
import { defineScenario } from 'tierbench/scenarios';
export default defineScenario({ name: 'needs-node', description: '', *iteration() { readFileSync('/'); } });`,
    });
    const options = ['--scenario', './needs-node.ts', '--rate', '1', '--out', 'folder'];
    const { exitCode, stderr } = await place.run(['export', 'k6', ...options]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('SCENARIO_CANNOT_BE_BUNDLED');
    expect(stderr).toMatch(/needs-node\.ts:1:\d+: imports node:fs/);
    expect(await readdir(place.folder)).not.toContain('folder');
  });
});
