import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect } from 'vitest';
import type { MetricId } from '../harness/core/metrics.ts';
import type { Probe, Reading } from '../harness/probes/probe.ts';

export function measured(readings: readonly Reading[], metric: MetricId): number | undefined {
  return readings.find((reading) => reading.metric === metric)?.value;
}

/** Reads until it holds: servers publish what they did with a delay. A reading that fails is one that does not hold. */
export async function readUntil(
  probe: Probe,
  holds: (readings: readonly Reading[]) => boolean,
): Promise<readonly Reading[]> {
  let last: readonly Reading[] = [];
  await expect
    .poll(
      async () => {
        last = await probe.read().catch(() => []);
        return holds(last);
      },
      { interval: 100 },
    )
    .toBe(true);
  return last;
}

/** Takes connections and never says a word. */
export async function startSilentServer(): Promise<AsyncDisposable & { readonly port: number }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
