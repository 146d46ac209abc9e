import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { knownServers, otherServers } from '../../test-support/known-capacity.ts';
import { seededRandom } from '../statistics/block-bootstrap.ts';
import {
  bracketOf,
  type SearchEvidence,
  type SearchResult,
  type SearchSettings,
  type SearchStep,
  searchSustainedRate,
} from './sustained-rate-search.ts';

const settings: SearchSettings = {
  goals: [{ id: 'p95', allowedRatio: 0.05 }],
  startPerS: 250,
  lowestPerS: 1,
  highestPerS: 5000,
  precisionRatio: 0.05,
  trialS: 5,
  budgetS: 300,
};

/** All requests are good up to a rate, and 60 % are bad above it. */
const cliffAt =
  (ratePerS: number) =>
  (step: SearchStep): SearchEvidence => {
    const all = Math.round(step.ratePerS * step.durationS);
    return { kind: 'counted', goals: [{ bad: step.ratePerS > ratePerS ? Math.round(0.6 * all) : 0, all }] };
  };

function search(given: SearchSettings, server: (step: SearchStep) => SearchEvidence) {
  const steps: SearchStep[] = [];
  const generator = searchSustainedRate(given);
  for (let next = generator.next(); ; next = generator.next(server(next.value))) {
    if (next.done === true) return { steps, result: next.value satisfies SearchResult };
    steps.push(next.value);
  }
}

describe('a search', () => {
  test('brackets a cliff as narrow as asked for', () => {
    const { result } = search(settings, cliffAt(300));
    expect(result).toMatchObject({ end: 'precise', bindingGoal: 'p95', shape: 'cliff', monotone: true });
    expect(result.lowPerS).toBeGreaterThan(300 / 1.05);
    expect(result.lowPerS).toBeLessThanOrEqual(300);
    expect(result.highPerS).toBeGreaterThan(300);
    expect(result.highPerS).toBeLessThan(300 * 1.05);
  });

  test('ends with an open bracket where even the lowest rate misses', () => {
    const { result } = search({ ...settings, lowestPerS: 50 }, cliffAt(10));
    expect(result).toMatchObject({ end: 'lowest-missed', lowPerS: null, highPerS: 50, valuePerS: null });
  });

  test('ends with an open bracket where even the highest rate meets the goals', () => {
    const { result } = search({ ...settings, highestPerS: 400 }, cliffAt(1000));
    expect(result).toMatchObject({ end: 'highest-met', lowPerS: 400, highPerS: null, bindingGoal: null });
  });

  test('is stopped with the bracket so far', () => {
    const { steps } = search(settings, cliffAt(300));
    const counted = steps
      .slice(0, 3)
      .map((step) => ({ ...step, goals: [{ bad: step.ratePerS > 300 ? 900 : 0, all: 1000 }] }));
    const { lowPerS, highPerS } = bracketOf(settings.goals, counted);
    expect(lowPerS).toBeLessThanOrEqual(300);
    expect(highPerS).toBeGreaterThan(300);
  });

  test.each([
    ['generator', 'generator-limit'],
    ['machine', 'machine-limit'],
    ['other', 'invalid-trials'],
  ] as const)('ends after three invalid trials in a row: %s', (limit, end) => {
    const { result, steps } = search(settings, (step) =>
      step.ratePerS > 280 ? { kind: 'invalid', limit } : cliffAt(300)(step),
    );
    expect(result).toMatchObject({ end, highPerS: null });
    // One trial of five seconds met the goals: the truth may be somewhat lower.
    expect(result.lowPerS).toBeGreaterThan(250 / 1.4);
    expect(result.lowPerS).toBeLessThan(250);
    expect(steps.map(({ ratePerS }) => ratePerS)).toEqual([250, 281.25, 281.25, 281.25]);
  });
});

test.each(
  [...knownServers(0.03), ...otherServers(0.03)]
    .filter(({ name }) => name !== 'errors')
    .map((server) => [server.name, server] as const),
)('the bracket holds the true rate of a simulated server in at least 9 of 10 seeds: %s', (_name, server) => {
  const held = Array.from({ length: 10 }, (_, seed) => {
    const random = seededRandom(seed + 1);
    let atS = 0;
    const given = { ...settings, startPerS: 0.85 * server.capacityPerS, budgetS: 150 };
    const { result } = search(given, ({ ratePerS, durationS }) => {
      const counts = server.trial(ratePerS, { warmUpS: 2, durationS, atS }, random);
      atS += durationS + 2;
      return { kind: 'counted', goals: [counts] };
    });
    const truth = server.truthPerS(atS);
    return Number(result.lowPerS) <= truth && Number(result.highPerS) >= truth;
  });
  expect(held.filter(Boolean).length).toBeGreaterThanOrEqual(9);
});

test('the goal that is missed by most binds, and few samples of it count', () => {
  const goals = [
    { id: 'p95', allowedRatio: 0.05 },
    { id: 'errors', allowedRatio: 0.001 },
  ];
  const { result } = search({ ...settings, goals, startPerS: 8 }, ({ ratePerS, durationS }) => {
    const all = Math.round(ratePerS * durationS);
    const isOver = ratePerS > 10;
    const counts = [
      { bad: isOver ? Math.ceil(0.1 * all) : 0, all },
      { bad: isOver ? Math.ceil(0.05 * all) : 0, all },
    ];
    return { kind: 'counted', goals: counts };
  });
  expect(result).toMatchObject({ end: 'precise', bindingGoal: 'errors' });
});

describe('whatever the trials say', () => {
  const outcome = fc.record({ badRatio: fc.constantFrom(0, 0, 0.01, 0.04, 0.06, 0.5, 1), isInvalid: fc.boolean() });
  const outcomes = fc.array(outcome, { minLength: 100, maxLength: 100 });

  test('the ends are in order and no further outside than a few trials leave open, trials keep to the budget, and invalid ones are no evidence', () => {
    fc.assert(
      fc.property(outcomes, (given) => {
        let trial = 0;
        const counted: number[] = [];
        let before: SearchStep | null = null;
        const { steps, result } = search(settings, (step) => {
          const { badRatio, isInvalid } = given[trial % given.length] ?? { badRatio: 0, isInvalid: false };
          trial += 1;
          if (before !== null) expect(step).toEqual(before);
          before = isInvalid ? step : null;
          if (isInvalid) return { kind: 'invalid', limit: 'other' };
          counted.push(step.ratePerS);
          const all = Math.round(1000 * step.durationS);
          return { kind: 'counted', goals: [{ bad: Math.round(badRatio * all), all }] };
        });
        expect(steps.reduce((total, { durationS }) => total + durationS, 0)).toBeLessThanOrEqual(settings.budgetS);
        if (result.lowPerS !== null) expect(Math.max(...counted)).toBeGreaterThanOrEqual(result.lowPerS);
        if (result.highPerS !== null) expect(Math.min(...counted)).toBeLessThanOrEqual(result.highPerS);
        if (result.lowPerS !== null && result.highPerS !== null) {
          expect(result.lowPerS).toBeLessThan(result.highPerS);
          expect(result.valuePerS).toBeGreaterThan(result.lowPerS);
        }
      }),
      { seed: 1, numRuns: 60 },
    );
  });

  test('the search is the same at any scale of the rate', () => {
    fc.assert(
      fc.property(outcomes, fc.constantFrom(1 / 64, 8, 512), (given, scale) => {
        const at = (factor: number) => {
          let trial = 0;
          const scaled = {
            ...settings,
            startPerS: settings.startPerS * factor,
            lowestPerS: settings.lowestPerS * factor,
            highestPerS: settings.highestPerS * factor,
          };
          return search(scaled, () => {
            const all = 100_000;
            const { badRatio } = given[trial++ % given.length] ?? { badRatio: 0 };
            return { kind: 'counted', goals: [{ bad: Math.round(badRatio * all), all }] };
          }).steps;
        };
        const plain = at(1).map(({ ratePerS }) => ratePerS);
        const scaled = at(scale).map(({ ratePerS }) => ratePerS / scale);
        expect(scaled.length).toBe(plain.length);
        for (const [index, rate] of scaled.entries()) expect(rate).toBeCloseTo(plain[index] ?? Number.NaN, 6);
      }),
      { seed: 2, numRuns: 30 },
    );
  });
});
