/** One of several processes that share the port. It is started and stopped by the primary process. */
import { AggregatorRegistry } from 'prom-client';
import type { ToPrimary, ToWorker } from './cluster.ts';
import { readConfig } from './config.ts';
import { explainFailedStart, startInstance } from './instance.ts';
import { createMetrics } from './plugins/metrics.ts';

const config = readConfig(process.env);
const metrics = createMetrics();
AggregatorRegistry.setRegistries(metrics.registry);
// Answers the primary when it asks for this instance's.
new AggregatorRegistry();
const waiting = new Map<number, PromiseWithResolvers<string>>();
let lastId = 0;

function tell(message: ToPrimary): void {
  if (process.connected) process.send?.(message);
}

/** Of all instances, as the primary puts them together: a scrape reaches only one of them. */
function metricsText(): Promise<string> {
  lastId += 1;
  const id = lastId;
  const answer = Promise.withResolvers<string>();
  waiting.set(id, answer);
  tell({ kind: 'want-all-metrics', id });
  return answer.promise;
}

// A terminal sends its signals to every process of the group; the primary alone decides.
process.on('SIGTERM', () => {});
process.on('SIGINT', () => {});

try {
  const instance = await startInstance(config, { metrics, metricsText });
  const stop = async () => process.exit(await instance.stop());
  process.on('disconnect', stop);
  process.on('message', (message: ToWorker) => {
    if (message.kind === 'stop') return stop();
    // The messages of prom-client come here too.
    if (message.kind !== 'all-metrics') return;
    const answer = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.text === undefined) answer?.reject(new Error('an instance did not tell its metrics'));
    else answer?.resolve(message.text);
  });
} catch (error) {
  process.send?.({ kind: 'failed', problem: explainFailedStart(error, config) } satisfies ToPrimary, () =>
    process.exit(1),
  );
}
