import { arrivalProcesses } from '../../core/load.ts';
import { ownModule } from '../../machine/own-package.ts';
import type { LoadEngine } from '../engine.ts';
import { type NodeEngineOptions, nodeEngine } from '../shared/node-engine.ts';

/**
 * Our own engine: arrival rates that do not wait for responses, and virtual users that do. HTTP/1.1 on plain sockets.
 * Latency runs from the scheduled start of a request, whatever kept it from being sent.
 */
export function openLoopEngine(options: NodeEngineOptions = {}): LoadEngine {
  const kind = {
    name: 'open-loop',
    supports: new Set(['open', 'closed'] as const),
    arrivals: new Set(arrivalProcesses),
    transport: ownModule('./socket-transport', import.meta.url),
  };
  return nodeEngine(kind, options);
}
