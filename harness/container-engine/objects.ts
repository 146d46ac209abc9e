import { setTimeout as delay } from 'node:timers/promises';
import { askEngine, type EngineAddress, EngineError } from './engine.ts';

/** A container, network or volume. */
export interface EngineObject {
  readonly kind: 'container' | 'network' | 'volume';
  readonly id: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Finding things must not hold up a command; stopping a container that writes takes the engine some seconds. */
const LIST_LIMIT_S = 3;
const REMOVE_LIMIT_S = 30;
const POLL_S = 0.1;

/**
 * Everything with a label (`name` or `name=value`): containers first, as the rest cannot be removed before them.
 * @throws Error when the engine does not answer.
 */
export async function labelledObjects(
  address: EngineAddress,
  label: string,
  limitS = LIST_LIMIT_S,
): Promise<readonly EngineObject[]> {
  const filters = encodeURIComponent(JSON.stringify({ label: [label] }));
  const list = (path: string) => askEngine(address, 'GET', path, limitS);
  const [containers, networks, volumes] = await Promise.all([
    list(`/containers/json?all=1&filters=${filters}`) as Promise<{ Id: string; Names: string[]; Labels: Labels }[]>,
    list(`/networks?filters=${filters}`) as Promise<{ Id: string; Name: string; Labels: Labels }[]>,
    list(`/volumes?filters=${filters}`) as Promise<{ Volumes: { Name: string; Labels: Labels }[] | null }>,
  ]);
  return [
    ...containers.map(({ Id, Names, Labels }) => seen('container', Id, Names[0]?.replace(/^\//, '') ?? Id, Labels)),
    ...networks.map(({ Id, Name, Labels }) => seen('network', Id, Name, Labels)),
    ...(volumes.Volumes ?? []).map(({ Name, Labels }) => seen('volume', Name, Name, Labels)),
  ];
}

/** Whatever state it is in. Resolves when it is gone, also when another removes it at the same time. */
export async function removeObject(
  address: EngineAddress,
  { kind, id }: Pick<EngineObject, 'kind' | 'id'>,
): Promise<void> {
  const path = {
    container: `/containers/${id}?force=1&v=1`,
    network: `/networks/${id}`,
    volume: `/volumes/${id}?force=1`,
  };
  const until = performance.now() + REMOVE_LIMIT_S * 1000;
  for (;;) {
    try {
      await askEngine(address, 'DELETE', path[kind], REMOVE_LIMIT_S);
      return;
    } catch (error) {
      const status = error instanceof EngineError ? error.status : 0;
      if (status === 404) return;
      // In use by what is being removed, or being removed itself.
      if (![403, 409].includes(status) || performance.now() > until) throw error;
      await delay(POLL_S * 1000);
    }
  }
}

/** Removes each object, networks and volumes after the containers that use them; `removed` is called after each. */
export async function removeObjects<Object extends EngineObject>(
  address: EngineAddress,
  objects: readonly Object[],
  removed: (object: Object, error: Error | undefined) => void,
): Promise<void> {
  for (const kind of ['container', 'network', 'volume'] as const) {
    await Promise.all(
      objects
        .filter((object) => object.kind === kind)
        .map(async (object) => {
          const error = await removeObject(address, object).then(
            () => undefined,
            (cause: Error) => cause,
          );
          removed(object, error);
        }),
    );
  }
}

/** On everything of a deployment, with the name of its network. */
export const DEPLOYMENT_LABEL = 'tierbench.deployment';

/** Removes all containers of a deployment at once, in whatever state they are, then its networks and volumes. */
export async function removeDeployment(address: EngineAddress, name: string): Promise<void> {
  const objects = await labelledObjects(address, `${DEPLOYMENT_LABEL}=${name}`, REMOVE_LIMIT_S);
  const errors: Error[] = [];
  await removeObjects(address, objects, (_, error) => {
    if (error !== undefined) errors.push(error);
  });
  if (errors[0] !== undefined) throw errors[0];
}

type Labels = Readonly<Record<string, string>> | null;

function seen(kind: EngineObject['kind'], id: string, name: string, labels: Labels): EngineObject {
  return { kind, id, name, labels: labels ?? {} };
}
