import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Target } from '../../core/target.ts';
import { readTargets } from '../../files/target-file.ts';
import { arrivalRates, documentedLoads } from './loads.ts';

const none = { requestRatesPerS: [], concurrencies: [] };
const probe = (iterationsPerS: number, requestsPerIteration = 1) => ({
  iterationsPerS,
  requestsPerIteration,
});

describe('the documented loads', () => {
  it('are the rates and users the built-in targets speak of', async () => {
    const targets = await readTargets(undefined, {
      scenarios: ['login', 'crud', 'mixed', 'browse', 'visit'],
      tiers: ['single', 'pooled', 'replicated', 'cached'],
    });
    const login = documentedLoads(targets, 'single', 'login');
    expect(login.requestRatesPerS).not.toContain(500);
    const crud = documentedLoads(targets, 'single', 'crud');
    expect(crud.requestRatesPerS).toEqual(expect.arrayContaining([500, 1000, 5000]));
    expect(login.concurrencies).toEqual([100]);
    for (const name of ['browse', 'visit']) {
      expect(documentedLoads(targets, 'single', name).concurrencies).toEqual([1000]);
    }
    // Without pauses: so many of its users would be another load than so many people.
    const mixed = documentedLoads(targets, 'single', 'mixed');
    expect(mixed).toEqual(crud);
    expect(mixed.concurrencies).toEqual([]);
  });

  it('are those of targets about this tier and scenario', () => {
    const target = (tiers: readonly string[], value: number) =>
      ({
        value,
        unit: 'requests/s',
        appliesTo: { tiers, scenarios: [] },
        judged: { by: 'not-yet' },
      }) as unknown as Target;
    const targets = [target(['cached'], 700), target([], 300), target([], 300)];
    expect(documentedLoads(targets, 'single', 'crud').requestRatesPerS).toEqual([300]);
    expect(documentedLoads(targets, 'cached', 'crud').requestRatesPerS).toEqual([300, 700]);
  });
});

describe('arrival rates', () => {
  it('are round steps up to just below the throughput of the pilot trial', () => {
    expect(arrivalRates(probe(320), none, false)).toEqual([50, 70, 100, 150, 200, 300]);
    expect(arrivalRates(probe(18), none, false)).toEqual([2, 3, 5, 7, 10, 15]);
    expect(arrivalRates(probe(320), none, true)).toEqual([150, 300]);
  });

  it('hold the documented rates as far as the machine goes, as iterations, and no fewer requests than documented', () => {
    const documented = { ...none, requestRatesPerS: [500, 1000, 5000] };
    expect(arrivalRates(probe(2200), documented, false)).toEqual([300, 500, 700, 1000, 1500, 2000]);
    expect(arrivalRates(probe(320, 7), documented, true)).toEqual([71.5, 143, 300]);
    expect(arrivalRates(probe(320, 7.05), documented, true)).toEqual([71.5, 143, 300]);
    expect(arrivalRates(probe(40, 7), documented, true)).toEqual([20, 30]);
  });

  it('let tiers of unlike speed meet at the same steps', () => {
    const fast = arrivalRates(probe(320), none, false);
    const slow = arrivalRates(probe(130), none, false);
    expect(fast.filter((ratePerS) => slow.includes(ratePerS)).length).toBeGreaterThanOrEqual(3);
  });

  it('ascend, are at least one, and lie within the throughput of the pilot trial', () => {
    const rates = fc.double({ min: 0.02, max: 1e6, noNaN: true });
    const documentedRates = fc.array(fc.integer({ min: 1, max: 500_000 }), { maxLength: 4 });
    fc.assert(
      fc.property(
        rates,
        fc.integer({ min: 1, max: 20 }),
        documentedRates,
        fc.boolean(),
        (rate, requests, named, quick) => {
          const found = arrivalRates(probe(rate, requests), { ...none, requestRatesPerS: named }, quick);
          expect(found.length).toBeGreaterThan(0);
          expect(found).toEqual([...new Set(found)].toSorted((left, right) => left - right));
          expect(found.at(-1)).toBeLessThanOrEqual(rate);
          expect(found[0]).toBeGreaterThan(0);
          for (const one of named.filter((each) => (each / requests) * 1.02 <= rate)) {
            expect(found.some((each) => each * requests >= one * (1 - 1e-6) && each * requests <= one * 1.0102)).toBe(
              true,
            );
          }
        },
      ),
    );
  });
});
