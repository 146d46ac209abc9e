import { describe, expect, test } from 'vitest';
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
    expect(result).toMatchObject({ end, lowPerS: 250, highPerS: null });
    expect(steps.map(({ ratePerS }) => ratePerS)).toEqual([250, 287.5, 287.5, 287.5]);
  });
});
