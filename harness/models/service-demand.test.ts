import { describe, expect, it } from 'vitest';
import { expectedCapacities, serviceDemand } from './service-demand.ts';

describe('service demand', () => {
  it('is utilization over throughput: a disk that is used 30 % at 40 requests/s takes 7.5 ms of it for each', () => {
    expect(serviceDemand([{ ratePerS: 40, usedPerS: 0.3 }])).toEqual({
      perUnitS: 0.0075,
      interval: null,
      backgroundPerS: 0,
    });
  });

  it('leaves out what is used without any work', () => {
    const trials = [20, 50, 100, 200].map((ratePerS) => ({ ratePerS, usedPerS: 0.1 + 0.004 * ratePerS }));
    const demand = serviceDemand(trials);
    expect(demand?.perUnitS).toBeCloseTo(0.004, 10);
    expect(demand?.backgroundPerS).toBeCloseTo(0.1, 10);
  });

  it('is taken near saturation, since demands fall with load', () => {
    const trials = [10, 190, 200, 210].map((ratePerS) => ({
      ratePerS,
      usedPerS: ratePerS * (ratePerS < 100 ? 0.008 : 0.004),
    }));
    const demand = serviceDemand(trials);
    expect(demand?.perUnitS).toBeLessThan(0.0041);
  });

  it('has an interval from three trials on, that of Student over their values', () => {
    const demand = serviceDemand([0.9, 1, 1.1].map((usedPerS) => ({ ratePerS: 100, usedPerS })));
    expect(demand?.perUnitS).toBeCloseTo(0.01, 10);
    // 4.303 x 0.001 / sqrt(3)
    expect(demand?.interval?.low).toBeCloseTo(0.01 - 0.002484, 5);
    expect(demand?.interval?.high).toBeCloseTo(0.01 + 0.002484, 5);
  });

  it('is not known where no work was done', () => {
    expect(serviceDemand([{ ratePerS: 0, usedPerS: 0.2 }])).toBeNull();
    expect(serviceDemand([])).toBeNull();
  });
});

describe('expected capacities', () => {
  it('are those of the bottleneck law, the lowest first', () => {
    const station = (name: string, perUnitS: number, availablePerS = 1) => ({
      name,
      perUnitS,
      availablePerS,
      backgroundPerS: 0,
    });
    expect(expectedCapacities([station('cpu', 0.5), station('disk', 1), station('idle', 0)])).toEqual([
      { station: 'disk', atMostPerS: 1 },
      { station: 'cpu', atMostPerS: 2 },
    ]);
    expect(expectedCapacities([station('api', 0.004, 2)])).toEqual([{ station: 'api', atMostPerS: 500 }]);
    // What comes next is another service, not the same once more.
    expect(expectedCapacities([station('api', 1, 2), station('api', 0.8, 1), station('disk', 0.25)])).toEqual([
      { station: 'api', atMostPerS: 1.25 },
      { station: 'disk', atMostPerS: 4 },
    ]);
  });
});
