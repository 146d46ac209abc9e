import { expect, test } from 'vitest';
import oneRequest from '../../contracts/engines/scenarios/one-request.ts';
import { openRequestFor, requestFor } from '../../contracts/engines/trial-contract.ts';
import type { TrialRequest } from '../engine.ts';
import { k6Engine } from './k6.ts';
import type { K6Program } from './k6-program.ts';

const program: K6Program = {
  version: '2.2.0',
  origin: 'nowhere',
  start() {
    throw new Error('nothing was to be started');
  },
};

const refusalOf = (request: TrialRequest) =>
  expect(k6Engine({ program, folder: '/nowhere' }).run(request, new AbortController().signal)).rejects;

test('a scenario whose file is not known is refused: k6 reads it from there', async () => {
  const { scenarioFile: _file, ...request } = requestFor(oneRequest, 'http://127.0.0.1:1', 1, {});
  await refusalOf(request).toMatchObject({ code: 'SCENARIO_FILE_UNKNOWN', message: expect.stringContaining('k6') });
});

test('arrivals at random are refused: its executors know none', async () => {
  const load = { arrivalRatePerS: 5, arrivals: 'poisson' } as const;
  await refusalOf(openRequestFor(oneRequest, 'http://127.0.0.1:1', load, {})).toMatchObject({
    code: 'LOAD_MODEL_NOT_SUPPORTED',
    remedy: 'constant-arrivals',
  });
});
