import { expect, test } from 'vitest';
import { simulatedEngine } from '../../test-support/simulated-engine.ts';
import type { LoadEngine } from '../engines/engine.ts';
import { monotonicS } from '../machine/clock.ts';
import { measure } from './measure.ts';

test('samples are placed in the window although the process of the generator saw the clock 30 s earlier', async () => {
  const plan = {
    scenario: 'request',
    baseUrl: 'http://127.0.0.1:1',
    load: { model: 'closed', concurrency: 1 },
    warmUpS: 0,
    durationS: 1,
    seed: 1,
    timeoutS: 10,
  } as const;
  const simulated = simulatedEngine({ servers: 1, serviceTimeS: 0.01, distribution: 'deterministic' });
  const engine: LoadEngine = {
    ...simulated,
    async run(request, signal, onInterval) {
      const startedAtMonotonicS = monotonicS();
      const startedAt = new Date(Date.now() - 30_000).toISOString();
      return { ...(await simulated.run(request, signal, onInterval)), startedAt, startedAtMonotonicS };
    },
  };
  const probe = {
    name: 'probe',
    read: async () => [{ source: 'api/1', metric: 'pool-waiting', value: 1 }] as const,
    async [Symbol.asyncDispose]() {},
  };
  const scenario = { name: 'request', description: '', *iteration() {} };
  const request = { plan, scenario, users: [{ index: 0 }] };
  const { samples } = await measure(engine, request, [probe], new AbortController().signal);
  expect(samples).toHaveLength(1);
  expect(Math.abs(samples[0]?.atS ?? Number.NaN)).toBeLessThan(5);
});
