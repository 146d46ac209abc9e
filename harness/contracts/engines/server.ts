import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { TEST_CERTIFICATE, TEST_KEY } from './certificate.ts';
import { WITNESS_PATH } from './queue-server.ts';

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** The same, as it came. */
  readonly bytes: Buffer;
}

export interface TestServer extends AsyncDisposable {
  readonly baseUrl: string;
  readonly seen: SeenRequest[];
}

/** A server that notes what it is sent, and lets `answer` answer. */
export async function startTestServer(
  answer: (seen: SeenRequest, ...parts: Parameters<RequestListener>) => void,
  { over = 'http' }: { readonly over?: 'http' | 'https' | 'http on IPv6' } = {},
): Promise<TestServer> {
  const seen: SeenRequest[] = [];
  const listener: RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const bytes = Buffer.concat(chunks);
      const entry = { method, path: url, headers, body: bytes.toString('utf8'), bytes };
      seen.push(entry);
      answer(entry, request, response);
    });
  };
  const server =
    over === 'https' ? createHttpsServer({ key: TEST_KEY, cert: TEST_CERTIFICATE }, listener) : createServer(listener);
  server.listen(0, over === 'http on IPv6' ? '::1' : '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const origins = { http: 'http://127.0.0.1', https: 'https://localhost', 'http on IPv6': 'http://[::1]' };
  return {
    baseUrl: `${origins[over]}:${port}`,
    seen,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

export interface RawServer extends AsyncDisposable {
  readonly baseUrl: string;
  /** How many requests it was sent, over how many connections. */
  readonly seen: { requests: number; connections: number };
}

/** A server that puts on the socket whatever `answer` likes, be it HTTP or not. It takes requests without bodies. */
export async function startRawServer(answer: (path: string, socket: Socket) => void): Promise<RawServer> {
  const seen = { requests: 0, connections: 0 };
  const sockets = new Set<Socket>();
  const server = createTcpServer({ noDelay: true }, (socket) => {
    seen.connections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    let unread = '';
    socket.on('data', (bytes) => {
      const heads = (unread + bytes.toString('latin1')).split('\r\n\r\n');
      unread = heads.pop() ?? '';
      for (const head of heads) {
        seen.requests += 1;
        answer(head.split(' ', 2)[1] ?? '', socket);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
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
    if (request.url === workerData.witnessPath) return response.end();
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
  const worker = new Worker(CONSTANT_DELAY_SERVER, {
    eval: true,
    workerData: { delayMs, witnessPath: WITNESS_PATH },
  });
  const [port] = (await once(worker, 'message')) as [number];
  return {
    baseUrl: `http://127.0.0.1:${port}`,
    async takeMostInFlight() {
      const reported = once(worker, 'message');
      worker.postMessage('tell');
      const [most] = (await reported) as [number];
      return most;
    },
    async [Symbol.asyncDispose]() {
      await worker.terminate();
    },
  };
}
