import { Agent } from 'node:http';
import type { RunningInstance, RunningService } from '../core/deployment.ts';
import { fetchText } from './http-text.ts';
import type { Probe, Reading } from './probe.ts';

const TIMEOUT_S = 5;

/** What prom-client's sampling timer takes when nothing lags; it is part of what it reports. */
const EVENT_LOOP_SAMPLING_S = 0.01;

export interface MetricLine {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/**
 * What each instance of the API says of itself at `/metrics`: `event-loop-lag-p99` since the last reading, the pools
 * (`pool-size`, `pool-in-use`, `pool-waiting`, all pools together), password hashes (`password-hashes-waiting`,
 * `password-hashes-in-use`), and reads through the cache per second (`cache-hits`, `cache-misses`). What an API does not
 * export is left out.
 */
export function appMetricsProbe(services: readonly RunningService[]): Probe {
  const instances = services.filter(({ kind }) => kind === 'api').flatMap((service) => service.instances);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const before = new Map<string, { readonly atMs: number; readonly lines: readonly MetricLine[] }>();

  async function readInstance(instance: RunningInstance): Promise<readonly Reading[]> {
    const lines = parseMetrics(
      await fetchText(
        `GET /metrics of ${instance.name}`,
        `http://${instance.host}:${instance.port}/metrics`,
        agent,
        TIMEOUT_S,
      ),
    );
    const atMs = performance.now();
    const last = before.get(instance.name);
    before.set(instance.name, { atMs, lines });
    const elapsedS = last === undefined ? 0 : (atMs - last.atMs) / 1000;
    const gauge = (metric: string, unit: Reading['unit'], value: number | undefined): Reading[] =>
      value === undefined ? [] : [{ source: instance.name, metric, unit, value }];
    const rate = (metric: string, count: (from: readonly MetricLine[]) => number | undefined): Reading[] => {
      const now = count(lines);
      if (last === undefined || now === undefined || elapsedS <= 0) return [];
      return gauge(metric, 'per-second', Math.max(0, now - (count(last.lines) ?? 0)) / elapsedS);
    };
    const lagS = total(lines, 'nodejs_eventloop_lag_p99_seconds');
    return [
      ...gauge('event-loop-lag-p99', 'seconds', lagS === undefined ? lagS : Math.max(0, lagS - EVENT_LOOP_SAMPLING_S)),
      ...gauge('pool-size', 'count', total(lines, 'db_pool_size')),
      ...gauge('pool-in-use', 'count', total(lines, 'db_pool_in_use')),
      ...gauge('pool-waiting', 'count', total(lines, 'db_pool_waiting')),
      ...gauge('password-hashes-waiting', 'count', total(lines, 'password_hash_queue_length')),
      ...gauge('password-hashes-in-use', 'count', total(lines, 'password_hash_in_use')),
      ...rate('cache-hits', (from) => total(from, 'cache_reads_total', { result: 'hit' })),
      ...rate('cache-misses', (from) => total(from, 'cache_reads_total', { result: 'miss' })),
    ];
  }

  return {
    name: 'app-metrics',
    async read() {
      return (await Promise.all(instances.map(readInstance))).flat();
    },
    async [Symbol.asyncDispose]() {
      agent.destroy();
    },
  };
}

/** Reads the Prometheus text format (version 0.0.4). Comments, and lines it does not understand, are passed over. */
export function parseMetrics(exposition: string): MetricLine[] {
  return exposition.split('\n').flatMap((line): MetricLine[] => {
    const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)/.exec(line);
    const value = Number(match?.[3]?.replace('Inf', 'Infinity') ?? Number.NaN);
    if (match?.[1] === undefined || Number.isNaN(value)) return [];
    const labels = [...(match[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(
      ([, name = '', quoted = '']) => [name, unescaped(quoted)] as const,
    );
    return [{ name: match[1], labels: Object.fromEntries(labels), value }];
  });
}

function unescaped(quoted: string): string {
  return quoted.replaceAll(/\\(.)/g, (_, letter: string) => (letter === 'n' ? '\n' : letter));
}

/** The sum over all lines with that name and those labels; undefined when there is none. */
function total(
  lines: readonly MetricLine[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const found = lines.filter(
    (line) => line.name === name && Object.entries(labels).every(([label, value]) => line.labels[label] === value),
  );
  return found.length === 0 ? undefined : found.reduce((sum, { value }) => sum + value, 0);
}
