import { describe, expect, it } from 'vitest';
import { type Random, seededRandom } from '../statistics/block-bootstrap.ts';
import { type HeldOut, leaveOneOut, type SweepMeasurement } from './held-out.ts';
import { fitInstances } from './scaling-of-instances.ts';

const exactly = (value: number) => ({ value, low: value, high: value });

function station(name: string, perUnitS: number, availablePerS: number) {
  return { name, perUnitS, backgroundPerS: 0, availablePerS };
}

/** 1 ms of `api` a request, and 0.3 ms of a database with one CPU; 80 % of what is used up is sustained. */
function measurement(instances: number, share = 0.8): SweepMeasurement {
  const stations = [station('api', 1e-3, instances), station('database', 3e-4, 1)];
  return { value: instances, ratePerS: exactly(share * Math.min(instances / 1e-3, 1 / 3e-4)), stations };
}

describe('a value predicted from the others', () => {
  it('is what the bottleneck law gives, also where another service becomes the bottleneck', () => {
    const found = leaveOneOut(
      [1, 2, 4, 8].map((instances) => measurement(instances)),
      true,
    );
    expect(found.map((each) => each?.model)).toEqual(['demands', 'demands', 'demands', 'demands']);
    expect(found.map((each) => each?.predictedPerS.value)).toEqual([
      expect.closeTo(800),
      expect.closeTo(1600),
      expect.closeTo(0.8 / 3e-4),
      expect.closeTo(0.8 / 3e-4),
    ]);
    expect(found.every((each) => each?.isInside)).toBe(true);
  });

  it('has a wider interval beyond the others, and where their shares differ', () => {
    const width = (each: HeldOut | null | undefined) =>
      each == null ? 0 : each.predictedPerS.high / each.predictedPerS.low;
    const alike = leaveOneOut(
      [1, 2, 3].map((instances) => measurement(instances)),
      true,
    );
    const unlike = leaveOneOut([measurement(1, 0.9), measurement(2), measurement(3, 0.5)], true);
    expect(width(alike[2])).toBeGreaterThan(width(alike[1]));
    expect(width(unlike[1])).toBeGreaterThan(width(alike[1]));
  });

  it('goes from one neighbour to the other where demands do not tell, such as with a small pool', () => {
    const found = leaveOneOut([measurement(2, 0.2), measurement(4, 0.4), measurement(8, 0.4 * 2)], false);
    const share = (found[1]?.predictedPerS.value ?? 0) * 3e-4;
    expect(share).toBeGreaterThan(0.3);
    expect(share).toBeLessThan(0.5);
  });

  it('lies between its neighbours where nothing is known but rates', () => {
    const of = (value: number, ratePerS: number) => ({ value, ratePerS: exactly(ratePerS), stations: [] });
    const found = leaveOneOut([of(1, 100), of(2, 190), of(4, 400)], false);
    expect(found.map((each) => each?.model ?? null)).toEqual([null, 'interpolation', null]);
    expect(found[1]?.predictedPerS.low).toBeLessThan(101);
    expect(found[1]?.predictedPerS.high).toBeGreaterThan(399);
  });

  it('is that of the Universal Scalability Law for instances without demands', () => {
    const of = (value: number) => ({ value, ratePerS: exactly((100 * value) / (1 + 0.1 * (value - 1))), stations: [] });
    const found = leaveOneOut([1, 2, 4, 8].map(of), true);
    expect(found.map((each) => each?.model)).toEqual(['usl', 'usl', 'usl', 'usl']);
    expect(found[3]?.predictedPerS.value).toBeCloseTo(of(8).ratePerS.value, -1);
  });

  it('is none of one value alone', () => {
    expect(leaveOneOut([measurement(1)], true)).toEqual([null]);
  });
});

describe('the law through instances', () => {
  const points = (of: (instances: number) => number, counts: readonly number[]) =>
    counts.map((concurrency) => ({ concurrency, throughputPerS: of(concurrency) }));

  it('has no coherency from three values, and says no peak beyond the data', () => {
    const fit = fitInstances(points((n) => (100 * n) / (1 + 0.1 * (n - 1)), [1, 2, 3]));
    expect(fit?.kappa).toBeNull();
    expect(fit?.sigma.value).toBeCloseTo(0.1, 3);
    expect(fit?.peak.kind).toBe('not-identified');
  });

  it('finds a peak within the data', () => {
    const fit = fitInstances(points((n) => (100 * n) / (1 + 0.02 * (n - 1) + 0.02 * n * (n - 1)), [1, 2, 4, 6, 8, 10]));
    expect(fit?.peak).toMatchObject({ kind: 'identified', estimate: { value: expect.closeTo(7, 0) } });
  });

  it('is not fitted to two values', () => {
    expect(fitInstances(points((n) => n, [1, 2]))).toBeNull();
  });
});

/** Sweeps of systems whose truth is known: starts differ, searches and demands have errors, and demands change with the value. */
describe('the interval of a prediction', () => {
  const normal = (random: Random) => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const noise = (random: Random, scatter: number) => Math.exp(scatter * normal(random));

  function simulated(random: Random, values: readonly number[], kind: 'instances' | 'cpus' | 'pool' | 'unmodelled') {
    const [apiS, databaseS] = [1e-3 * noise(random, 0.5), 3e-4 * noise(random, 0.5)];
    const share = 0.6 + 0.35 * random();
    const drift = 0.05 * normal(random);
    const scatter = 0.03 + 0.05 * random();
    return values.map((value): SweepMeasurement => {
      // What a request costs rises or falls with the size of the tier.
      const changed = value ** drift;
      const available = kind === 'pool' ? 2 : value;
      const usedUpPerS = Math.min(available / (apiS * changed), 1 / databaseS);
      const pooled = kind === 'pool' ? value / (value + 2) : 1;
      const truth = share * usedUpPerS * pooled * noise(random, scatter);
      const ratePerS = truth * noise(random, 0.03);
      const measuredS = (of: number) => of * noise(random, 0.04);
      return {
        value,
        ratePerS: { value: ratePerS, low: ratePerS * 0.95, high: ratePerS * 1.05 },
        stations:
          kind === 'unmodelled'
            ? []
            : [station('api', measuredS(apiS * changed), available), station('database', measuredS(databaseS), 1)],
      };
    });
  }

  it.each([
    ['instances', [1, 2, 3]],
    ['instances', [1, 2, 4, 8]],
    ['cpus', [0.25, 0.5, 1]],
    ['pool', [2, 4, 8, 16]],
    ['unmodelled', [1, 2, 3, 4]],
  ] as const)('holds 9 of 10 measurements of a sweep of %s over %j', (kind, values) => {
    const random = seededRandom(7);
    const found = Array.from({ length: 300 }, () =>
      leaveOneOut(simulated(random, values, kind), kind === 'instances' || kind === 'unmodelled'),
    ).flatMap((sweep) => sweep.flatMap((each) => each ?? []));
    const inside = found.filter(({ isInside }) => isInside).length / found.length;
    const widths = found.map(({ predictedPerS: { low, high } }) => high / low).toSorted((one, other) => one - other);
    expect(inside).toBeGreaterThanOrEqual(0.9);
    // An interval that holds everything says nothing.
    expect(widths[Math.floor(widths.length / 2)]).toBeLessThan(2.7);
  });
});
