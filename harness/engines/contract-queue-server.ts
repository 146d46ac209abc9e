import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { LatencyHistogram } from '../histograms/latency-histogram.ts';

/** A server whose truth is known: how long each request takes follows from when it arrived, and from this. */
export interface QueueSettings {
  /** `fifo`: one server, first come first served. `unlimited`: each request is served at once. */
  readonly queue: 'fifo' | 'unlimited';
  /** Request n takes serviceTimesS[n], from the start again at the end. */
  readonly serviceTimesS: readonly number[];
  /** Seconds after the first request during which nothing is begun. */
  readonly stall?: { readonly fromS: number; readonly toS: number };
  /** Requests without a token are answered with 429. */
  readonly tokens?: { readonly ratePerS: number; readonly burst: number };
}

export interface QueueServer extends AsyncDisposable {
  readonly baseUrl: string;
  /** Arrival to answer of every request it served, as it saw them, and how late it was itself. */
  tell(): Promise<{ readonly served: LatencyHistogram; readonly arrivals: number; readonly latenessP99S: number }>;
}

const QUEUE_SERVER = `
  const { createServer } = require('node:http');
  const { parentPort, workerData: { queue, serviceTimesS, stall, tokens } } = require('node:worker_threads');
  let arrivals = 0, firstMs = null, freeMs = 0, level = tokens?.burst ?? 0, filledMs = null;
  const served = [], lateness = [];
  const server = createServer((request, response) => {
    const nowMs = performance.now();
    firstMs ??= nowMs;
    arrivals += 1;
    if (tokens !== undefined) {
      level = Math.min(tokens.burst, level + (filledMs === null ? 0 : (nowMs - filledMs) / 1000 * tokens.ratePerS));
      filledMs = nowMs;
      if (level < 1) { response.writeHead(429).end(); return; }
      level -= 1;
    }
    const serviceMs = serviceTimesS[(arrivals - 1) % serviceTimesS.length] * 1000;
    let beginMs = queue === 'fifo' ? Math.max(nowMs, freeMs) : nowMs;
    if (stall !== undefined && beginMs >= firstMs + stall.fromS * 1000 && beginMs < firstMs + stall.toS * 1000) {
      beginMs = firstMs + stall.toS * 1000;
    }
    const endMs = beginMs + serviceMs;
    freeMs = endMs;
    const answer = () => {
      const lateMs = performance.now() - endMs;
      if (lateMs < 0) { if (lateMs < -1.5) setTimeout(answer, -lateMs - 1); else setImmediate(answer); return; }
      served.push((performance.now() - nowMs) / 1000);
      lateness.push(lateMs / 1000);
      response.end('{}');
    };
    answer();
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
  parentPort.on('message', () => parentPort.postMessage({ served, lateness, arrivals }));
`;

/** On a thread of its own, so that the generator's work does not delay its answers. */
export async function startQueueServer(settings: QueueSettings): Promise<QueueServer> {
  const worker = new Worker(QUEUE_SERVER, { eval: true, workerData: settings });
  const [port] = (await once(worker, 'message')) as [number];
  return {
    baseUrl: `http://127.0.0.1:${port}`,
    async tell() {
      const told = once(worker, 'message');
      worker.postMessage('tell');
      const [{ served, lateness, arrivals }] = (await told) as [
        { served: number[]; lateness: number[]; arrivals: number },
      ];
      const late = lateness.toSorted((a, b) => a - b);
      const histogram = LatencyHistogram.empty();
      for (const latencyS of served) histogram.record(latencyS);
      return { served: histogram, arrivals, latenessP99S: late[Math.floor(0.99 * late.length)] ?? 0 };
    },
    async [Symbol.asyncDispose]() {
      await worker.terminate();
    },
  };
}
