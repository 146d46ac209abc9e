import { expect, test } from 'vitest';
import oneRequest from '../../contracts/engines/scenarios/one-request.ts';
import {
  expectConsistent,
  inFlightOf,
  latencyOf,
  outcomesOf,
  requestFor,
  statusesOf,
} from '../../contracts/engines/trial-contract.ts';
import type { Trial } from '../../core/trial.ts';
import { createAccounting } from './accounting.ts';
import { mergeTrials } from './merge-trials.ts';

interface Reported {
  readonly atS: number;
  readonly step: string;
  readonly latencyS: number;
  readonly status?: number;
  readonly isClosedLoopSample?: boolean;
}

/** What one process measured until `closedS`. */
function part(requests: readonly Reported[], closedS: number, generator: Partial<Trial['generator']> = {}): Trial {
  const { plan } = requestFor(oneRequest, 'http://127.0.0.1', 2, { warmUpS: 1, durationS: 4 });
  const accounting = createAccounting(plan);
  for (const { atS, step, latencyS, status = 200, isClosedLoopSample = false } of requests) {
    accounting.iterationStarted(atS);
    const outcome = status === 200 ? 'ok' : 'http-error';
    const request = {
      step,
      outcome,
      status,
      bodyBytes: 100,
      latencyS,
      serviceTimeS: latencyS / 2,
      isClosedLoopSample,
    } as const;
    accounting.requestEnded(atS, { ...request, describe: () => `status ${status}` });
    accounting.iterationEnded(atS, status !== 200);
  }
  return {
    engine: 'open-loop',
    plan,
    startedAt: '2026-01-01T00:00:00.000Z',
    startedAtMonotonicS: 1000,
    ...accounting.close(closedS, [closedS - 0.5]),
    generator: { utilizationRatio: 0.1, eventLoopLagP99S: 0.001, sendLagP99S: 0.001, ...generator },
  };
}

test('counts and histograms of all processes are added second by second, and health is that of the worst', () => {
  const first = part(
    [
      { atS: -0.5, step: 'open', latencyS: 0.1 },
      { atS: 0.5, step: 'open', latencyS: 0.2, isClosedLoopSample: true },
      { atS: 2.5, step: 'tell', latencyS: 0.3 },
    ],
    4,
    { utilizationRatio: 0.7 },
  );
  const second = part(
    [
      { atS: 0.6, step: 'close', latencyS: 0.4 },
      { atS: 0.7, step: 'open', latencyS: 0.1, status: 503 },
    ],
    4,
    { sendLagP99S: 0.05, eventLoopLagP99S: null },
  );
  const trial = mergeTrials([first, second]);
  expectConsistent(trial);
  expect(trial.iterations).toEqual({ intended: 4, completed: 4, failed: 1, dropped: 0 });
  expect(trial.steps.map(({ name }) => name)).toEqual(['open', 'close', 'tell']);
  expect(outcomesOf(trial, 'open')).toMatchObject({ ok: 1, 'http-error': 1 });
  expect(statusesOf(trial, 'open')).toEqual({ 200: 1, 503: 1 });
  expect(latencyOf(trial, 'close').maxS).toBeCloseTo(0.4, 2);
  expect(trial.steps.map((step) => [step.serviceTime !== undefined, step.closedLoop !== undefined])).toEqual([
    [true, true],
    [true, false],
    [true, false],
  ]);
  expect(trial.intervals.map(({ iterations }) => iterations.completed)).toEqual([1, 3, 0, 1, 0]);
  expect(inFlightOf(trial)).toBe(2);
  expect(trial.failureExamples).toEqual([{ step: 'open', outcome: 'http-error', message: 'status 503' }]);
  expect(trial.generator).toEqual({ utilizationRatio: 0.7, eventLoopLagP99S: 0.001, sendLagP99S: 0.05 });
});

test('what one process measured alone is given as it is', () => {
  const alone = part([{ atS: 0.5, step: 'open', latencyS: 0.2, isClosedLoopSample: true }], 4);
  expect(mergeTrials([alone])).toEqual(alone);
});

test('asked to stop, processes end a little apart: the trial ends with the last', () => {
  const early = part([{ atS: 1.5, step: 'open', latencyS: 0.1 }], 1.999);
  const late = part([{ atS: 2.001, step: 'open', latencyS: 0.1 }], 2.002);
  const trial = mergeTrials([early, late]);
  expectConsistent(trial);
  expect([trial.stopped, trial.measuredS]).toEqual([true, 2.002]);
  expect(trial.intervals.map(({ startS, durationS }) => [startS, durationS.toFixed(3)])).toEqual([
    [-1, '1.000'],
    [0, '1.000'],
    [1, '1.000'],
    [2, '0.002'],
  ]);
});
