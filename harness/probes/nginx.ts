import { Agent } from 'node:http';
import { fetchText } from './http-text.ts';
import type { Probe, Reading } from './probe.ts';

const TIMEOUT_S = 3;

interface Status {
  readonly atMs: number;
  readonly active: number;
  readonly requests: number;
  readonly reading: number;
  readonly writing: number;
  readonly waiting: number;
}

/**
 * An nginx by its stub status page, without the connection that is used to read it.
 *
 * Connections of clients: `connections`, and of these `connections-reading` (a request), `connections-writing` (waiting for
 * a backend or sending an answer) and `connections-waiting` (for the next request); per second `requests`.
 */
export function nginxProbe({ url, source }: { readonly url: string; readonly source: string }): Probe {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let before: Status | undefined;
  return {
    name: 'nginx',
    async read() {
      const last = before;
      before = undefined;
      const now = parseStatus(await fetchText('status page of nginx', url, agent, TIMEOUT_S));
      before = now;
      const readings: Omit<Reading, 'source'>[] = [
        { metric: 'connections', unit: 'count', value: Math.max(0, now.active - 1) },
        { metric: 'connections-reading', unit: 'count', value: now.reading },
        { metric: 'connections-writing', unit: 'count', value: Math.max(0, now.writing - 1) },
        { metric: 'connections-waiting', unit: 'count', value: now.waiting },
      ];
      if (last !== undefined) {
        // One of them is our own.
        const requests = Math.max(0, now.requests - last.requests - 1);
        readings.push({ metric: 'requests', unit: 'per-second', value: requests / ((now.atMs - last.atMs) / 1000) });
      }
      return readings.map((reading) => ({ source, ...reading }));
    },
    async [Symbol.asyncDispose]() {
      agent.destroy();
    },
  };
}

/** See ngx_http_stub_status_module. */
function parseStatus(page: string): Status {
  const numbers = page.match(/\d+/g)?.map(Number) ?? [];
  const [active, , , requests, reading, writing, waiting] = numbers;
  if (!page.startsWith('Active connections') || active === undefined || requests === undefined) {
    throw new Error('the page is no stub status');
  }
  if (reading === undefined || writing === undefined || waiting === undefined) throw new Error('the page is not whole');
  return { atMs: performance.now(), active, requests, reading, writing, waiting };
}
