import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { LatencyHistogram } from '../../histograms/latency-histogram.ts';

/** A server whose truth is known: how long each request takes follows from when it arrived, and from this. */
export interface QueueSettings {
  /** `fifo`: one server, first come first served. `unlimited`: each request is served at once. */
  readonly queue: 'fifo' | 'unlimited';
  /** Request n takes serviceTimesS[n], from the start again at the end. `unlimited` takes one for all: they end in order. */
  readonly serviceTimesS: readonly number[];
  /** Seconds after the first request during which nothing is begun. */
  readonly stall?: { readonly fromS: number; readonly toS: number };
  /** Requests without a token are answered with 429. */
  readonly tokens?: { readonly ratePerS: number; readonly burst: number };
}

export interface QueueServer extends AsyncDisposable {
  readonly baseUrl: string;
  /** Arrival to answer of every request it served, as it saw them; how many it refused. */
  tell(): Promise<{ readonly served: LatencyHistogram; readonly refused: number }>;
}

/** Answers what is asked by a witness (`contract-witness.ts`) at once, whatever waits. */
export const WITNESS_PATH = '/witness';

const QUEUE_SERVER = `
  const { createServer } = require('node:http');
  const { parentPort, workerData: { queue, serviceTimesS, stall, tokens, witnessPath } } = require('node:worker_threads');
  let arrivals = 0, refused = 0, firstMs = null, freeMs = 0, level = tokens?.burst ?? 0, filledMs = null;
  let isTicking = false;
  const served = [], inFlight = [], asleep = new Int32Array(new SharedArrayBuffer(4));

  const server = createServer((request, response) => {
    if (request.url === witnessPath) { response.end(); return; }
    const nowMs = performance.now();
    firstMs ??= nowMs;
    if (tokens !== undefined) {
      level = Math.min(tokens.burst, level + (filledMs === null ? 0 : (nowMs - filledMs) / 1000 * tokens.ratePerS));
      filledMs = nowMs;
      if (level < 1) { refused += 1; response.writeHead(429).end(); return; }
      level -= 1;
    }
    const serviceMs = serviceTimesS[arrivals % serviceTimesS.length] * 1000;
    arrivals += 1;
    let beginMs = queue === 'fifo' ? Math.max(nowMs, freeMs) : nowMs;
    if (stall !== undefined && beginMs >= firstMs + stall.fromS * 1000 && beginMs < firstMs + stall.toS * 1000) {
      beginMs = firstMs + stall.toS * 1000;
    }
    const endMs = beginMs + serviceMs;
    freeMs = endMs;
    inFlight.push({ arrivedMs: nowMs, endMs, response });
    if (!isTicking) tick();
  });

  // Timers know whole milliseconds: the last one is passed in naps, between which requests are read.
  function tick() {
    isTicking = true;
    while (inFlight.length > 0 && inFlight[0].endMs <= performance.now()) {
      const { arrivedMs, response } = inFlight.shift();
      served.push((performance.now() - arrivedMs) / 1000);
      response.end('{}');
    }
    if (inFlight.length === 0) { isTicking = false; return; }
    const leftMs = inFlight[0].endMs - performance.now();
    if (leftMs > 2) setTimeout(tick, leftMs - 1.5);
    else { if (leftMs > 0.1) Atomics.wait(asleep, 0, 0, 0.1); setImmediate(tick); }
  }

  server.keepAliveTimeout = 600_000;
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
  parentPort.on('message', () => parentPort.postMessage({ served, refused }));
`;

/** On a thread of its own, so that the generator's work does not delay its answers. */
export async function startQueueServer(settings: QueueSettings): Promise<QueueServer> {
  const workerData = { ...settings, witnessPath: WITNESS_PATH };
  const worker = new Worker(QUEUE_SERVER, { eval: true, workerData });
  const [port] = (await once(worker, 'message')) as [number];
  return {
    baseUrl: `http://127.0.0.1:${port}`,
    async tell() {
      const reported = once(worker, 'message');
      worker.postMessage('tell');
      const [{ served, refused }] = (await reported) as [{ served: number[]; refused: number }];
      const histogram = LatencyHistogram.empty();
      for (const latencyS of served) histogram.record(latencyS);
      return { served: histogram, refused };
    },
    async [Symbol.asyncDispose]() {
      await worker.terminate();
    },
  };
}
