import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { lacks, programFor } from '../../../test-support/requirements.ts';
import { K6_IMAGE } from './find-k6.ts';
import { k6Check } from './k6-check.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tierbench-test-k6-'));
  vi.stubEnv('DOCKER_HOST', `unix://${join(folder, 'docker.sock')}`);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

/** A container engine that has these images. */
async function withEngine(images: readonly string[], look: () => Promise<void>): Promise<void> {
  const server = createServer(({ url }, response) => {
    const known = url === '/info' || images.some((image) => url === `/images/${image}/json`);
    response.writeHead(known ? 200 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ Name: hostname(), ServerVersion: '29', NCPU: 2 }));
  });
  await new Promise<void>((resolve) => server.listen(join(folder, 'docker.sock'), resolve));
  try {
    await look();
  } finally {
    server.close();
  }
}

it.skipIf(lacks('k6'))('reports the version and path of the program (needs k6)', async () => {
  vi.stubEnv('PATH', dirname(programFor('k6') ?? ''));
  expect(await k6Check.find()).toEqual({
    state: 'ready',
    detail: expect.stringMatching(/^[12]\.\d+\.\d+\S*, \/.*k6$/),
  });
});

it('reports the image where there is no program, and how to install either', async () => {
  vi.stubEnv('PATH', folder);
  expect(await k6Check.find()).toMatchObject({
    state: 'missing',
    detail: expect.stringContaining('https://grafana.com'),
  });
  await withEngine([K6_IMAGE], async () => {
    expect(await k6Check.find()).toEqual({ state: 'ready', detail: expect.stringContaining(K6_IMAGE) });
  });
  await withEngine([], async () => {
    const detail = expect.stringContaining(`docker pull ${K6_IMAGE}`);
    expect(await k6Check.find()).toEqual({ state: 'limited', detail });
  });
});

it('reports a version that is too old, and what to install', async () => {
  const file = join(folder, 'k6');
  await writeFile(file, '#!/bin/sh\necho "k6 v0.54.0 (commit/baba871c8a, go1.23.1, linux/amd64)"\n');
  await chmod(file, 0o755);
  vi.stubEnv('PATH', folder);
  expect(await k6Check.find()).toEqual({
    state: 'missing',
    detail: expect.stringMatching(
      /k6 is k6 0\.54\.0, and tierbench knows versions 1\.x and 2\.x\. Install k6 2\.x from/,
    ),
  });
});
