import { describe, expect, it } from 'vitest';
import type { Problem } from '../harness/core/errors.ts';
import { readSweep, readVariants } from './sweep-option.ts';

function sweepOf(...words: readonly string[]) {
  const problems: Problem[] = [];
  const sweep = readSweep(words, problems);
  return { sweep, problems };
}

describe('--sweep', () => {
  it('reads numbers, switches and text', () => {
    expect(sweepOf('api.instances=1, 2,2', 'api.RATE_LIMIT=off,true', 'api.memory=512MiB').sweep).toEqual([
      { service: 'api', setting: 'instances', values: [1, 2] },
      { service: 'api', setting: 'RATE_LIMIT', values: ['off', true] },
      { service: 'api', setting: 'memory', values: ['512MiB'] },
    ]);
  });

  it('names every problem at once', () => {
    expect(sweepOf('api', 'api.cpus=', 'api.cpus=1,2', 'api.cpus=3').problems).toHaveLength(3);
    expect(sweepOf('api.instances=1,2,3,4,5,6,7,8', 'api.cpus=1,2,3,4,5,6,7').problems).toHaveLength(1);
  });
});

describe('subjects of a sweep', () => {
  it('are the tier with each combination, the ends of each setting first', async () => {
    const { sweep } = sweepOf('api.instances=1,2,3', 'pooler.default_pool_size=8,16');
    const variants = await readVariants(['pooled'], sweep);
    expect(variants.map(({ id }) => id)).toEqual([
      'pooled@api.instances=1,pooler.default_pool_size=8',
      'pooled@api.instances=1,pooler.default_pool_size=16',
      'pooled@api.instances=3,pooler.default_pool_size=8',
      'pooled@api.instances=3,pooler.default_pool_size=16',
      'pooled@api.instances=2,pooler.default_pool_size=8',
      'pooled@api.instances=2,pooler.default_pool_size=16',
    ]);
    const own = variants.find(({ variant }) => variant.every(({ isOwn }) => isOwn));
    expect(own?.id).toBe('pooled@api.instances=2,pooler.default_pool_size=16');
    expect(variants[0]?.tier.name).toBe('pooled');
    expect(variants[0]?.tier.services.find(({ name }) => name === 'api')?.instances).toBe(1);
    expect(variants[0]?.tier.services.find(({ name }) => name === 'pooler')?.settings.default_pool_size).toBe(8);
  });

  it('change CPUs and memory, and know the size of the file in another unit', async () => {
    const [half, whole] = await readVariants(['pooled'], sweepOf('api.cpus=0.5', 'api.memory=512MiB,1024MiB').sweep);
    const resources = [half, whole].map((each) => each?.tier.services.find(({ name }) => name === 'api')?.resources);
    expect(resources).toEqual([
      { cpus: 0.5, memoryBytes: 2 ** 29 },
      { cpus: 0.5, memoryBytes: 2 ** 30 },
    ]);
    expect(whole?.variant.map(({ isOwn }) => isOwn)).toEqual([false, true]);
  });

  it('are services of a kind where none has that name', async () => {
    const [first] = await readVariants(['single'], sweepOf('primary.max_connections=200').sweep);
    const primaries = first?.tier.services.filter(({ kind }) => kind === 'primary') ?? [];
    expect(primaries.map(({ settings }) => settings.max_connections)).toEqual([200]);
  });

  it('leave a tier without the service as it is', async () => {
    const variants = await readVariants(['single', 'pooled'], sweepOf('pooler.default_pool_size=8').sweep);
    expect(variants.map(({ id }) => id)).toEqual(['single', 'pooled@pooler.default_pool_size=8']);
  });

  it('are refused with the problems of all of them', async () => {
    const { sweep } = sweepOf('api.instances=0,2,x', 'database.max_connections=5');
    const reading = readVariants(['single', 'pooled'], sweep);
    await expect(reading).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
    const whats = await reading.then(
      () => [],
      ({ problems }: { problems: readonly Problem[] }) => problems.map(({ what }) => what),
    );
    for (const part of ['at least 1', "the text 'x'", 'one address', '> 5']) {
      expect(whats).toContainEqual(expect.stringContaining(part));
    }
    expect(whats.filter((what) => what.includes('at least 1'))).toHaveLength(1);
  });

  it('are refused where no tier has the service', async () => {
    await expect(readVariants(['single'], sweepOf('cache.cpus=1').sweep)).rejects.toMatchObject({
      code: 'OPTIONS_INVALID',
      problems: [{ what: expect.stringContaining("'cache'") }],
    });
  });
});
