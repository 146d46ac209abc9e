import { arrivalProcesses } from '../../core/load.ts';
import type { LoadEngine } from '../engine.ts';
import { WHOLE } from '../shared/arrivals.ts';
import { checkBaseUrls, checkLoad } from '../shared/check-request.ts';
import { driveTrial } from '../shared/drive-trial.ts';
import { driveInProcesses } from './drive-in-processes.ts';
import type { GeneratorProcesses } from './generator-processes.ts';
import { socketTransport } from './socket-transport.ts';

export interface OpenLoopOptions {
  /** That share the load, each with its part of the users and connections. Default: none, this process drives it. */
  readonly processes?: GeneratorProcesses | undefined;
  /** Open load: iterations in flight at once, each with a connection; arrivals beyond are dropped. Default 10,000. */
  readonly mostConnections?: number;
}

const MOST_CONNECTIONS = 10_000;

/**
 * Our own engine: arrival rates that do not wait for responses, and virtual users that do. HTTP/1.1 on plain sockets.
 * Latency runs from the scheduled start of a request, whatever kept it from being sent.
 *
 * Open load: arrivals are given to the `users` in turns; one that finds no free user or no free connection is dropped.
 */
export function openLoopEngine(options: OpenLoopOptions = {}): LoadEngine {
  return {
    name: 'open-loop',
    supports: new Set(['open', 'closed']),
    arrivals: new Set(arrivalProcesses),
    async run(request, signal, onInterval = () => {}) {
      const { plan } = request;
      checkBaseUrls(plan);
      checkLoad(plan.load, request.users.length);
      const users = plan.load.model === 'closed' ? plan.load.concurrency : request.users.length;
      const mostConnections = plan.load.model === 'closed' ? users : (options.mostConnections ?? MOST_CONNECTIONS);
      const { processes } = options;
      if (processes !== undefined) {
        // None without a user or a connection.
        const count = Math.min(processes.count, users, mostConnections);
        return await driveInProcesses(request, mostConnections, processes, count, signal, onInterval);
      }
      const opening = async () => performance.now();
      const settings = {
        engine: 'open-loop',
        transport: socketTransport(plan),
        mostConnections,
        share: WHOLE,
        opening,
      };
      return await driveTrial(request, settings, signal, onInterval);
    },
  };
}
