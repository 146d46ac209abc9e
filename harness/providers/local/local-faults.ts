import type { InstanceFailures } from '../instance-failures.ts';
import type { FaultControl } from '../provider.ts';
import type { LocalServer } from './local-server.ts';

/** Makes the servers of a deployment fail, by the names of their instances. */
export function localFaults(servers: ReadonlyMap<string, LocalServer>, failures: InstanceFailures): FaultControl {
  function serverOf(instance: string): LocalServer {
    const server = servers.get(instance);
    if (server === undefined) throw new Error(`there is no instance '${instance}'`);
    return server;
  }
  return {
    async kill(instance) {
      const server = serverOf(instance);
      if (server.processIds().length === 0) return;
      failures.expectEnd(instance);
      await server.kill();
    },
    async start(instance) {
      const server = serverOf(instance);
      if (server.processIds().length > 0) return;
      await server.start();
      failures.watch(instance, server.ended());
    },
    async pause(instance) {
      const server = serverOf(instance);
      const paused = new Set<number>();
      // The main process first. Until it has stopped it may have started another one.
      for (;;) {
        const others = server.processIds().filter((processId) => !paused.has(processId));
        if (others.length === 0) return;
        for (const processId of others) {
          signal(processId, 'SIGSTOP');
          paused.add(processId);
        }
      }
    },
    async resume(instance) {
      for (const processId of serverOf(instance).processIds()) signal(processId, 'SIGCONT');
    },
  };
}

function signal(processId: number, name: 'SIGSTOP' | 'SIGCONT'): void {
  try {
    process.kill(processId, name);
  } catch (error) {
    // It has ended meanwhile.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
