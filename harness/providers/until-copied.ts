import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { ProbeTarget } from '../core/deployment.ts';
import { TierbenchError } from '../core/errors.ts';

/** How long a replica may take to have what was just written, in seconds. */
const LIMIT_S = 120;
const POLL_S = 0.05;
/** How long one question may take while the databases are busy. */
const ANSWER_LIMIT_S = 20;

/**
 * Resolves when every copy has all that its original has now: lists would be empty before.
 * @throws TierbenchError REPLICA_BEHIND
 */
export async function untilCopied(probes: readonly ProbeTarget[], signal: AbortSignal): Promise<void> {
  const limit = AbortSignal.timeout(LIMIT_S * 1000);
  for (const { probe, source, url, peerUrl } of probes) {
    if (probe !== 'replication' || peerUrl === undefined) continue;
    const position = await ask(peerUrl, 'select pg_current_wal_lsn()::text as answer', signal);
    const question = `select pg_last_wal_replay_lsn() >= '${position}'::pg_lsn as answer`;
    while ((await ask(url, question, signal)) !== true) {
      if (limit.aborted) {
        throw new TierbenchError(
          'REPLICA_BEHIND',
          `${source} did not have what its primary has within ${LIMIT_S} s`,
          'Give the replica more CPU and memory in the tier file, or seed less.',
        );
      }
      await delay(POLL_S * 1000);
    }
  }
}

async function ask(url: string, question: string, signal: AbortSignal): Promise<unknown> {
  signal.throwIfAborted();
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: ANSWER_LIMIT_S * 1000,
    query_timeout: ANSWER_LIMIT_S * 1000,
  });
  client.on('error', () => {});
  const stop = () => destroySocket(client);
  signal.addEventListener('abort', stop, { once: true });
  try {
    await client.connect();
    return (await client.query<{ answer: unknown }>(question)).rows[0]?.answer;
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
    await closeAtOnce(client);
  }
}

/** `end` alone would wait for the server to close the connection, which a paused server does not do. */
async function closeAtOnce(client: pg.Client): Promise<void> {
  destroySocket(client);
  await client.end().catch(() => undefined);
}

/** Calls in flight reject. */
function destroySocket(client: pg.Client): void {
  (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
}
