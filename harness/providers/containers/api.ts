import type { StartedContainer } from '../../container-engine/started-container.ts';
import type { Service } from '../../core/tier.ts';
import { type ApiConnections, apiEnvironment } from '../../services/api.ts';
import { get } from '../http-get.ts';
import type { ContainerDeployment, StartedContainers } from './deployment.ts';
import { environmentFile } from './environment-file.ts';
import { startInstances } from './start-instances.ts';

const PORT = 3000;
/** Secrets in a file of the container: its environment is shown to whoever may use the engine. */
export const SECRETS_FILE = '/etc/tierbench/secrets.env';
const ANSWER_MS = 5000;

export async function startApi(
  deployment: ContainerDeployment,
  service: Service,
  connections: ApiConnections,
): Promise<StartedContainers> {
  const { PORT: askedPort, ...settings } = service.settings;
  const image = await deployment.appImage;
  deployment.onProgress(`starting the API (${service.name})`);
  const { NODE_ENV: _, ...secrets } = apiEnvironment({ ...service, settings: {} }, connections);
  // What stands in the environment would win over the file.
  const visible = Object.entries(settings).flatMap(([name, value]) => (name in secrets ? [] : [[name, String(value)]]));
  const urlOf = (container: StartedContainer) => `http://127.0.0.1:${container.port(PORT)}`;
  return await startInstances(deployment, service, {
    insidePort: PORT,
    spec: (alias) => ({
      alias,
      image,
      command: ['node', `--env-file=${SECRETS_FILE}`, 'server.ts'],
      environment: { ...Object.fromEntries(visible), NODE_ENV: 'production', HOST: '0.0.0.0', PORT: String(PORT) },
      files: { [SECRETS_FILE]: environmentFile(secrets) },
      ports: new Map([[PORT, askedPort === undefined ? undefined : Number(askedPort)]]),
      resources: service.resources,
    }),
    async ask(container, signal) {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]);
      const { status, body } = await get(new URL('/ready', urlOf(container)), limit);
      if (status !== 200) throw new Error(`${status} from /ready ${body}`.trim());
      return image;
    },
    accessUrl: urlOf,
    endedCode: 'API_DID_NOT_START',
    notReadyCode: 'API_NOT_READY',
  });
}
