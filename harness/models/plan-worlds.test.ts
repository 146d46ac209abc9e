import { describe, expect, it, test } from 'vitest';
import { exactly, usualAssumptions, type Workload } from '../core/plan.ts';
import { seededRandom } from '../statistics/block-bootstrap.ts';
import { drawWorlds, likelyWorld, type Uncertain } from './monte-carlo.ts';
import { inputsOf, modelErrorAt, needIn, type PlanModel, planInWorlds } from './plan-worlds.ts';

const certain = (value: number): Uncertain => ({ value, low: value, high: value, shape: 'range' });
const workload: Workload = {
  ...usualAssumptions,
  kind: 'peak-rate',
  amount: exactly(1000),
  scenario: null,
  headroomRatio: 0.8,
  failures: 1,
  largestCpus: 1,
  shortageCost: 3,
  dayCurve: null,
  given: [],
};
/** An instance of the API is used up at 400/s, of which 90 % is within the targets. */
const model: PlanModel = {
  workload,
  services: [
    {
      name: 'api',
      instances: 1,
      scales: true,
      cpus: 1,
      backgroundCpus: 0,
      cpuS: 0.0025,
      mainThreadS: null,
      demand: certain(1),
    },
    {
      name: 'database',
      instances: 1,
      scales: false,
      cpus: 2,
      backgroundCpus: 0,
      cpuS: 0.001,
      mainThreadS: 0.0005,
      demand: certain(1),
    },
  ],
  sustainedPerS: certain(360),
  modelError: certain(1),
  usedUpPerS: 400,
  usedUpBy: { api: 1 },
  prices: null,
};
const worldsOf = (of: PlanModel, count = 4000) => drawWorlds(inputsOf(of), count, seededRandom(1));

describe('a plan in many worlds', () => {
  it('has one answer where everything is known', () => {
    const { chance, instances, cost, peakPerS, swings } = planInWorlds(model, [4, 1], worldsOf(model, 10));
    // 1,000/s at 360/s each: 2.8 of them, and one that may fail; 1,000/(360 × 0.8) = 3.5.
    expect(instances).toEqual({ api: { value: 4, low: 4, high: 4 } });
    expect(cost).toEqual({ value: 6, low: 6, high: 6 });
    expect(peakPerS.low).toBe(1000);
    expect(chance).toBe(1);
    expect(swings).toEqual([]);
    expect(planInWorlds(model, [2, 1], worldsOf(model, 10)).chance).toBe(0);
  });

  it('carries the peak in the share of worlds that chance gives it', () => {
    // 3 instances carry 1,080/s: 28 of 100 from 800 to 1,800 are below.
    const own = { ...model, workload: { ...workload, amount: { low: 800, high: 1800 } } };
    const { chance, instances } = planInWorlds(own, [3, 1], worldsOf(own));
    expect(chance).toBeCloseTo(0.28, 1);
    expect(instances.api?.low).toBe(4);
    expect(instances.api?.high).toBe(7);
  });

  it('is not moved by the demand of what limited the measured tier, as that is what was sustained', () => {
    const demand: Uncertain = { value: 1, low: 0.5, high: 1, shape: 'range' };
    const own = { ...model, services: model.services.map((each) => ({ ...each, demand })) };
    const world = { ...likelyWorld(inputsOf(own)), 'demand:api': 0.5, 'demand:database': 1 };
    const [api, database] = needIn(own, world).services;
    expect(api?.now).toBeCloseTo(1000 / 360, 9);
    // Twice as far from the end as it seemed.
    expect(database?.now).toBeCloseTo((1000 * 0.0005) / 0.45, 9);
  });

  test('faster CPUs need fewer instances, and more growth more: in every world', () => {
    const own = {
      ...model,
      workload: { ...workload, cpuFactor: { low: 1, high: 3 }, growthRatio: { low: 0, high: 1 } },
    };
    const { swings } = planInWorlds(own, [4, 1], worldsOf(own, 100));
    const [slower, growth] = (['cpuFactor', 'growthRatio'] as const).map((id) =>
      swings.find(({ input }) => input === id),
    );
    expect(slower?.atLow).toBeGreaterThan(slower?.atHigh ?? Number.POSITIVE_INFINITY);
    expect(growth?.atLow).toBeLessThan(growth?.atHigh ?? 0);
    for (const world of worldsOf(own, 100)) {
      const at = (cpuFactor: number) => needIn(own, { ...world, cpuFactor }).services[0]?.now ?? 0;
      expect(at(2)).toBeCloseTo(at(1) / 2, 9);
    }
  });

  it('is less sure the farther it is from what was measured', () => {
    expect(modelErrorAt(0.5)).toEqual(modelErrorAt(1));
    expect(modelErrorAt(1).high).toBeCloseTo(Math.exp(1.96 * 0.08), 3);
    expect(modelErrorAt(10).high).toBeCloseTo(Math.exp(1.96 * Math.hypot(0.08, 0.12 * Math.LN10)), 3);
    const far = { ...model, modelError: modelErrorAt(10) };
    const { instances, chance } = planInWorlds(far, [4, 1], worldsOf(far));
    expect(chance).toBeLessThan(1);
    expect(instances.api).toMatchObject({ low: 3, high: 7 });
  });

  it('costs what its instances cost, with what is fixed and what each request costs', () => {
    const prices = {
      instanceMonth: { api: { low: 90, high: 110 } },
      fixedMonth: exactly(50),
      perRequest: exactly(1e-6),
    };
    const own = { ...model, prices };
    const { cost, swings } = planInWorlds(own, [4, 1], worldsOf(own));
    const requests = (1000 / 3) * 730 * 3600 * 1e-6;
    expect(cost.value).toBeCloseTo(400 + 50 + requests, -1);
    expect(cost.low).toBeGreaterThan(360 + 50 + requests);
    expect(swings).toMatchObject([{ input: 'price' }]);
  });
});
