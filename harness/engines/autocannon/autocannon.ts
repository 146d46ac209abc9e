import { TierbenchError } from '../../core/errors.ts';
import { describeLoad } from '../../core/load.ts';
import { ownModule } from '../../machine/own-package.ts';
import type { LoadEngine } from '../engine.ts';
import { type NodeEngineOptions, nodeEngine } from '../shared/node-engine.ts';

/**
 * Closed load by autocannon: one connection for each virtual user. autocannon sends and parses; what to send, when, and
 * what it took is ours. It is never given a rate, because then it reports about half of the real latency.
 */
export function autocannonEngine(options: Pick<NodeEngineOptions, 'processes'> = {}): LoadEngine {
  const kind = {
    name: 'autocannon',
    supports: new Set(['closed'] as const),
    arrivals: new Set<never>(),
    transport: ownModule('./autocannon-transport', import.meta.url),
  };
  const engine = nodeEngine(kind, options);
  return {
    ...engine,
    async run(request, signal, onInterval) {
      const { load } = request.plan;
      if (load.model === 'closed') return await engine.run(request, signal, onInterval);
      throw new TierbenchError(
        'LOAD_MODEL_NOT_SUPPORTED',
        `autocannon cannot offer ${describeLoad(load)}: with a rate it reports wrong latencies.`,
        'Ask for a concurrency, or choose an engine that offers arrival rates.',
        { remedy: 'other-engine' },
      );
    },
  };
}
