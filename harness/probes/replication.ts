import { postgresConnection } from './postgres-connection.ts';
import { type Probe, readingsOf, type Values } from './probe.ts';

/**
 * How far a streaming replica is behind its primary, asked of both: the age of the last transaction it replayed (0 when
 * all it received is replayed), the log that it did not replay, and, while it is connected, the log that it was not sent.
 * When one of the two does not answer, what the other says is given: the position a replica had reached stays known, so
 * that one that is gone is seen to fall behind.
 */
export function replicationProbe(options: {
  /** Of the primary. */
  readonly primaryUrl: string;
  /** Of the replica. */
  readonly url: string;
  /** The replica's instance. */
  readonly source: string;
}): Probe {
  const primary = postgresConnection({ url: options.primaryUrl, limitsStatements: true });
  const replica = postgresConnection({ url: options.url, limitsStatements: true });
  let caughtUpAtMs: number | undefined;
  let known: { readonly slot: string; readonly replayed: string } | undefined;

  const readReplica = () =>
    replica.use(async (client): Promise<Values> => {
      const { rows } = await client.query(`
        select current_setting('primary_slot_name') as slot, pg_last_wal_replay_lsn()::text as replayed,
               coalesce(pg_last_wal_receive_lsn() <= pg_last_wal_replay_lsn(), false) as "caughtUp",
               extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp())::float8 as "ageS"`);
      const [{ slot, replayed, caughtUp, ageS }] = rows;
      if (replayed !== null) known = { slot, replayed };
      const nowMs = performance.now();
      // After a quiet time the last transaction is old, but the replica is not behind for longer than since it was not.
      // One that replayed no transaction yet counts from its first reading.
      if (caughtUp || (caughtUpAtMs === undefined && ageS === null)) caughtUpAtMs = nowMs;
      const longestS = caughtUpAtMs === undefined ? Number.POSITIVE_INFINITY : (nowMs - caughtUpAtMs) / 1000;
      return { 'replica-lag': Math.max(0, Math.min(ageS ?? Number.POSITIVE_INFINITY, longestS)) };
    });

  const readPrimary = () =>
    primary.use(async (client): Promise<Values> => {
      const { rows } = await client.query(
        `select coalesce(slot.slot_name, '') as slot,
                greatest(0, pg_wal_lsn_diff(pg_current_wal_lsn(), sent_lsn))::float8 as "unsentBytes",
                greatest(0, pg_wal_lsn_diff(pg_current_wal_lsn(), coalesce(replay_lsn, $1)))::float8 as "lagBytes",
                greatest(0, pg_wal_lsn_diff(pg_current_wal_lsn(), $1))::float8 as "lagBytesAtLast"
           from (select) as always
           left join (pg_stat_replication as sender left join pg_replication_slots as slot on slot.active_pid = sender.pid)
             on sender.state in ('streaming', 'catchup')`,
        [known?.replayed],
      );
      const connected = rows.filter(({ unsentBytes }) => unsentBytes !== null);
      const named = connected.filter(({ slot }) => slot !== '' && slot === known?.slot);
      // Without a slot only a single one is known to be the one that is meant.
      const own = named[0] ?? (connected.length === 1 && (known?.slot ?? '') === '' ? connected[0] : undefined);
      return {
        'replica-lag-bytes': own?.lagBytes ?? rows[0]?.lagBytesAtLast ?? undefined,
        'replica-unsent-bytes': own?.unsentBytes,
      };
    });

  return {
    name: 'replication',
    async read() {
      const [ofReplica, ofPrimary] = await Promise.allSettled([readReplica(), readPrimary()]);
      if (ofReplica.status === 'rejected' && ofPrimary.status === 'rejected') throw ofReplica.reason;
      const read = [ofReplica, ofPrimary].flatMap((half) => (half.status === 'fulfilled' ? half.value : []));
      return readingsOf(options.source, ...read);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([primary[Symbol.asyncDispose](), replica[Symbol.asyncDispose]()]);
    },
  };
}
