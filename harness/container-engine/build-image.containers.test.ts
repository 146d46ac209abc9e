import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type Docker from 'dockerode';
import { GenericContainer, Wait } from 'testcontainers';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { lacks } from '../../test-support/requirements.ts';
import { imageSource } from '../providers/containers/obstacles.ts';
import { referenceApp } from '../services/reference-app.ts';
import { builtImageName, contextFiles, haveBuiltImage, type ImageSource } from './build-image.ts';
import { connectToEngine } from './docker.ts';

const signal = new AbortController().signal;
const appImage = imageSource({ name: referenceApp.image, folder: referenceApp.folder }) ?? {
  folder: '',
  repository: '',
};

describe.skipIf(lacks('docker'))('the image of the API (needs docker)', () => {
  let docker: Docker;
  let source: ImageSource;
  const steps: string[] = [];
  const have = () => haveBuiltImage(docker, source, { signal, onProgress: (step) => steps.push(step) });
  const write = (text: string) => writeFile(join(source.folder, 'server.ts'), text);
  const idOf = async (name: string) => (await docker.getImage(name).inspect()).Id;
  const tags = async () =>
    (await docker.listImages({ filters: { reference: [`${source.repository}:*`] } })).flatMap(
      ({ RepoTags }) => RepoTags ?? [],
    );

  beforeAll(async () => {
    docker = (await connectToEngine()).docker;
  });

  beforeEach(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tierbench-test-image-'));
    source = { folder, repository: `tierbench-test/${randomBytes(6).toString('hex')}` };
    await writeFile(join(folder, 'Dockerfile'), 'FROM node:24-bookworm-slim\nCOPY . .\n');
    await write('first');
    steps.length = 0;
    return async () => {
      for (const tag of await tags()) await docker.getImage(tag).remove({ force: true });
      await rm(folder, { recursive: true });
    };
  });

  it('is built once, and again when a file of it changes', async () => {
    const first = await have();
    expect(steps).toHaveLength(1);
    const built = await idOf(first);
    expect(await have()).toBe(first);
    expect(steps, 'nothing is built the second time').toHaveLength(1);
    expect(await idOf(first)).toBe(built);

    await writeFile(join(source.folder, 'server.test.ts'), 'not part of it');
    expect(await have()).toBe(first);
    await write('second');
    expect(await have()).not.toBe(first);
    await write('first');
    expect(await have()).toBe(first);
    expect(steps).toHaveLength(2);
  });

  it('does not pile up: older ones go, unless a container uses them', async () => {
    const names: string[] = [];
    let used: Awaited<ReturnType<GenericContainer['start']>> | undefined;
    for (let version = 1; version <= 6; version += 1) {
      await write(`version ${version}`);
      names.push(await have());
      if (version === 1) {
        used = await new GenericContainer(names[0] ?? '')
          .withCommand(['sleep', '600'])
          .withWaitStrategy(Wait.forAll([]))
          .start();
      }
    }
    try {
      const kept = await tags();
      expect(kept).toEqual(expect.arrayContaining([names.at(0), names.at(-1)]));
      // The engine knows the time of an image to a second only: which two of the others stay is open.
      expect(kept).toHaveLength(4);
    } finally {
      await used?.stop();
    }
  });

  it('says what went wrong when it cannot be built', async () => {
    await writeFile(
      join(source.folder, 'Dockerfile'),
      'FROM node:24-bookworm-slim\nRUN echo the words of the step; false\n',
    );
    await expect(have()).rejects.toMatchObject({
      code: 'IMAGE_BUILD_FAILED',
      message: expect.stringMatching(/returned a non-zero code: 1[\s\S]*the words of the step/),
    });
  });

  it('stops being built when it is aborted', async () => {
    await writeFile(join(source.folder, 'Dockerfile'), 'FROM node:24-bookworm-slim\nRUN sleep 300\n');
    const controller = new AbortController();
    const reason = new Error('enough');
    const building = haveBuiltImage(docker, source, {
      signal: controller.signal,
      onProgress: () => setTimeout(() => controller.abort(reason), 500),
    });
    await expect(building).rejects.toBe(reason);
  });

  it('is made of the files that .dockerignore lets in, no others', async () => {
    const sent = (await contextFiles(appImage.folder)).filter((file) => file !== '.dockerignore');
    const image = await haveBuiltImage(docker, appImage, { signal, onProgress: () => {} });
    expect(image).toBe(await builtImageName(appImage));
    const lister = await new GenericContainer(image)
      .withCommand(['sh', '-c', 'find . -type f -not -path "./node_modules/*"; echo listed'])
      .withWaitStrategy(Wait.forLogMessage('listed'))
      .start();
    const listed = (await text(await lister.logs())).split('\n').filter((line) => line.startsWith('./'));
    await lister.stop();
    expect(listed.map((line) => line.slice(2)).toSorted()).toEqual(sent.toSorted());
  });
});
