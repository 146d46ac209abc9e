import { expect, it } from 'vitest';
import { seededRandom } from '../statistics/block-bootstrap.ts';
import { type StepUsage, stepDemands } from './step-demand.ts';

/** A login takes 60 ms, a read 1 ms, a write 3 ms; each trial is off by up to 2 %. */
const costsS = { login: 0.06, read: 0.001, write: 0.003, remove: 0.005 } as const;
type Rates = Readonly<Partial<Record<keyof typeof costsS, number>>>;

function trialsOf(...mixes: readonly Rates[]): StepUsage[] {
  const random = seededRandom(1);
  return mixes.flatMap((rates) =>
    [1, 1.1, 1.2, 1.3].map((times): StepUsage => {
      const entries = Object.entries(rates).map(([name, ratePerS]) => [name, ratePerS * times] as const);
      const usedPerS = entries.reduce((sum, [name, ratePerS]) => sum + ratePerS * costsS[name as keyof Rates], 0);
      return { ratesPerS: new Map(entries), usedPerS: usedPerS * (1 + 0.04 * (random() - 0.5)) };
    }),
  );
}

it('is known of each step where scenarios have them in different proportions', () => {
  const found = stepDemands(trialsOf({ login: 10 }, { read: 300, write: 10 }, { read: 50, write: 100 }));
  expect(found.map(({ steps }) => steps)).toEqual([['login'], ['read'], ['write']]);
  for (const { steps, estimate } of found) {
    const costS = costsS[steps[0] as keyof typeof costsS];
    expect(estimate?.low).toBeLessThanOrEqual(costS);
    expect(estimate?.high).toBeGreaterThanOrEqual(costS);
  }
});

it('is that of several together where they always come in the same proportion', () => {
  const found = stepDemands(trialsOf({ login: 10 }, { write: 100, remove: 100 }));
  expect(found).toMatchObject([{ steps: ['login'] }, { steps: ['write', 'remove'] }]);
  expect(found[1]?.estimate?.value).toBeCloseTo(0.004, 4);
});

it('is not known of three steps in two proportions, while that of another is', () => {
  const found = stepDemands(
    trialsOf({ login: 10 }, { read: 100, write: 100, remove: 10 }, { read: 100, write: 10, remove: 100 }),
  );
  expect(found[0]?.estimate?.value).toBeCloseTo(0.06, 2);
  expect(found.slice(1)).toEqual(['read', 'write', 'remove'].map((step) => ({ steps: [step], estimate: null })));
});

it('is not known from fewer trials than steps', () => {
  expect(stepDemands(trialsOf({ read: 1, login: 2 }).slice(0, 1))).toMatchObject([{ estimate: null }]);
  expect(stepDemands([])).toEqual([]);
});
