import { once } from 'node:events';
import { Agent, createServer, get, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Worker } from 'node:worker_threads';

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface TestServer extends AsyncDisposable {
  readonly baseUrl: string;
  readonly seen: SeenRequest[];
}

/** A server that notes what it is sent, and lets `answer` answer. */
export async function startTestServer(
  answer: (seen: SeenRequest, ...parts: Parameters<RequestListener>) => void,
): Promise<TestServer> {
  const seen: SeenRequest[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const entry = { method, path: url, headers, body: Buffer.concat(chunks).toString('utf8') };
      seen.push(entry);
      answer(entry, request, response);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://127.0.0.1:${port}`,
    seen,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** A port nobody listens on. */
export async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export interface ConstantDelayServer extends AsyncDisposable {
  readonly baseUrl: string;
  /** Asks it again and again beside whatever else asks, with no engine at all. `stop` gives the slowest answer. */
  askBarely(): { stop(): Promise<number> };
  /** The most requests it had in its hands at once, since it was asked last. */
  takeMostInFlight(): Promise<number>;
}

const CONSTANT_DELAY_SERVER = `
  const { createServer } = require('node:http');
  const { parentPort, workerData } = require('node:worker_threads');
  let inFlight = 0;
  let most = 0;
  const server = createServer((request, response) => {
    const startedMs = performance.now();
    if (request.url === '/bare') return setTimeout(() => response.end('{}'), workerData.delayMs);
    inFlight += 1;
    most = Math.max(most, inFlight);
    const answer = () => {
      // Timers may fire a little early.
      if (performance.now() - startedMs < workerData.delayMs) return setImmediate(answer);
      inFlight -= 1;
      response.end('{}');
    };
    setTimeout(answer, workerData.delayMs);
  });
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
  parentPort.on('message', () => {
    parentPort.postMessage(most);
    most = inFlight;
  });
`;

/** On a thread of its own, so that the generator's work does not delay its answers. */
export async function startConstantDelayServer(delayMs: number): Promise<ConstantDelayServer> {
  const worker = new Worker(CONSTANT_DELAY_SERVER, { eval: true, workerData: { delayMs } });
  const [port] = (await once(worker, 'message')) as [number];
  return {
    baseUrl: `http://127.0.0.1:${port}`,
    askBarely() {
      let isOver = false;
      let slowestS = 0;
      const agent = new Agent({ keepAlive: true });
      const asking = (async () => {
        while (!isOver) {
          const startedMs = performance.now();
          const sent = get({ host: '127.0.0.1', port, path: '/bare', agent });
          const [response] = (await once(sent, 'response')) as [IncomingMessage];
          await once(response.resume(), 'end');
          slowestS = Math.max(slowestS, (performance.now() - startedMs) / 1000);
        }
      })();
      return {
        async stop() {
          isOver = true;
          await asking;
          agent.destroy();
          return slowestS;
        },
      };
    },
    async takeMostInFlight() {
      const told = once(worker, 'message');
      worker.postMessage('tell');
      const [most] = (await told) as [number];
      return most;
    },
    async [Symbol.asyncDispose]() {
      await worker.terminate();
    },
  };
}
