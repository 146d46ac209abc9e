import { describe, expect, test } from 'vitest';
import type { SustainedRateAnswer } from '../../harness/core/run.ts';
import { madeUpRun, madeUpTarget, madeUpTrial } from '../../test-support/made-up-trial.ts';
import { analyse } from '../analysis.ts';
import { runReport } from './run-json.ts';
import { rateAnswers, ratesTable } from './run-rates.ts';

const p95 = madeUpTarget({ id: 'p95', value: 0.2, comparison: '<', judged: { by: 'measured', metric: 'latency-p95' } });

function searched(found: Partial<SustainedRateAnswer> = {}, hasAnswer = true) {
  const trials = [250, 300, 322, 340].map((arrivalRatePerS, index) =>
    madeUpTrial({
      sequence: index + 1,
      load: { model: 'open', arrivalRatePerS, arrivals: 'poisson' },
      okPerS: arrivalRatePerS,
      latencyS: arrivalRatePerS > 310 ? 0.4 : 0.05,
      samples: [1, 2, 3].flatMap((atS) => [
        { atS, source: 'api/1', metric: 'cpu-cores', value: arrivalRatePerS / 330 } as const,
        { atS, source: 'api/1', metric: 'cpu-limit', value: 1 } as const,
      ]),
    }),
  );
  const sustainedRate: SustainedRateAnswer = {
    valuePerS: 311,
    lowPerS: 300,
    highPerS: 322,
    end: 'precise',
    binding: 'p95',
    shape: 'smooth',
    monotone: true,
    ...found,
  };
  const run = madeUpRun(trials, [p95], { question: { arrivalRatesPerS: null, concurrencies: null } });
  const answers = hasAnswer
    ? [{ subject: 'single', scenarios: [{ scenario: 'crud', sustainedRate, sustained: [] }] }]
    : [];
  return analyse({ ...run, answers });
}

const answer = (...choice: Parameters<typeof searched>) => rateAnswers(searched(...choice).tiers)[0];

describe('the answer of a search', () => {
  test('is the sustained rate with its interval, what it keeps, what limits it and what a request costs', () => {
    expect(answer()).toEqual({
      about: 'crud',
      statement: 'single sustains 311 iterations/s (300 to 322), within p95 < 200 ms.',
      because: expect.stringMatching(
        /^At 322\/s the api's CPU limits it \(97\.6 % of 1 CPU\).*\. A request costs 3\.03 ms of api CPU\.$/,
      ),
    });
  });

  test('says what is not known: no higher rate was decided, even the lowest misses, nothing was decided', () => {
    const ends: Partial<SustainedRateAnswer>[] = [
      { valuePerS: null, highPerS: null, end: 'generator-limit' },
      { valuePerS: null, lowPerS: null, end: 'lowest-missed' },
      { valuePerS: null, lowPerS: null, highPerS: null, end: 'machine-limit' },
    ];
    expect(ends.map((end) => answer(end)?.statement)).toEqual([
      'single sustains at least 300 iterations/s, within p95 < 200 ms.',
      'single sustained no measured load within p95 < 200 ms.',
      'what is sustained within p95 < 200 ms is not known.',
    ]);
  });

  test('of a run that was stopped reaches as far outside of its trials as they leave open', () => {
    expect(answer({}, false)?.statement).toMatch(/^single sustains 246 to 367 iterations\/s/);
  });

  test('stands in a row of the table and as data in report.json', () => {
    const analysis = searched();
    const [row] = ratesTable(analysis.tiers).rows;
    expect(row?.map(({ text }) => text)).toEqual(['crud', '311', '50 ms', 'api/1: CPU 97.6 %', expect.any(String)]);
    const [scenario] = runReport(analysis).answer.subjects[0]?.scenarios ?? [];
    expect(scenario).toMatchObject({
      sustainedRate: { valuePerS: 311, lowPerS: 300, highPerS: 322 },
      bottleneck: { first: { source: 'api/1', metric: 'cpu-cores' } },
      demands: { services: [{ service: 'api', cpuS: expect.closeTo(1 / 330, 6) }] },
    });
  });
});
