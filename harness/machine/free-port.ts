import { once } from 'node:events';
import { createServer } from 'node:net';
import { thisSystem } from '../operating-system/this-system.ts';

const LOWEST = 15_000;
const ATTEMPTS = 50;
/** Does not change while this process runs. */
let firstOutgoing: number | undefined;

/**
 * A port of 127.0.0.1 that nothing listens on now. Below those the system gives to outgoing connections where it tells
 * which those are: else a client that tries again and again to reach a server that is down may be given that very port,
 * connect to itself, and keep the server from coming back.
 */
export async function freePort(): Promise<number> {
  firstOutgoing ??= thisSystem.firstOutgoingPort() ?? 0;
  for (let attempt = 1; attempt <= ATTEMPTS && firstOutgoing > LOWEST + 1000; attempt += 1) {
    const port = LOWEST + Math.floor(Math.random() * (firstOutgoing - LOWEST));
    if ((await listenOnce(port).catch(() => undefined)) !== undefined) return port;
  }
  return await listenOnce(0);
}

async function listenOnce(wanted: number): Promise<number> {
  const server = createServer().listen(wanted, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  return address.port;
}
