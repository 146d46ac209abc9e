import { TierbenchError } from '../../core/errors.ts';
import { arrivalProcesses, describeLoad } from '../../core/load.ts';
import { checkBaseUrl } from '../base-url.ts';
import { checkConcurrency } from '../check-concurrency.ts';
import type { LoadEngine, TrialRequest } from '../engine.ts';
import { rateProblem } from './arrivals.ts';
import { driveInProcesses } from './drive-in-processes.ts';
import { driveTrial } from './drive-trial.ts';
import type { GeneratorProcesses } from './generator-processes.ts';
import { WHOLE } from './share.ts';

/** All bounds are explicit: what would go beyond them is dropped or ended, and counted. */
export interface OpenLoopOptions {
  /** That share the load, each with its part of the users and connections. Default: none, this process drives it. */
  readonly processes?: GeneratorProcesses | undefined;
  /** Open load: iterations under way at once, each with a connection; what is due beyond is dropped. Default 10,000. */
  readonly mostConnections?: number;
  /** Default: the timeout of the whole request. */
  readonly connectTimeoutS?: number;
  /** From sending to the first byte of the answer. Default: the timeout of the whole request. */
  readonly firstByteTimeoutS?: number;
  /** Of status line and headers together. Default 64 KiB. */
  readonly mostHeadBytes?: number;
  /** Default 64 MiB. */
  readonly mostBodyBytes?: number;
}

const MOST_CONNECTIONS = 10_000;
const MOST_HEAD_BYTES = 64 * 1024;
const MOST_BODY_BYTES = 64 * 1024 * 1024;

/**
 * Our own engine: arrival rates that do not wait for answers, and virtual users that do. HTTP/1.1 on plain sockets.
 * Latency runs from when a request was due, whatever kept it from being sent.
 *
 * Open load: arrivals are given to the `users` in turns; one that finds no free user or no free connection is dropped.
 */
export function openLoopEngine(options: OpenLoopOptions = {}): LoadEngine {
  return {
    name: 'open-loop',
    supports: new Set(['open', 'closed']),
    arrivals: new Set(arrivalProcesses),
    canThink: true,
    async run(request, signal, onInterval = () => {}) {
      const baseUrl = checkBaseUrl(request.plan.baseUrl);
      const { load, timeoutS } = request.plan;
      checkLoad(request);
      const users = load.model === 'closed' ? load.concurrency : request.users.length;
      const mostConnections = load.model === 'closed' ? users : (options.mostConnections ?? MOST_CONNECTIONS);
      const settings = {
        baseUrl,
        mostConnections,
        timeoutS,
        connectTimeoutS: options.connectTimeoutS ?? timeoutS,
        firstByteTimeoutS: options.firstByteTimeoutS ?? timeoutS,
        mostHeadBytes: options.mostHeadBytes ?? MOST_HEAD_BYTES,
        mostBodyBytes: options.mostBodyBytes ?? MOST_BODY_BYTES,
      };
      const { processes } = options;
      if (processes !== undefined) {
        // None without a user or a connection.
        const count = Math.min(processes.count, users, mostConnections);
        return await driveInProcesses(request, settings, processes, count, signal, onInterval);
      }
      const opening = async () => performance.now();
      return await driveTrial(request, { ...settings, share: WHOLE, opening }, signal, onInterval);
    },
  };
}

/** Throws INVALID_LOAD or TOO_FEW_USERS. */
export function checkLoad({ plan: { load }, users }: TrialRequest): void {
  if (load.model === 'closed') {
    checkConcurrency(load.concurrency, users.length);
    return;
  }
  const problem = rateProblem(load);
  if (problem !== undefined) {
    throw new TierbenchError('INVALID_LOAD', `It cannot be loaded with this: ${problem}.`, 'Ask for another rate.');
  }
  if (users.length === 0) {
    throw new TierbenchError(
      'TOO_FEW_USERS',
      `${describeLoad(load)} needs at least one user, but there is none.`,
      'Give as many users as iterations will be under way at once: arrivals that find none free are dropped.',
    );
  }
}
