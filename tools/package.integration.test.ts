import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const run = promisify(execFile);
const environment = { ...process.env, PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH}` };

describe('the npm package, installed in an empty folder', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tierbench-package-'));
    const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], {
      cwd: root,
      env: environment,
    });
    const [{ filename }] = JSON.parse(stdout.slice(stdout.indexOf('[')));
    await writeFile(join(folder, 'package.json'), '{"private": true, "type": "module"}');
    await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', `./${filename}`], {
      cwd: folder,
      env: environment,
    });
  }, 600_000);

  afterAll(() => rm(folder, { recursive: true, force: true }));

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
    const packed = 'node_modules/tierbench/dist/harness';
    // The name is made from the files.
    expect(await nameIn(join(folder, packed), 'js')).toBe(await nameIn(join(root, 'harness'), 'ts'));
    expect(await readdir(join(folder, 'node_modules/tierbench/reference-app'))).not.toContain('test');
  });

  it('starts the reference app and measures it', async () => {
    const words =
      'run --tier single --provider local --scenario login --concurrency 1 --duration 2 --warm-up 0 --user-count 2 --tasks-per-user 2 --out out --allow-missed';
    await tierbench(...words.split(' '));
    expect(await readFile(join(folder, 'out', 'report.md'), 'utf8')).toContain('login');
  });
});

it('knows every package that the reference app in it needs', async () => {
  const packageOf = async (file: string) => JSON.parse(await readFile(join(root, file), 'utf8'));
  const { dependencies } = await packageOf('package.json');
  const needed = (await packageOf('reference-app/package.json')).dependencies;
  expect(dependencies).toMatchObject(needed);
});
