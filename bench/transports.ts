import { connect, type Socket } from 'node:net';

/**
 * What a closed loop of 50 keep-alive GETs costs by the way it reads and writes, without any accounting: why the open-loop
 * engine uses plain sockets with a buffer of its own. `taskset -c 1 node bench/transports.ts http://127.0.0.1:8080/` against
 * a server on another core.
 */
const url = new URL(process.argv[2] ?? 'http://127.0.0.1:8080/');
const CONNECTIONS = 50;
const WARM_UP_MS = 2000;
const MEASURED_MS = 4000;
const request = `GET ${url.pathname} HTTP/1.1\r\nhost: ${url.host}\r\n\r\n`;

let answered = 0;
let isOver = false;

function socketLoop(reads: 'data' | 'onread'): Socket {
  const onBytes = (bytes: Buffer): boolean => {
    if (bytes.indexOf('\r\n\r\n') < 0 || isOver) return true;
    answered += 1;
    socket.write(request, 'latin1');
    return true;
  };
  const options = { host: url.hostname, port: Number(url.port), noDelay: true };
  const socket: Socket =
    reads === 'data'
      ? connect(options)
      : connect({
          ...options,
          onread: {
            buffer: Buffer.alloc(65_536),
            callback: (length, buffer) => onBytes(Buffer.from(buffer.buffer, buffer.byteOffset, length)),
          },
        });
  if (reads === 'data') socket.on('data', onBytes);
  socket.on('connect', () => socket.write(request, 'latin1'));
  return socket;
}

interface UndiciPool {
  request(options: { path: string; method: string }): Promise<{ body: { dump(): Promise<void> } }>;
}

async function undiciLoops(): Promise<void> {
  // Not a dependency of tierbench, so it may be missing.
  const name = 'undici';
  const { Pool } = (await import(name)) as { Pool: new (origin: string, options: object) => UndiciPool };
  const pool = new Pool(url.origin, { connections: CONNECTIONS });
  const loop = async (): Promise<void> => {
    while (!isOver) {
      const { body } = await pool.request({ path: url.pathname, method: 'GET' });
      await body.dump();
      answered += 1;
    }
  };
  for (let index = 0; index < CONNECTIONS; index += 1) void loop();
}

async function measure(what: string, start: () => readonly Socket[] | Promise<void>): Promise<void> {
  isOver = false;
  const sockets = await start();
  await new Promise((resolve) => setTimeout(resolve, WARM_UP_MS));
  const [before, startedMs, cpuBefore] = [answered, performance.now(), process.cpuUsage()];
  await new Promise((resolve) => setTimeout(resolve, MEASURED_MS));
  const cpu = process.cpuUsage(cpuBefore);
  const count = answered - before;
  const perS = (count / (performance.now() - startedMs)) * 1000;
  const perCpuS = (count / (cpu.user + cpu.system)) * 1e6;
  console.log(`${what.padEnd(28)} ${Math.round(perS)} requests/s, ${Math.round(perCpuS)} per CPU second`);
  isOver = true;
  for (const socket of sockets ?? []) socket.destroy();
}

const loops = (reads: 'data' | 'onread') => () => Array.from({ length: CONNECTIONS }, () => socketLoop(reads));
await measure('node:net, a buffer of its own', loops('onread'));
await measure('node:net, data events', loops('data'));
await measure('undici', undiciLoops);
process.exit();
