import { setTimeout as delay } from 'node:timers/promises';
import type { InstanceFailures } from '../instance-failures.ts';
import type { FaultControl } from '../provider.ts';
import type { ContainerInstance } from './deployment.ts';
import { isListening } from './is-listening.ts';

const CLOSING_LIMIT_S = 10;
const POLL_S = 0.02;

/** Faults by the engine: SIGKILL and start of a container, and its freezing. */
export function containerFaults(
  instances: ReadonlyMap<string, ContainerInstance>,
  failures: InstanceFailures,
  disposed: AbortSignal,
): FaultControl {
  const named = (name: string) => {
    const instance = instances.get(name);
    if (instance === undefined) throw new Error(`the deployment has no instance '${name}'`);
    return instance;
  };
  return {
    async kill(name) {
      const { container, port } = named(name);
      // Else the next end, which may be by itself, would pass for this one.
      if (!(await container.runs())) return;
      failures.expectEnd(name);
      await container.kill();
      // The engine takes the published port away a moment after the container has ended.
      const until = performance.now() + CLOSING_LIMIT_S * 1000;
      while ((await isListening(port)) && performance.now() < until) await delay(POLL_S * 1000);
    },
    async start(name) {
      const { container, untilReady } = named(name);
      await container.start();
      await untilReady(disposed);
      watchInstance(failures, named(name));
    },
    pause: (name) => named(name).container.pause(),
    async resume(name) {
      const { container, untilReady } = named(name);
      await container.resume();
      await untilReady(disposed);
    },
  };
}

/** Until the container ends that runs now. */
export function watchInstance(failures: InstanceFailures, { name, container }: ContainerInstance): void {
  failures.watch(
    name,
    container.ended().then(({ what }) => what),
  );
}
