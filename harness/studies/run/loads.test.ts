import { describe, expect, it } from 'vitest';
import type { Target } from '../../core/target.ts';
import { readTargets } from '../../files/target-file.ts';
import { documentedLoads, documentedRates } from './loads.ts';

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

describe('documented rates', () => {
  const documented = { ...none, requestRatesPerS: [500, 1000, 5000] };

  it('are those the pilot trial reached or nearly did, as iterations, and no fewer requests than documented', () => {
    expect(documentedRates(probe(2200), documented)).toEqual([500, 1000]);
    expect(documentedRates(probe(320, 7), documented)).toEqual([71.5, 143]);
    expect(documentedRates(probe(320, 7.05), documented)).toEqual([71.5, 143]);
    expect(documentedRates(probe(120, 7), documented)).toEqual([71.5, 143]);
    expect(documentedRates(probe(40, 7), documented)).toEqual([]);
  });
});
