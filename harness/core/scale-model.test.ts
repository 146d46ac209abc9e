import { expect, test } from 'vitest';
import { scaleModel, tierCpus, withScaledCpus } from './scale-model.ts';
import type { Service, Tier } from './tier.ts';

const service = (name: string, cpus: number | undefined, instances = 1): Service => ({
  name,
  kind: 'api',
  instances,
  settings: {},
  resources: { memoryBytes: 2 ** 30, ...(cpus !== undefined && { cpus }) },
  connectsTo: {},
});
const tier = (name: string, ...services: Service[]): Tier => ({
  name,
  title: name,
  description: '',
  documents: [],
  entry: 'api',
  services,
});
const small = tier('small', service('api', 1), service('database', 1));
const large = tier('large', service('api', 1, 3), service('database', 2), service('cache', 0.5));

test('the largest tier fits into the CPUs, all instances counted', () => {
  const factor = scaleModel([small, large], 1.1);
  expect(factor).toBeCloseTo(0.2, 10);
  expect(tierCpus(withScaledCpus(large, factor))).toBeCloseTo(1.1, 10);
  expect(tierCpus(withScaledCpus(small, factor))).toBeCloseTo(0.4, 10);
});

test('nothing is made larger than its tier file says', () => {
  expect(scaleModel([small, large], 64)).toBe(1);
  expect(scaleModel([], 2)).toBe(1);
});

test('only CPUs are scaled', () => {
  expect(withScaledCpus(small, 0.5).services[0]).toEqual({ ...service('api', 0.5) });
});

test('every service without a limit is named', () => {
  const open = tier('open', service('api', 1), service('database', undefined), service('cache', undefined));
  expect(() => scaleModel([small, open], 1)).toThrow(
    expect.objectContaining({
      code: 'SCALE_MODEL_IMPOSSIBLE',
      problems: [
        { what: "the service 'database' of tier 'open' says no cpus" },
        { what: "the service 'cache' of tier 'open' says no cpus" },
      ],
    }),
  );
  expect(withScaledCpus(open, 0.5).services[1]?.resources).toEqual({ memoryBytes: 2 ** 30 });
});

test.each([0, -1, Number.NaN])('%s CPUs are too few', (cpus) => {
  expect(() => scaleModel([small], cpus)).toThrow(expect.objectContaining({ code: 'SCALE_MODEL_IMPOSSIBLE' }));
});
