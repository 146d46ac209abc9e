import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect } from 'vitest';
import { workplaceForEach } from './tierbench.ts';

/** As `workplaceForEach`, with the scenario `mine.ts`, and beside it an API that answers `{}`. */
export function workplaceWithApi(mayStay?: (orphan: string) => boolean): {
  readonly place: ReturnType<typeof workplaceForEach>;
  readonly url: string;
} {
  const place = workplaceForEach(mayStay);
  const server = createServer((_, response) => response.end('{}'));
  beforeEach(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    expect((await place.run(['init', 'scenario', 'mine'])).exitCode).toBe(0);
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    place,
    get url() {
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    },
  };
}
