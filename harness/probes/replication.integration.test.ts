import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { overPostgres } from '../../test-support/instance-access.ts';
import { measured, readUntil, startSilentServer } from '../../test-support/readings.ts';
import { startTestPostgres, startTestReplica } from '../../test-support/servers.ts';
import { probeContract } from '../contracts/probes/probe-contract.ts';
import type { Reading } from './probe.ts';
import { replicationProbe } from './replication.ts';

type Server = Awaited<ReturnType<typeof startTestPostgres>>;

let primary: Server;
let replica: Server;
beforeAll(async () => {
  primary = await startTestPostgres();
  replica = await startTestReplica(primary);
  await on(primary, 'create table notes (text text)');
});
afterAll(async () => {
  await replica?.[Symbol.asyncDispose]();
  await primary[Symbol.asyncDispose]();
});

const newProbe = (of = replica) => replicationProbe({ primaryUrl: primary.url, url: of.url, source: 'replica/1' });
const on = (server: Server, text: string) => overPostgres(server.url, 10, (client) => client.query(text));
const write = () => on(primary, "insert into notes select repeat('x', 1000) from generate_series(1, 100)");

/** Each end is asked on its own, so a reading may see the one before and the other after a change. */
const isCaughtUp = (readings: readonly Reading[]) =>
  measured(readings, 'replica-lag-bytes') === 0 && measured(readings, 'replica-lag') === 0;

describe('replication from both ends', () => {
  it('is no lag when all is replayed, however long ago that was', async () => {
    await write();
    await using probe = newProbe();
    const readings = await readUntil(probe, isCaughtUp);
    expect(measured(readings, 'replica-unsent-bytes')).toBe(0);
    expect(new Set(readings.map(({ source }) => source))).toEqual(new Set(['replica/1']));
  });

  it('grows in bytes and seconds while the replica does not replay, and goes when it does', async () => {
    await using probe = newProbe();
    await readUntil(probe, isCaughtUp);
    await on(replica, 'select pg_wal_replay_pause()');
    await write();
    const early = await readUntil(probe, (each) => (measured(each, 'replica-lag') ?? 0) > 0);
    expect(measured(early, 'replica-lag-bytes')).toBeGreaterThan(100 * 1000);
    await write();
    await readUntil(probe, (each) => (measured(each, 'replica-lag') ?? 0) > (measured(early, 'replica-lag') ?? 0) + 1);
    const late = await readUntil(probe, (each) => measured(each, 'replica-unsent-bytes') === 0);
    expect(measured(late, 'replica-lag-bytes')).toBeGreaterThan(200 * 1000);
    await on(replica, 'select pg_wal_replay_resume()');
    await readUntil(probe, isCaughtUp);
  });

  it('is that of the one replica it is asked of', async () => {
    await using second = await startTestReplica(primary);
    await using ofFirst = newProbe();
    await using ofSecond = newProbe(second);
    await on(second, 'select pg_wal_replay_pause()');
    await write();
    await readUntil(ofSecond, (each) => (measured(each, 'replica-lag-bytes') ?? 0) > 100 * 1000);
    await readUntil(ofFirst, isCaughtUp);
    // What it was sent may not have arrived yet.
    await readUntil(ofSecond, (each) => (measured(each, 'replica-lag') ?? 0) > 0);
  });

  it('reads what one server knows while the other is down, and everything when it is back', async () => {
    await using probe = newProbe();
    await readUntil(probe, isCaughtUp);

    await replica.kill();
    await write();
    const withoutReplica = await readUntil(probe, (each) => (measured(each, 'replica-lag-bytes') ?? 0) > 100 * 1000);
    expect(measured(withoutReplica, 'replica-lag')).toBeUndefined();
    await replica.start();
    await readUntil(probe, isCaughtUp);

    await primary.kill();
    const withoutPrimary = await readUntil(probe, (each) => measured(each, 'replica-lag') !== undefined);
    expect(measured(withoutPrimary, 'replica-lag-bytes')).toBeUndefined();
    await replica.kill();
    await expect.poll(() => probe.read().catch(() => 'rejected')).toBe('rejected');

    await primary.start();
    await replica.start();
    await write();
    await readUntil(probe, isCaughtUp);
  });

  it('does not wait for ever for a replica that is paused', async () => {
    await using probe = newProbe();
    await readUntil(probe, isCaughtUp);
    const signal = (name: NodeJS.Signals) => {
      for (const processId of replica.processIds()) {
        try {
          process.kill(processId, name);
        } catch {
          // It has just ended.
        }
      }
    };
    signal('SIGSTOP');
    await write();
    const paused = await probe.read();
    expect(measured(paused, 'replica-lag')).toBeUndefined();
    expect(measured(await probe.read(), 'replica-lag-bytes')).toBeGreaterThan(100 * 1000);
    signal('SIGCONT');
    await readUntil(probe, isCaughtUp);
  });

  it('leaves no connection behind, however often one was cut', async () => {
    const probe = newProbe();
    const own = "from pg_stat_activity where application_name = 'tierbench probe'";
    for (let cut = 0; cut < 10; cut += 1) {
      await readUntil(probe, (each) => measured(each, 'replica-lag-bytes') !== undefined);
      for (const server of [primary, replica]) await on(server, `select pg_terminate_backend(pid) ${own}`);
    }
    await probe[Symbol.asyncDispose]();
    const open = async (server: Server) => (await on(server, `select count(*)::int as open ${own}`)).rows[0].open;
    await expect.poll(async () => (await open(primary)) + (await open(replica))).toBe(0);
  });
});

probeContract(
  'replication',
  async () => ({ probe: newProbe(), async [Symbol.asyncDispose]() {} }),
  async () => {
    const silent = await startSilentServer();
    const url = `postgres://nobody:none@127.0.0.1:${silent.port}/none`;
    return {
      probe: replicationProbe({ primaryUrl: url, url, source: 'replica/1' }),
      [Symbol.asyncDispose]: () => silent[Symbol.asyncDispose](),
    };
  },
);
