import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { overRedis } from '../../test-support/instance-access.ts';
import { measured, readUntil, startSilentServer } from '../../test-support/readings.ts';
import { lacks } from '../../test-support/requirements.ts';
import { startTestServer, type TestServer } from '../../test-support/servers.ts';
import { probeContract } from '../contracts/probes/probe-contract.ts';
import { redisProbe } from './redis.ts';

const LIMIT_BYTES = 4 * 2 ** 20;

describe.skipIf(lacks('redis'))('Redis from inside (needs redis-server)', () => {
  let redis: TestServer;
  beforeAll(async () => {
    const settings = { maxmemory: '4mb', 'maxmemory-policy': 'allkeys-lru' };
    redis = await startTestServer('cache', { settings });
  });
  afterAll(async () => {
    await redis?.[Symbol.asyncDispose]();
  });

  const newProbe = () => redisProbe({ url: redis.url, source: 'cache/1' });

  it('counts keys found and not found', async () => {
    await using probe = newProbe();
    await overRedis(redis.url, 10, async (client) => {
      await client.set('there', '1');
      const first = await probe.read();
      expect(measured(first, 'connections')).toBe(1);
      for (let read = 1; read <= 3; read += 1) await client.get('there');
      await client.get('not there');
      const readings = await probe.read();
      expect(measured(readings, 'key-hits')).toBeCloseTo((measured(readings, 'key-misses') ?? 0) * 3);
      expect(measured(readings, 'commands')).toBeCloseTo((measured(readings, 'key-misses') ?? 0) * 4);
    });
    const idle = await probe.read();
    expect(measured(idle, 'key-hits')).toBe(0);
  });

  it('does not count its own questions', async () => {
    await using probe = newProbe();
    await probe.read();
    const readings = await probe.read();
    expect(measured(readings, 'commands')).toBe(0);
    expect(measured(readings, 'connections')).toBe(0);
  });

  it('shows memory near its limit, and what has to go for it', async () => {
    await using probe = newProbe();
    await probe.read();
    await overRedis(redis.url, 10, async (client) => {
      for (let key = 0; key < 80; key += 1) await client.set(`key ${key}`, 'x'.repeat(100_000));
    });
    const readings = await probe.read();
    expect(measured(readings, 'data-memory-limit')).toBe(LIMIT_BYTES);
    expect(measured(readings, 'data-memory')).toBeGreaterThan(LIMIT_BYTES / 2);
    expect(measured(readings, 'evictions')).toBeGreaterThan(0);
  });

  it('connects again each time Redis comes back, and leaves no connection behind', async () => {
    const probe = newProbe();
    for (let cut = 0; cut < 5; cut += 1) {
      await probe.read();
      await redis.kill();
      await expect(probe.read()).rejects.toThrow(/\w/);
      await redis.start();
      await readUntil(probe, (each) => each.length > 0);
    }
    const probes = () =>
      overRedis(redis.url, 10, async (client) => {
        const list = (await client.client('LIST')) as string;
        return list.split('\n').filter((line) => line.includes('name=tierbench-probe')).length;
      });
    expect(await probes()).toBe(1);
    await probe[Symbol.asyncDispose]();
    await expect.poll(probes).toBe(0);
  });

  it('says what is wrong, without the password', async () => {
    const wrong = new URL(redis.url);
    wrong.password = 'guessed-password';
    await using probe = redisProbe({ url: wrong.href, source: 'cache/1' });
    const error = await probe.read().catch((reason) => reason);
    expect(error.message).toMatch(/WRONGPASS|NOAUTH|password|auth/i);
    expect(error.message).not.toContain('guessed-password');
  });

  probeContract(
    'redis',
    async () => ({ probe: newProbe(), async [Symbol.asyncDispose]() {} }),
    async () => {
      const silent = await startSilentServer();
      return {
        probe: redisProbe({ url: `redis://:none@127.0.0.1:${silent.port}`, source: 'cache/1' }),
        [Symbol.asyncDispose]: () => silent[Symbol.asyncDispose](),
      };
    },
  );
});
