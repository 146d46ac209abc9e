import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { hostname, tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { lacks, programFor } from '../../../test-support/requirements.ts';
import { findK6 } from './find-k6.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tierbench-test-k6-'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

/** A program that is called k6 and prints this, whatever it is asked. */
async function programThatSays(text: string, { below = folder, mode = 0o755 } = {}): Promise<string> {
  await mkdir(below, { recursive: true });
  const file = join(below, 'k6');
  await writeFile(file, `#!/bin/sh\ncat <<'END'\n${text}\nEND\n`);
  await chmod(file, mode);
  return file;
}

const noEngine = () => vi.stubEnv('DOCKER_HOST', `unix://${join(folder, 'no-engine.sock')}`);

describe.skipIf(lacks('k6'))('the real program (needs k6)', () => {
  const program = programFor('k6') ?? '';

  it('is found by its path and on the PATH, and runs in its folder with the environment it is given', async () => {
    vi.stubEnv('PATH', `${folder}${delimiter}${dirname(program)}`);
    for (const found of [await findK6({ path: program }), await findK6()]) {
      expect(found).toMatchObject({ version: expect.stringMatching(/^[12]\.\d+\.\d+/), origin: program });
      await writeFile(
        join(folder, 'script.js'),
        `const beside = open('beside.txt');
         export const options = { iterations: 1 };
         export default () => console.log(__ENV.GREETING + ' ' + __ENV.K6_VUS + ' ' + beside);`,
      );
      await writeFile(join(folder, 'beside.txt'), 'beside');
      vi.stubEnv('K6_VUS', '7');
      const k6 = found.start(['run', '--quiet', '--log-format', 'raw', 'script.js'], {
        cwd: folder,
        env: { GREETING: 'hello' },
      });
      const [said, [exitCode]] = await Promise.all([text(k6.stderr), once(k6, 'close'), text(k6.stdout)]);
      expect(said).toContain('hello undefined beside');
      expect(exitCode).toBe(0);
    }
  });

  it('is preferred to what npm calls k6 and to programs of that name that are not k6', async () => {
    await programThatSays('This package is empty.', { below: join(folder, 'node_modules', '.bin') });
    await programThatSays('k6 v2.0.0 (not to be asked)', { below: join(folder, 'app', 'node_modules', '.bin') });
    await programThatSays('a program for something else', { below: join(folder, 'other') });
    const before = ['node_modules/.bin', 'app/node_modules/.bin', 'other', 'not-there'].map((name) =>
      join(folder, name),
    );
    vi.stubEnv('PATH', [...before, dirname(program)].join(delimiter));
    expect(await findK6()).toMatchObject({ origin: program });
  });
});

describe('what cannot be used', () => {
  it.each([
    ['k6 v0.57.0 (commit/50afd82c18, go1.23.6, linux/amd64)', '0.57.0'],
    ['k6 v3.0.0 (go1.30.0, linux/amd64)', '3.0.0'],
  ])('%s is refused with what to install', async (said, version) => {
    const file = await programThatSays(said);
    const refused = {
      code: 'K6_VERSION_NOT_SUPPORTED',
      message: `${file} is k6 ${version}, and tierbench knows versions 1.x and 2.x`,
      nextStep: expect.stringContaining('Install k6'),
    };
    await expect(findK6({ path: file })).rejects.toMatchObject(refused);
    vi.stubEnv('PATH', `${folder}${delimiter}/usr/bin${delimiter}/bin`);
    await expect(findK6()).rejects.toMatchObject(refused);
  });

  it.each([
    ['k6 v1.0.0 (commit/41b4984b75, go1.24.2, linux/amd64)', '1.0.0'],
    ['k6 v1.8.1 (go1.26.8, linux/amd64)', '1.8.1'],
    ['k6 v2.0.0-rc1 (go1.26.8, linux/amd64)\nExtensions:\n  x v0.1.0', '2.0.0-rc1'],
  ])('%s is taken', async (said, version) => {
    expect((await findK6({ path: await programThatSays(said) })).version).toBe(version);
  });

  it('says what is wrong with the path it was given', async () => {
    const wrong = async (path: string, message: RegExp) =>
      expect(findK6({ path })).rejects.toMatchObject({ code: 'K6_UNUSABLE', message: expect.stringMatching(message) });
    await wrong(join(folder, 'nowhere'), /nowhere is not there$/);
    await wrong(folder, /is not a file$/);
    await wrong(await programThatSays('x', { below: join(folder, 'a'), mode: 0o644 }), /may not be executed$/);
    await wrong(
      await programThatSays('bananas', { below: join(folder, 'b') }),
      /is not k6: `.*k6 version` says 'bananas'$/,
    );
    await wrong(await programThatSays('', { below: join(folder, 'c') }), /is not k6: .* ends without a word$/);
    await writeFile(join(folder, 'd'), 'neither a script nor a program', { mode: 0o755 });
    await wrong(join(folder, 'd'), /d is not k6: /);
  });

  it('says how to get it where there is neither k6 nor a container engine', async () => {
    noEngine();
    vi.stubEnv('PATH', folder);
    await expect(findK6()).rejects.toMatchObject({
      code: 'K6_MISSING',
      problems: [
        expect.objectContaining({ obstacle: expect.objectContaining({ code: 'container-engine-not-reachable' }) }),
      ],
      remedy: 'name-k6',
    });
  });

  it('says so where the engine cannot get the image either', async () => {
    const engine = createServer(({ method, url }, response) => {
      response.writeHead(url === '/info' ? 200 : 404, { 'content-type': 'application/json' });
      const message = method === 'POST' ? 'no registry can be reached' : 'no such image';
      response.end(JSON.stringify({ Name: hostname(), ServerVersion: '29', NCPU: 2, message }));
    }).listen(join(folder, 'engine.sock'));
    try {
      await once(engine, 'listening');
      vi.stubEnv('DOCKER_HOST', `unix://${join(folder, 'engine.sock')}`);
      vi.stubEnv('PATH', folder);
      const reported: string[] = [];
      await expect(findK6({ onProgress: (what) => reported.push(what) })).rejects.toMatchObject({
        code: 'K6_MISSING',
        problems: [expect.objectContaining({ what: expect.stringContaining('no registry can be reached') })],
      });
      expect(reported).toEqual(['pulling grafana/k6:2.2.0']);
    } finally {
      engine.close();
    }
  });
});
