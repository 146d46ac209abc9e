import { expect, test } from 'vitest';
import { defineScenario, send } from '../../../scenarios/kit.ts';
import { engineContract } from '../../contracts/engines/engine-contract.ts';
import { startTestServer } from '../../contracts/engines/server.ts';
import { expectConsistent, expectOnly, requestFor } from '../../contracts/engines/trial-contract.ts';
import { autocannonEngine } from './autocannon.ts';

engineContract('autocannon', () => autocannonEngine(), { offers: { supports: ['closed'], arrivals: [] } });

test('an iteration ends when its last answer came, however long the scenario looks at that', async () => {
  await using server = await startTestServer((_seen, _request, response) => response.end('{}'));
  const pensive = defineScenario({
    name: 'pensive',
    description: 'Takes 300 ms to look at an answer: once the window is over by then.',
    *iteration() {
      const check = () => {
        const untilMs = performance.now() + 300;
        while (performance.now() < untilMs);
        return true;
      };
      yield* send({ name: 'request', method: 'GET', path: '/', check });
    },
  });
  const trial = await autocannonEngine().run(
    requestFor(pensive, server.baseUrl, 1, { durationS: 1 }),
    new AbortController().signal,
  );
  expectConsistent(trial);
  expect(trial.iterations.completed).toBe(expectOnly('ok', trial));
});
