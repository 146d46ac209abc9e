import type { LoadEngine } from '../engine.ts';
import { WHOLE } from './arrivals.ts';
import { checkBaseUrls, checkLoad } from './check-request.ts';
import { driveInProcesses } from './drive-in-processes.ts';
import { driveTrial } from './drive-trial.ts';
import type { GeneratorProcesses } from './generator-processes.ts';
import { loadTransport } from './transport.ts';

export interface NodeEngineOptions {
  /** That share the load, each with its part of the users and connections. Default: none, this process drives it. */
  readonly processes?: GeneratorProcesses | undefined;
  /** Open load: iterations in flight at once, each with a connection; arrivals beyond are dropped. Default 10,000. */
  readonly mostConnections?: number;
}

/** What distinguishes an engine that runs in Node from the others. */
interface NodeEngineKind extends Pick<LoadEngine, 'name' | 'supports' | 'arrivals'> {
  /** Of a module as `loadTransport` takes it. */
  readonly transport: URL;
}

const MOST_CONNECTIONS = 10_000;

/**
 * An engine that runs in Node: one life cycle for all, whatever sends the requests.
 *
 * Open load: arrivals are given to the `users` in turns; one that finds no free user or no free connection is dropped.
 */
export function nodeEngine(
  { name, supports, arrivals, transport: { href: transport } }: NodeEngineKind,
  { processes, mostConnections: mostOfOpenLoad = MOST_CONNECTIONS }: NodeEngineOptions,
): LoadEngine {
  return {
    name,
    supports,
    arrivals,
    async run(request, signal, onInterval = () => {}) {
      const { plan } = request;
      checkBaseUrls(plan);
      checkLoad(plan.load, request.users.length);
      const users = plan.load.model === 'closed' ? plan.load.concurrency : request.users.length;
      const mostConnections = plan.load.model === 'closed' ? users : mostOfOpenLoad;
      if (processes !== undefined) {
        // None without a user or a connection.
        const count = Math.min(processes.count, users, mostConnections);
        const settings = { engine: name, transport, mostConnections, processes, count };
        return await driveInProcesses(request, settings, signal, onInterval);
      }
      const settings = {
        engine: name,
        transport: await loadTransport(transport, plan, { mostConnections, share: WHOLE }),
        mostConnections,
        share: WHOLE,
        opening: async () => performance.now(),
      };
      return await driveTrial(request, settings, signal, onInterval);
    },
  };
}
