import { expect, it } from 'vitest';
import type { RunResult } from '../harness/core/run.ts';
import type { SubjectFacts } from '../harness/core/study-record.ts';
import type { Tier } from '../harness/core/tier.ts';
import { fourTiers } from '../test-support/made-up-run.ts';
import { madeUpRun, madeUpTarget, madeUpTrial } from '../test-support/made-up-trial.ts';
import { analyse } from './analysis.ts';
import { reportOf } from './documents/registry.ts';
import { renderTerminal } from './renderers/terminal.ts';
import { sweepCurves } from './sweep.ts';

const pooled = fourTiers.find(({ name }) => name === 'pooled') as Tier;
const id = (instances: number) => `pooled@api.instances=${instances}`;

/** Two values of three are measured: a request costs an instance of one CPU 2 ms, and three quarters of that is sustained. */
function sweepOf(measured: readonly number[], known: readonly number[] = []): RunResult {
  const sustainedOf = (instances: number) => 375 * instances;
  const trials = measured.flatMap((instances, place) =>
    [0.8, 0.95, 1, 1.1].map((share, index) => {
      const arrivalRatePerS = Math.round(share * sustainedOf(instances));
      const trial = madeUpTrial({
        sequence: 10 * place + index + 1,
        load: { model: 'open', arrivalRatePerS, arrivals: 'poisson' },
        okPerS: arrivalRatePerS,
        latencyS: share > 1 ? 0.4 : 0.05,
        samples: [1, 2, 3].flatMap((atS) =>
          Array.from({ length: instances }, (_, each) => {
            const value = (arrivalRatePerS * 0.002) / instances;
            return { atS, source: `api/${each + 1}`, metric: 'cpu-cores', value } as const;
          }),
        ),
      });
      return { ...trial, subject: id(instances) };
    }),
  );
  const p95 = madeUpTarget({ id: 'p95', value: 0.2, judged: { by: 'measured', metric: 'latency-p95' } });
  const run = madeUpRun(trials, [{ ...p95, appliesTo: { tiers: ['pooled'], scenarios: [] } }], {
    question: {
      arrivalRatesPerS: null,
      concurrencies: [],
      scenarios: ['crud'],
      sweep: [{ service: 'api', setting: 'instances', values: [1, 2, 3, 4] }],
    },
  });
  const subjectOf = (instances: number, notes: SubjectFacts['notes'] = []) => ({
    ...(run.subjects[0] as SubjectFacts),
    id: id(instances),
    tier: {
      ...pooled,
      services: pooled.services.map((each) => (each.name === 'api' ? { ...each, instances } : each)),
    },
    variant: [{ service: 'api', setting: 'instances', value: instances, isOwn: instances === 2 }],
    notes,
  });
  const found = { end: 'precise', binding: 'p95', shape: 'smooth', monotone: true } as const;
  return {
    ...run,
    subjects: [
      ...measured.map((instances) => subjectOf(instances)),
      ...known.map((instances) =>
        subjectOf(instances, [
          {
            code: 'value-known',
            subject: id(instances),
            below: id(instances - 1),
            above: id(instances + 1),
            predictions: [{ scenario: 'crud', lowPerS: 1000, highPerS: 1200 }],
          },
        ]),
      ),
    ],
    answers: measured.map((instances) => {
      const valuePerS = sustainedOf(instances);
      const sustainedRate = { ...found, valuePerS, lowPerS: 0.97 * valuePerS, highPerS: 1.03 * valuePerS };
      return { subject: id(instances), scenarios: [{ scenario: 'crud', sustainedRate, sustained: [] }] };
    }),
  };
}

it('gives capacity over a resource, resources over load, and each value predicted from the others', () => {
  const [curve, ...others] = sweepCurves(analyse(sweepOf([4, 1, 2], [3])));
  expect(others).toEqual([]);
  expect(curve).toMatchObject({ tier: 'pooled', scenario: 'crud', setting: 'api.instances', beside: '' });
  expect(curve?.points.map(({ value, ratePerS }) => [value, ratePerS?.value ?? null])).toEqual([
    [1, 375],
    [2, 750],
    [3, null],
    [4, 1500],
  ]);
  expect(curve?.points[2]?.known).toEqual({ lowPerS: 1000, highPerS: 1200 });
  expect(curve?.demand.map(({ ratePerS, enough }) => [ratePerS, enough])).toEqual([
    [360, 1],
    [720, 2],
    [1000, 3],
    [1400, 4],
  ]);
  const heldOut = curve?.points.flatMap((point) => point.heldOut ?? []) ?? [];
  expect(heldOut.map(({ model }) => model)).toEqual(['demands', 'demands', 'demands']);
  for (const { errorRatio, isInside } of heldOut) {
    expect(Math.abs(errorRatio)).toBeLessThan(0.05);
    expect(isInside).toBe(true);
  }
  expect(curve?.fit?.kappa).toBeNull();
});

it('judges the tier of the file alone, and compares no size of it with another as tiers', () => {
  const analysis = analyse(sweepOf([4, 1, 2]));
  const judged = analysis.tiers.flatMap(({ targets }) => targets.map(({ tier, target }) => [tier, target.id]));
  expect(judged).toEqual([[id(2), 'p95']]);
  expect(analysis.comparison).toBeNull();
  expect(analysis.differences).toEqual([]);
  // The goals of a search are those of the tier.
  expect(analysis.tiers.map(({ scenarios }) => scenarios[0]?.searched?.goals.map((goal) => goal.id))).toEqual([
    ['p95'],
    ['p95'],
    ['p95'],
  ]);
});

it('answers with the rate of each value, and has all of it as data', () => {
  const { document, json } = reportOf(sweepOf([4, 1, 2]));
  const text = renderTerminal(document, null, 100);
  expect(text).toContain('375');
  expect(text).not.toContain('sustains most');
  const report = JSON.parse(json()) as { answer: { sweep: readonly { points: readonly unknown[] }[] } };
  expect(report.answer.sweep[0]?.points).toHaveLength(3);
});

it('has none for a run without a sweep', () => {
  expect(sweepCurves(analyse(madeUpRun([], [])))).toEqual([]);
});
