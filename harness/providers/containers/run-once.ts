import { type ContainerContext, type ContainerSpec, startContainer } from '../../container-engine/container.ts';
import { removeObject } from '../../container-engine/objects.ts';

/**
 * Runs a container to its end and removes it. Aborting ends it.
 * Resolves with what went wrong; undefined when nothing did.
 */
export async function runOnce(context: ContainerContext, spec: ContainerSpec): Promise<string | undefined> {
  const { engine, signal } = context;
  const container = await startContainer(context, spec);
  // A deployment that was aborted removes all its containers at the same time.
  const remove = () => removeObject(engine.address, { kind: 'container', id: container.id });
  const stop = () => void remove().catch(() => {});
  signal.addEventListener('abort', stop, { once: true });
  // It may have been aborted while the container came to run.
  if (signal.aborted) stop();
  const { exitCode, what } = await container.ended();
  signal.removeEventListener('abort', stop);
  signal.throwIfAborted();
  await remove();
  return exitCode === 0 ? undefined : what;
}
