import { setTimeout as delay } from 'node:timers/promises';
import type Docker from 'dockerode';

/** On everything of a deployment, with the name of its network. */
export const DEPLOYMENT_LABEL = 'tierbench.deployment';

const REMOVE_LIMIT_S = 30;
const POLL_S = 0.1;

/** Removes all containers of a deployment at once, in whatever state they are, then its networks and volumes. */
export async function removeDeployment(docker: Docker, name: string): Promise<void> {
  const filters = { label: [`${DEPLOYMENT_LABEL}=${name}`] };
  const containers = await docker.listContainers({ all: true, filters });
  await Promise.all(
    containers.map(({ Id }) => untilGone(() => docker.getContainer(Id).remove({ force: true, v: true }))),
  );
  const [networks, { Volumes }] = await Promise.all([
    docker.listNetworks({ filters }),
    docker.listVolumes({ filters }),
  ]);
  await Promise.all([
    ...networks.map(({ Id }) => untilGone(() => docker.getNetwork(Id).remove())),
    ...(Volumes ?? []).map((volume) => untilGone(() => docker.getVolume(volume.Name).remove())),
  ]);
}

/** Another may remove it at the same time; what is in use is so for a moment. */
async function untilGone(remove: () => Promise<unknown>): Promise<void> {
  const until = performance.now() + REMOVE_LIMIT_S * 1000;
  for (;;) {
    try {
      await remove();
      return;
    } catch (error) {
      const { statusCode = 0 } = error as { statusCode?: number };
      if (statusCode === 404) return;
      if (![403, 409].includes(statusCode) || performance.now() > until) throw error;
      await delay(POLL_S * 1000);
    }
  }
}
