import type { StartedContainer } from '../../container-engine/started-container.ts';
import type { Service } from '../../core/tier.ts';
import { type Address, postgresUrl } from '../../services/address.ts';
import { images } from '../../services/images.ts';
import { pgbouncerConfiguration, pgbouncerUserList } from '../../services/pooler.ts';
import { askPostgres } from '../answers.ts';
import type { ContainerDeployment, StartedContainers } from './deployment.ts';
import { startInstances } from './start-instances.ts';

const PORT = 5432;
const USER_LIST = '/etc/pgbouncer/userlist.txt';

/** `database` by its address: PgBouncer keeps what it once learned of a name, also that there is none. */
export async function startPgbouncer(
  deployment: ContainerDeployment,
  service: Service,
  database: Address,
): Promise<StartedContainers> {
  const { credentials } = deployment;
  deployment.onProgress(`starting PgBouncer (${service.name})`);
  const consoleUrl = (container: StartedContainer) =>
    postgresUrl({ host: '127.0.0.1', port: container.port(PORT) }, { ...credentials, database: 'pgbouncer' });
  return await startInstances(deployment, service, {
    insidePort: PORT,
    spec: (alias) => ({
      alias,
      image: images.pooler,
      ports: new Map([[PORT, undefined]]),
      resources: service.resources,
      files: {
        '/etc/pgbouncer/pgbouncer.ini': pgbouncerConfiguration(service, {
          listen: { host: '0.0.0.0', port: PORT },
          database,
          credentials,
          userListFile: USER_LIST,
        }),
        [USER_LIST]: pgbouncerUserList(credentials),
      },
    }),
    ask: async (container) => String((await askPostgres(consoleUrl(container), 'show version')).version),
    accessUrl: consoleUrl,
    endedCode: 'SERVER_DID_NOT_START',
    notReadyCode: 'SERVER_DID_NOT_START',
  });
}
