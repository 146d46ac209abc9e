import type { StartedContainer } from '../../container-engine/started-container.ts';
import type { Service } from '../../core/tier.ts';
import type { Address } from '../../services/address.ts';
import { images } from '../../services/images.ts';
import { nginxConfiguration } from '../../services/load-balancer.ts';
import { get } from '../http-get.ts';
import type { ContainerDeployment, StartedContainers } from './deployment.ts';
import { startInstances } from './start-instances.ts';

const PORT = 80;
const STATUS_PORT = 8081;

/** `backends` by their addresses: nginx resolves names at its start only. */
export async function startNginx(
  deployment: ContainerDeployment,
  service: Service,
  backends: readonly Address[],
): Promise<StartedContainers> {
  deployment.onProgress(`starting nginx (${service.name})`);
  const version = versionOf(deployment);
  const statusUrl = (container: StartedContainer) => `http://127.0.0.1:${container.port(STATUS_PORT)}/status`;
  return await startInstances(deployment, service, {
    insidePort: PORT,
    spec: (alias) => ({
      alias,
      image: images['load-balancer'],
      // As nginx.conf says it, without the directive the image gives on the command line.
      command: ['nginx'],
      ports: new Map<number, number | undefined>([
        [PORT, undefined],
        [STATUS_PORT, undefined],
      ]),
      resources: service.resources,
      files: {
        '/etc/nginx/nginx.conf': nginxConfiguration(service, {
          listen: String(PORT),
          statusListen: String(STATUS_PORT),
          backends,
          folder: '/tmp',
        }),
      },
    }),
    async ask(container, signal) {
      const { status } = await get(new URL(statusUrl(container)), AbortSignal.any([signal, AbortSignal.timeout(1000)]));
      if (status !== 200) throw new Error(`its status page answers ${status}`);
      return await version;
    },
    accessUrl: statusUrl,
    endedCode: 'SERVER_DID_NOT_START',
    notReadyCode: 'SERVER_DID_NOT_START',
  });
}

/** Public images state it in their environment; otherwise the tag says it roughly. */
async function versionOf({ engine }: ContainerDeployment): Promise<string> {
  const image = images['load-balancer'];
  const { Config } = await engine.docker.getImage(image).inspect();
  const stated = Config.Env?.map((variable) => /^NGINX_VERSION=(.+)$/.exec(variable)?.[1]).find(Boolean);
  return `nginx ${stated ?? image.split(':')[1]}`;
}
