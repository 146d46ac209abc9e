import type { StartedContainer } from '../../container-engine/started-container.ts';
import type { Service } from '../../core/tier.ts';
import { postgresUrl } from '../../services/address.ts';
import { images } from '../../services/images.ts';
import { postgresFlags } from '../../services/postgres.ts';
import { askPostgres } from '../answers.ts';
import type { ContainerDeployment, StartedContainers } from './deployment.ts';
import { type ServiceStarter, startInstances } from './start-instances.ts';

const PORT = 5432;
const DATA_FOLDER = '/var/lib/postgresql/data';
const PASSWORD_FILE = '/etc/tierbench/password';
const SCRIPT = '/etc/tierbench/postgres.sh';
/** A parallel query shares more memory than the 64 MB a container has by default. */
const SHARED_MEMORY_BYTES = 256 * 1024 ** 2;

/**
 * Makes the database at its first start, and serves it at every start. The image would do so too, but starts a server
 * for settling in and stops it again first, which takes as long as all the rest.
 */
const makeAndServe = `#!/bin/bash
set -euo pipefail
user=$1
shift
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  chmod 0700 "$PGDATA"
  initdb --pgdata="$PGDATA" --username="$user" --pwfile=${PASSWORD_FILE} --auth=scram-sha-256 --encoding=UTF8 \\
    --locale-provider=builtin --builtin-locale=C.UTF-8 --locale=C --no-sync --no-instructions
  printf 'host %s all all scram-sha-256\\n' all replication >> "$PGDATA/pg_hba.conf"
fi
exec postgres "$@"
`;

/** Makes the copy at its first start, and serves it at every start. */
const copyAndServe = `#!/bin/bash
set -euo pipefail
slot=$1 primary=$2 user=$3
shift 3
if [ ! -s "$PGDATA/postgresql.auto.conf" ]; then
  chmod 0700 "$PGDATA"
  PGPASSWORD=$(cat ${PASSWORD_FILE}) pg_basebackup --pgdata="$PGDATA" --host="$primary" --port=${PORT} \\
    --username="$user" --no-password --checkpoint=fast --no-sync --wal-method=stream \\
    --create-slot --slot="$slot" --write-recovery-conf
fi
exec postgres "$@"
`;

/** Durability is left as PostgreSQL ships it, on the engine's disk: a measured commit is a real commit. */
export async function startPrimary(deployment: ContainerDeployment, service: Service): Promise<StartedContainers> {
  const { user, password } = deployment.credentials;
  deployment.onProgress(`starting PostgreSQL (${service.name})`);
  return await startInstances(deployment, service, {
    ...postgresStarter(deployment),
    spec: (alias) => ({
      ...ofBoth(service, alias),
      entrypoint: ['bash', SCRIPT],
      command: [user, ...flagsOf(service)],
      files: { [PASSWORD_FILE]: password, [SCRIPT]: makeAndServe },
    }),
  });
}

/** A streaming copy of the primary, with a slot there so that no change is lost to it. */
export async function startReplica(
  deployment: ContainerDeployment,
  service: Service,
  primary: string,
): Promise<StartedContainers> {
  const { user, password } = deployment.credentials;
  deployment.onProgress(`copying the primary (${service.name})`);
  return await startInstances(deployment, service, {
    ...postgresStarter(deployment),
    spec: (alias) => ({
      ...ofBoth(service, alias),
      entrypoint: ['bash', SCRIPT],
      command: [slotOf(alias), primary, user, ...flagsOf(service)],
      files: { [PASSWORD_FILE]: password, [SCRIPT]: copyAndServe },
    }),
  });
}

function postgresStarter({ credentials }: ContainerDeployment): Omit<ServiceStarter, 'spec'> {
  const accessUrl = (container: StartedContainer) =>
    postgresUrl({ host: '127.0.0.1', port: container.port(PORT) }, credentials);
  return {
    insidePort: PORT,
    async ask(container) {
      const { version } = await askPostgres(
        accessUrl(container),
        `select current_setting('server_version') as version`,
      );
      return `PostgreSQL ${String(version).split(' ')[0]}`;
    },
    accessUrl,
    endedCode: 'POSTGRES_DID_NOT_START',
    notReadyCode: 'POSTGRES_DID_NOT_START',
  };
}

function ofBoth(service: Service, alias: string) {
  return {
    alias,
    image: images[service.kind as keyof typeof images],
    user: 'postgres',
    ports: new Map([[PORT, askedPort(service)]]),
    resources: service.resources,
    dataFolder: DATA_FOLDER,
    sharedMemoryBytes: SHARED_MEMORY_BYTES,
  };
}

/** The port of a tier file is that of this machine; in its container the server has its own. */
function flagsOf(service: Service): readonly string[] {
  return postgresFlags(service, { listen_addresses: '*', port: PORT });
}

function askedPort({ settings: { port } }: Service): number | undefined {
  return port === undefined ? undefined : Number(port);
}

/** PostgreSQL allows lower-case letters, digits and underscores. */
function slotOf(alias: string): string {
  return alias.toLowerCase().replaceAll(/[^a-z0-9_]/g, '_');
}
