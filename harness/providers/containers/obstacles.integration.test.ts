import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import Docker from 'dockerode';
import { afterEach, expect, it } from 'vitest';
import { reaperImage } from '../../container-engine/docker.ts';
import { haveImage } from '../../container-engine/images.ts';
import { referenceApp } from '../../services/reference-app.ts';
import { containersProvider } from './containers-provider.ts';
import { containersCanRun } from './obstacles.ts';

const dockerHost = process.env.DOCKER_HOST;

afterEach(() => {
  if (dockerHost === undefined) delete process.env.DOCKER_HOST;
  else process.env.DOCKER_HOST = dockerHost;
});

/** What an engine would answer: status and body by path. */
async function engineThat(answer: (path: string) => readonly [number, object]): Promise<AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), 'tierbench-test-engine-'));
  const server = createServer(({ url = '' }: IncomingMessage, response) => {
    const [status, body] = answer(url);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }).listen(join(folder, 'engine.sock'));
  await once(server, 'listening');
  process.env.DOCKER_HOST = `unix://${folder}/engine.sock`;
  return {
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const info = { Name: hostname(), ServerVersion: '28.0.0', NCPU: 2, CpuCfsQuota: true, MemoryLimit: true };

it('nothing stands in the way where every image is here', async () => {
  await using _engine = await engineThat((path) => [200, path === '/info' ? info : {}]);
  expect(await containersCanRun(referenceApp)).toEqual([]);
});

it('nothing stands in the way where the registry has what is not here', async () => {
  const asked: string[] = [];
  await using _engine = await engineThat((path) => {
    asked.push(path);
    return path === '/info' ? [200, info] : path.startsWith('/distribution/') ? [200, {}] : [404, { message: 'none' }];
  });
  expect(await containersCanRun(referenceApp)).toEqual([]);
  expect(
    asked.some((path) => path.startsWith('/images/create')),
    'nothing is downloaded to find out',
  ).toBe(false);
});

it('names every image that is neither here nor to be had, each once', async () => {
  await using _engine = await engineThat((path) => [
    path === '/info' ? 200 : path.includes('redis') ? 200 : path.startsWith('/images/') ? 404 : 500,
    path === '/info' ? info : { message: 'no such host' },
  ]);
  const obstacles = await containersCanRun(referenceApp);
  const missing = [reaperImage, 'postgres:17', 'edoburu/pgbouncer:v1.24.1-p1', 'nginx:1.26', 'node:24-bookworm-slim'];
  const found = missing.map((image) => {
    return { code: 'image-not-available', image, detail: expect.stringContaining('no such host') };
  });
  expect(obstacles).toHaveLength(found.length);
  expect(obstacles).toEqual(expect.arrayContaining(found));
});

it('an image is pulled no further when it is aborted', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tierbench-test-engine-'));
  // A registry that sends an image slowly.
  const engine = createServer(({ url = '' }: IncomingMessage, response) => {
    if (url.startsWith('/images/create')) response.write('{"status":"Downloading"}\n');
    else response.writeHead(404).end('{"message":"none"}');
  }).listen(join(folder, 'engine.sock'));
  try {
    await once(engine, 'listening');
    const controller = new AbortController();
    const reason = new Error('enough');
    const docker = new Docker({ socketPath: join(folder, 'engine.sock') });
    const pulling = haveImage(docker, 'large:1', { signal: controller.signal, onProgress: () => {} });
    await once(engine, 'request');
    await once(engine, 'request');
    controller.abort(reason);
    await expect(pulling).rejects.toBe(reason);
  } finally {
    engine.closeAllConnections();
    engine.close();
    await rm(folder, { recursive: true });
  }
});

it.each([
  ['unix:///no/such/engine.sock', 'container-engine-not-reachable', '/no/such/engine.sock'],
  ['tcp://192.0.2.1:2375', 'container-engine-remote', '192.0.2.1:2375'],
])('says what is wrong with the engine at %s', async (address, code, place) => {
  process.env.DOCKER_HOST = address;
  expect(await containersCanRun(referenceApp)).toEqual([expect.objectContaining({ code, address: place })]);
  const provider = containersProvider({ run: { id: '20261121-000000-00000000', labels: {} } });
  const tier = { name: '', title: '', description: '', documents: [], entry: '', services: [] };
  await expect(provider.deploy({ tier, app: referenceApp }, new AbortController().signal)).rejects.toMatchObject({
    code: 'ENGINE_NOT_AVAILABLE',
  });
});
