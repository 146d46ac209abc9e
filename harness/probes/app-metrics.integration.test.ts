import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { probeContract } from '../contracts/probes/probe-contract.ts';
import { appMetricsProbe, parseMetrics } from './app-metrics.ts';

const exposition = `# HELP db_pool_waiting Requests that wait for a connection
# TYPE db_pool_waiting gauge
db_pool_waiting{pool="writer"} 3
db_pool_waiting{pool="reader"} 4
db_pool_size{pool="writer"} 10
nodejs_eventloop_lag_p99_seconds 0.012525567
password_hash_queue_length 95
password_hash_in_use 2
cache_reads_total{route="me",result="hit"} 40
cache_reads_total{route="tasks",result="hit"} 60
cache_reads_total{route="tasks",result="miss"} 7
`;

async function startApi(listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    probe: appMetricsProbe([{ source: 'api/1', url: `http://127.0.0.1:${port}/metrics` }]),
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

probeContract(
  'app-metrics',
  () => startApi((_, response) => response.end(exposition)),
  () => startApi((_, response) => response.writeHead(500).end('no')),
);

describe('the metrics of the API', () => {
  it('are its gauges, all pools together, and its counters per second', async () => {
    let hits = 0;
    await using api = await startApi((_, response) => response.end(exposition.replace(' 40\n', ` ${40 + hits}\n`)));
    await using probe = api.probe;
    const startMs = performance.now();
    const first = await probe.read();
    expect(Object.fromEntries(first.map(({ metric, value }) => [metric, Number(value.toFixed(6))]))).toEqual({
      'event-loop-lag-p99': 0.002526,
      'pool-size': 10,
      'pool-waiting': 7,
      'password-hashes-waiting': 95,
      'password-hashes-in-use': 2,
    });
    hits = 1000;
    const second = await probe.read();
    const elapsedS = (performance.now() - startMs) / 1000;
    expect(second.find(({ metric }) => metric === 'cache-hits')?.value).toBeGreaterThanOrEqual(1000 / elapsedS);
    expect(second.find(({ metric }) => metric === 'cache-misses')?.value).toBe(0);
  });

  it('reports which instance did not answer, and why', async () => {
    await using api = await startApi((_, response) => response.writeHead(404).end());
    await using probe = api.probe;
    await expect(probe.read()).rejects.toThrow('the metrics of api/1: answered 404');
  });

  it('gives up on an instance that never answers', { timeout: 15_000 }, async () => {
    await using api = await startApi(() => undefined);
    await using probe = api.probe;
    await expect(probe.read()).rejects.toThrow('the metrics of api/1: did not answer within 5 s');
  });
});

describe('the Prometheus text format', () => {
  it('is read with labels, escapes, exponents, infinities and timestamps', () => {
    const text = [
      'plain 1.5',
      'with_labels{a="x",b="quote \\" backslash \\\\ comma, brace }"} 2e3 1700000000000',
      'infinite_bucket{le="+Inf"} +Inf',
      '# TYPE ignored counter',
      '',
      'broken{ 1',
      'no_number NaN',
    ].join('\n');
    expect(parseMetrics(text)).toEqual([
      { name: 'plain', labels: {}, value: 1.5 },
      { name: 'with_labels', labels: { a: 'x', b: 'quote " backslash \\ comma, brace }' }, value: 2000 },
      { name: 'infinite_bucket', labels: { le: '+Inf' }, value: Number.POSITIVE_INFINITY },
    ]);
  });
});
