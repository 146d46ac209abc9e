import { expect, it } from 'vitest';
import type { Tier } from '../core/tier.ts';
import { referenceApp } from '../services/reference-app.ts';
import { type InstanceOrder, type Renderer, type StartedInstance, startTier, type TierContext } from './start-tier.ts';

const tier: Tier = {
  name: 'one',
  title: 'One',
  description: '',
  documents: [],
  entry: 'api',
  services: [
    { name: 'api', kind: 'api', instances: 1, settings: {}, resources: {}, connectsTo: { writer: 'database' } },
    { name: 'database', kind: 'primary', instances: 1, settings: {}, resources: {}, connectsTo: {} },
  ],
};
const never = new AbortController().signal;
const size = { userCount: 1, tasksPerUser: 1, seed: 1 };

/** An instance that is nothing at all. */
async function startNothing({ type, service, context, name }: InstanceOrder): Promise<StartedInstance> {
  const at = { folder: '/', dataFolder: '/', temporaryFolder: '/', host: '127.0.0.1', port: () => 1 };
  return {
    running: { name, host: '127.0.0.1', port: 1, processIds: [] },
    spec: type.spec(service, { ...context, ...at }),
    version: undefined,
    address: { host: '127.0.0.1', port: 1 },
    hostName: '127.0.0.1',
    port: () => 1,
    ended: () => new Promise(() => {}),
    isUp: async () => true,
    kill: async () => {},
    start: async () => {},
    pause: async () => {},
    resume: async () => {},
  };
}

function startTierWith(change: Partial<Renderer>, onBegin: (context: TierContext) => void = () => {}) {
  return startTier(
    { provider: 'test', tier, app: referenceApp },
    never,
    () => {},
    async (context) => {
      onBegin(context);
      return { startInstance: startNothing, runStep: async () => {}, explain: (error) => error, ...change };
    },
  );
}

it('stops nothing before a running preparation of data has ended', async () => {
  const happened: string[] = [];
  const aborted = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  const deployment = await startTierWith(
    {
      async runStep(step, _spec, _code, signal) {
        if (step.name !== 'seed') return;
        signal.addEventListener('abort', () => aborted.resolve());
        await ended.promise;
        happened.push('preparation ended');
        signal.throwIfAborted();
      },
    },
    ({ stack }) => stack.defer(() => void happened.push('stopped')),
  );
  const preparing = deployment.prepareData?.(size, 'password', never);
  const disposal = deployment[Symbol.asyncDispose]();
  await aborted.promise;
  ended.resolve();
  await expect(preparing).rejects.toThrow('disposed of');
  await disposal;
  expect(happened).toEqual(['preparation ended', 'stopped']);
});

it('prepares no data once it was disposed of', async () => {
  let prepared = false;
  const deployment = await startTierWith({
    async runStep({ name }) {
      if (name === 'seed') prepared = true;
    },
  });
  await deployment[Symbol.asyncDispose]();
  await expect(deployment.prepareData?.(size, 'password', never)).rejects.toThrow('disposed of');
  expect(prepared).toBe(false);
});
