import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { causes, type StartedSystem, startSystem } from '../../test-support/bottleneck-causes.ts';

/** Causes that one system can have one after the other. `npm run bench:bottlenecks` has the others, and repeats. */
const names = ['hash-queue', 'api-pool', 'lock', 'generator-small', 'nothing'] as const;

let system: StartedSystem;
const { signal } = new AbortController();

beforeAll(async () => {
  system = await startSystem(causes['hash-queue'].system, signal);
});

afterAll(async () => {
  await system[Symbol.asyncDispose]();
});

describe('a bottleneck that is caused is named first', () => {
  test.each(names)('%s', async (name) => {
    expect(causes[name].system).toBe(causes['hash-queue'].system);
    const { named, bottleneck } = await system.measure(causes[name], 4, signal);
    expect(causes[name].expected, JSON.stringify(bottleneck)).toContain(named);
  });
});
