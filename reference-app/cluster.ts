import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import { extname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { AggregatorRegistry } from 'prom-client';
import type { MetricValues, ToPrimary, ToWorker } from './cluster-messages.ts';
import type { Config } from './config.ts';
import type { Instance } from './instance.ts';

const metricsTimeoutMs = 2000;
const restartDelayMs = 1000;

/** INSTANCES processes on one port. One that dies is started again. */
export async function startCluster(config: Config): Promise<Instance> {
  cluster.setupPrimary({ exec: fileURLToPath(new URL(`./worker${extname(import.meta.url)}`, import.meta.url)) });
  const collect = createMetricsCollector();
  // All instances must accept each other's tokens, also when the secret was made at random.
  const startWorker = () => cluster.fork({ JWT_SECRET: config.JWT_SECRET });
  const workers = new Set<Worker>();
  let stopping = false;

  function add(worker: Worker): Worker {
    workers.add(worker);
    worker.on('message', (message: ToPrimary) => collect(worker, message));
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

/** Adds the metrics of all workers together for the one that was asked. One that does not answer is left out. */
function createMetricsCollector(): (from: Worker, message: ToPrimary) => void {
  const collections = new Map<number, { missing: number; metrics: MetricValues[]; finish: () => void }>();
  let lastId = 0;

  function collectFor(asker: Worker, askerId: number): void {
    const workers = Object.values(cluster.workers ?? {}).filter((worker) => worker?.isConnected()) as Worker[];
    lastId += 1;
    const id = lastId;
    const metrics: MetricValues[] = [];
    const timeout = setTimeout(() => finish(), metricsTimeoutMs);
    async function finish(): Promise<void> {
      clearTimeout(timeout);
      collections.delete(id);
      send(asker, { kind: 'all-metrics', id: askerId, text: await AggregatorRegistry.aggregate(metrics).metrics() });
    }
    collections.set(id, { missing: workers.length, metrics, finish });
    for (const worker of workers) send(worker, { kind: 'read-metrics', id });
  }

  return (from, message) => {
    if (message.kind === 'want-all-metrics') collectFor(from, message.id);
    if (message.kind !== 'metrics') return;
    const collection = collections.get(message.id);
    if (collection === undefined) return;
    collection.metrics.push(message.metrics);
    collection.missing -= 1;
    if (collection.missing === 0) collection.finish();
  };
}
