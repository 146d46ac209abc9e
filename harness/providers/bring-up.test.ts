import { expect, it } from 'vitest';
import type { Tier } from '../core/tier.ts';
import { type Bringing, bringUp, type StartedService, type Surroundings } from './bring-up.ts';

const tier: Tier = {
  name: 'one',
  title: 'One',
  description: '',
  documents: [],
  entry: 'api',
  services: [{ name: 'api', kind: 'api', instances: 1, settings: {}, resources: {}, connectsTo: {} }],
};
const never = new AbortController().signal;
const size = { users: 1, tasksPerUser: 1, seed: 1 };

function bringUpWith(
  change: Partial<Bringing<StartedService>>,
  onBegin: (surroundings: Surroundings) => void = () => {},
) {
  return bringUp<StartedService>(
    'test',
    tier,
    never,
    () => {},
    async (surroundings) => {
      onBegin(surroundings);
      return {
        start: async ({ name, kind }) => ({ running: { name, kind, instances: [] }, access: [] }),
        prepareData: async () => {},
        understandable: (error) => error,
        ...change,
      };
    },
  );
}

it('takes nothing down before a preparation of data under way has come to its end', async () => {
  const happened: string[] = [];
  const told = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  const deployment = await bringUpWith(
    {
      async prepareData(_started, _size, _password, signal) {
        signal.addEventListener('abort', () => told.resolve());
        await ended.promise;
        happened.push('preparation ended');
        signal.throwIfAborted();
      },
    },
    ({ stack }) => stack.defer(() => void happened.push('taken down')),
  );
  const preparing = deployment.prepareData?.(size, 'password', never);
  const disposal = deployment[Symbol.asyncDispose]();
  await told.promise;
  ended.resolve();
  await expect(preparing).rejects.toThrow('disposed of');
  await disposal;
  expect(happened).toEqual(['preparation ended', 'taken down']);
});

it('prepares no data once it was disposed of', async () => {
  let prepared = false;
  const deployment = await bringUpWith({
    async prepareData() {
      prepared = true;
    },
  });
  await deployment[Symbol.asyncDispose]();
  await expect(deployment.prepareData?.(size, 'password', never)).rejects.toThrow('disposed of');
  expect(prepared).toBe(false);
});
