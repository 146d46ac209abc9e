import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect } from 'vitest';
import { type Workplace, workplace } from './tierbench.ts';

/**
 * A workplace with the scenario `mine.ts`, and beside it an API that answers `{}`: both new for each test of the file that
 * calls this. Nothing may be left behind but what `mayStay` names.
 */
export function workplaceWithApi(mayStay: (orphan: string) => boolean = () => false): {
  readonly place: Workplace;
  readonly url: string;
} {
  let place: Workplace;
  const server = createServer((_, response) => response.end('{}'));
  beforeEach(async () => {
    place = await workplace();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    expect((await place.run(['init', 'scenario', 'mine'])).exitCode).toBe(0);
  });
  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    const left = (await place.orphans()).filter((orphan) => !mayStay(orphan));
    await place[Symbol.asyncDispose]();
    expect(left).toEqual([]);
  });
  return {
    get place() {
      return place;
    },
    get url() {
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    },
  };
}
