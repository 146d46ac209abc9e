import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { overPostgres } from '../../test-support/instance-access.ts';
import { startTestPostgres, startTestReplica, type TestServer } from '../../test-support/servers.ts';
import type { ProbeTarget } from '../core/deployment.ts';
import { untilCopied } from './until-copied.ts';

const never = new AbortController().signal;
let primary: TestServer;
let replica: TestServer;
let probes: readonly ProbeTarget[];
beforeAll(async () => {
  primary = await startTestPostgres();
  replica = await startTestReplica(primary);
  probes = [
    { probe: 'postgres', source: 'database/1', url: primary.url },
    { probe: 'replication', source: 'replica/1', url: replica.url, peerUrl: primary.url },
  ];
  await on(primary, 'create table notes (text text)');
});
afterAll(async () => {
  await replica?.[Symbol.asyncDispose]();
  await primary?.[Symbol.asyncDispose]();
});

const on = (server: TestServer, text: string) => overPostgres(server.url, 10, (client) => client.query(text));
const notesAt = async (server: TestServer) => (await on(server, 'select text from notes')).rowCount;

describe('waiting for replicas', () => {
  it('lasts until they have what was written', async () => {
    await on(replica, 'select pg_wal_replay_pause()');
    await expect
      .poll(async () => (await on(replica, 'select pg_get_wal_replay_pause_state() as state')).rows)
      .toEqual([{ state: 'paused' }]);
    await on(primary, "insert into notes values ('here')");
    let copied = false;
    const waiting = untilCopied(probes, never).then(() => {
      copied = true;
    });
    await delay(500);
    expect(copied).toBe(false);
    await on(replica, 'select pg_wal_replay_resume()');
    await waiting;
    expect(await notesAt(replica)).toBe(1);
  });

  it('ends at once when it is aborted, also while the replica is paused', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const paused = replica.processIds();
    for (const processId of paused) process.kill(processId, 'SIGSTOP');
    try {
      const waiting = untilCopied(probes, controller.signal);
      await delay(200);
      controller.abort(reason);
      await expect(waiting).rejects.toBe(reason);
    } finally {
      for (const processId of paused) process.kill(processId, 'SIGCONT');
    }
  }, 15_000);

  it('is over at once where there is no replica', async () => {
    await untilCopied(probes.slice(0, 1), never);
  });
});
