/** One of several processes that share the port. It is started and stopped by the primary process. */
import type { ToPrimary, ToWorker } from './cluster-messages.ts';
import { readConfig } from './config.ts';
import { explainFailedStart, startInstance } from './instance.ts';
import { createMetrics } from './plugins/metrics.ts';

const config = readConfig(process.env);
const metrics = createMetrics();
const waiting = new Map<number, (text: string) => void>();
let lastId = 0;

function tell(message: ToPrimary): void {
  if (process.connected) process.send?.(message);
}

/** Of all instances, as the primary puts them together: a scrape reaches only one of them. */
function metricsText(): Promise<string> {
  lastId += 1;
  const id = lastId;
  return new Promise((resolve) => {
    waiting.set(id, resolve);
    tell({ kind: 'want-all-metrics', id });
  });
}

// A terminal sends its signals to every process of the group; the primary alone decides.
process.on('SIGTERM', () => {});
process.on('SIGINT', () => {});

try {
  const instance = await startInstance(config, { metrics, metricsText });
  const stop = async () => process.exit(await instance.stop());
  process.on('disconnect', stop);
  process.on('message', async (message: ToWorker) => {
    if (message.kind === 'stop') return stop();
    if (message.kind === 'read-metrics') {
      tell({ kind: 'metrics', id: message.id, metrics: await metrics.registry.getMetricsAsJSON() });
      return;
    }
    waiting.get(message.id)?.(message.text);
    waiting.delete(message.id);
  });
} catch (error) {
  process.send?.({ kind: 'failed', problem: explainFailedStart(error, config) } satisfies ToPrimary, () =>
    process.exit(1),
  );
}
