import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { AggregatorRegistry } from 'prom-client';
import type { Config } from './config.ts';
import { explainFailedStart, type Instance, startInstance } from './instance.ts';
import { createMetrics } from './plugins/metrics.ts';

/** What the primary process and its workers tell each other. */
type ToWorker =
  | { kind: 'stop' }
  /** Of all instances; without a text when one of them does not answer. */
  | { kind: 'all-metrics'; id: number; text?: string };

type ToPrimary = { kind: 'failed'; problem: string } | { kind: 'want-all-metrics'; id: number };

const restartDelayMs = 1000;

/** INSTANCES processes on one port, which run this program too and join. One that dies is started again. */
export async function startCluster(config: Config): Promise<Instance> {
  const metrics = new AggregatorRegistry();
  // All instances must accept each other's tokens, also when the secret was made at random.
  const startWorker = () => cluster.fork({ JWT_SECRET: config.JWT_SECRET });
  const workers = new Set<Worker>();
  let stopping = false;

  function add(worker: Worker): Worker {
    workers.add(worker);
    worker.on('message', async (message: ToPrimary) => {
      if (message.kind !== 'want-all-metrics') return;
      // A sum without the instance that does not answer would look as if its counts had been reset.
      const text = await metrics.clusterMetrics().catch(() => undefined);
      send(worker, { kind: 'all-metrics', id: message.id, ...(text !== undefined && { text }) });
    });
    worker.on('exit', () => workers.delete(worker));
    return worker;
  }

  function keepAlive(worker: Worker): void {
    worker.on('exit', async (code, signal) => {
      if (stopping) return;
      process.stderr.write(`An instance ended (${signal ?? `exit code ${code}`}); another one is started.\n`);
      await delay(restartDelayMs);
      if (!stopping) keepAlive(add(startWorker()));
    });
  }

  const first = Array.from({ length: config.INSTANCES }, () => add(startWorker()));
  try {
    const [address] = await Promise.all(first.map(listening));
    for (const worker of first) keepAlive(worker);
    return {
      host: address?.address ?? config.HOST,
      port: address?.port ?? config.PORT,
      async stop() {
        stopping = true;
        const ends = [...workers].map((worker) => once(worker, 'exit') as Promise<[number | null]>);
        for (const worker of workers) send(worker, { kind: 'stop' });
        const codes = await Promise.all(ends);
        return codes.every(([code]) => code === 0) ? 0 : 1;
      },
    };
  } catch (error) {
    for (const worker of workers) worker.process.kill('SIGKILL');
    throw error;
  }
}

function listening(worker: Worker): Promise<{ address: string; port: number }> {
  return new Promise((resolve, reject) => {
    worker.once('listening', resolve);
    worker.on('message', (message: ToPrimary) => {
      if (message.kind === 'failed') reject(new Error(message.problem));
    });
    worker.once('exit', (code) => reject(new Error(`an instance ended with exit code ${code} before it listened`)));
  });
}

function send(worker: Worker, message: ToWorker): void {
  if (worker.isConnected()) worker.send(message);
}

/** What each of the processes does: it shares the port, and is stopped by the primary process. */
export async function joinCluster(config: Config): Promise<void> {
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
}
