import type { StartedContainer } from '../../container-engine/started-container.ts';
import type { Service } from '../../core/tier.ts';
import { redisConfiguration } from '../../services/cache.ts';
import { images } from '../../services/images.ts';
import { askRedis } from '../answers.ts';
import type { ContainerDeployment, StartedContainers } from './deployment.ts';
import { startInstances } from './start-instances.ts';

const PORT = 6379;
const CONFIGURATION = '/etc/tierbench/redis.conf';

/** Keeps nothing: killed and started again it is empty. */
export async function startRedis(
  deployment: ContainerDeployment,
  service: Service,
  password: string,
): Promise<StartedContainers> {
  const { port, ...settings } = service.settings;
  deployment.onProgress(`starting Redis (${service.name})`);
  const urlOf = (container: StartedContainer) => `redis://:${password}@127.0.0.1:${container.port(PORT)}`;
  return await startInstances(deployment, service, {
    insidePort: PORT,
    spec: (alias) => ({
      alias,
      image: images.cache,
      command: ['redis-server', CONFIGURATION],
      ports: new Map([[PORT, port === undefined ? undefined : Number(port)]]),
      resources: service.resources,
      dataFolder: '/data',
      files: {
        [CONFIGURATION]: redisConfiguration(
          { ...service, settings },
          { listen: { host: '0.0.0.0', port: PORT }, password, folder: '/data' },
        ),
      },
    }),
    ask: async (container) => `Redis ${await askRedis(urlOf(container))}`,
    accessUrl: urlOf,
    endedCode: 'SERVER_DID_NOT_START',
    notReadyCode: 'SERVER_DID_NOT_START',
  });
}
