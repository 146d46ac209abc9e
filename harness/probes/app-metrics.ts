import { Agent } from 'node:http';
import type { ProbeTarget } from '../core/deployment.ts';
import { fetchText, type Probe, type Reading, readingsOf, rememberCounters } from './probe.ts';

const TIMEOUT_S = 5;

/** What prom-client's sampling timer takes when nothing lags; it is part of what it reports. */
const EVENT_LOOP_SAMPLING_S = 0.01;

export interface MetricLine {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/**
 * What each instance of an app says of itself at its metrics page; the metrics of all its pools are added up. What an app does
 * not export is left out.
 */
export function appMetricsProbe(instances: readonly Pick<ProbeTarget, 'source' | 'url'>[]): Probe {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const memories = new Map(instances.map(({ source }) => [source, rememberCounters<'hits' | 'misses' | 'refused'>()]));

  async function readInstance({ source, url }: Pick<ProbeTarget, 'source' | 'url'>): Promise<readonly Reading[]> {
    const lines = parseMetrics(await fetchText(`the metrics of ${source}`, url, agent, TIMEOUT_S));
    const [hits, misses] = ['hit', 'miss'].map((result) => total(lines, 'cache_reads_total', { result }));
    const refused = total(lines, 'rate_limited_requests_total');
    const perS = memories.get(source)?.next({ hits: hits ?? 0, misses: misses ?? 0, refused: refused ?? 0 })?.perS;
    const lagS = total(lines, 'nodejs_eventloop_lag_p99_seconds');
    return readingsOf(source, {
      'event-loop-lag-p99': lagS === undefined ? undefined : Math.max(0, lagS - EVENT_LOOP_SAMPLING_S),
      'pool-size': total(lines, 'db_pool_size'),
      'pool-in-use': total(lines, 'db_pool_in_use'),
      'pool-limit': total(lines, 'db_pool_max'),
      'pool-waiting': total(lines, 'db_pool_waiting'),
      'password-hashes-waiting': total(lines, 'password_hash_queue_length'),
      'password-hashes-in-use': total(lines, 'password_hash_in_use'),
      'cache-hits': hits === undefined ? undefined : perS?.hits,
      'cache-misses': misses === undefined ? undefined : perS?.misses,
      'rate-limited': refused === undefined ? undefined : perS?.refused,
    });
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
