import type pg from 'pg';

/** Not `end`, which waits for a goodbye that a paused server does not say. */
export async function hangUp(client: pg.Client): Promise<void> {
  cut(client);
  await client.end().catch(() => undefined);
}

/** Whatever it waits for rejects. */
export function cut(client: pg.Client): void {
  (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
}
