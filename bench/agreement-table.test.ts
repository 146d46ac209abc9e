import { expect, test } from 'vitest';
import { type AgreementTrial, agreements, describeAgreements } from './agreement-table.ts';

const trial = (engine: string, round: number, throughputPerS: number, p95S: number | null, notValid: string[] = []) =>
  ({ system: 'app', load: 'concurrency 10', engine, round, throughputPerS, p95S, notValid }) satisfies AgreementTrial;

test('engines are compared round by round, and only where both trials are valid', () => {
  const [reference, other] = agreements(
    [
      trial('ours', 1, 1000, 0.01),
      trial('ours', 2, 500, 0.02),
      trial('ours', 3, 800, 0.01, ['busy']),
      trial('theirs', 1, 1050, 0.0105),
      trial('theirs', 2, 525, 0.021),
      trial('theirs', 3, 8000, 0.001),
    ],
    'ours',
  );
  expect(reference).toMatchObject({ engine: 'ours', valid: 2, trials: 3, throughputPerS: 750, p95S: 0.015 });
  expect(other).toMatchObject({ engine: 'theirs', valid: 3, throughputPerS: 1050, agrees: true });
  expect(other?.throughputRatio).toBeCloseTo(1.05, 9);
  expect(other?.p95Ratio).toBeCloseTo(1.05, 9);
});

test.each([
  { p95S: 0.0109, throughputPerS: 1000, agrees: true },
  { p95S: 0.0112, throughputPerS: 1000, agrees: false },
  { p95S: 0.01, throughputPerS: 1120, agrees: false },
  { p95S: 0.01, throughputPerS: 900, agrees: false },
])('p95 $p95S s and $throughputPerS/s against 0.01 s and 1000/s', ({ p95S, throughputPerS, agrees }) => {
  const trials = [trial('ours', 1, 1000, 0.01), trial('theirs', 1, throughputPerS, p95S)];
  expect(agreements(trials, 'ours')[1]?.agrees).toBe(agrees);
});

test('nothing is said where no round has two valid trials, and why stands below the table', () => {
  const trials = [
    trial('ours', 1, 1000, 0.01),
    trial('ours', 2, 1000, 0.01),
    trial('theirs', 1, 1000, 0.01, ['busy 91 %']),
    trial('theirs', 2, 1000, 0.01, ['busy 93 %']),
  ];
  expect(agreements(trials, 'ours')[1]).toMatchObject({ valid: 0, throughputRatio: null, agrees: null });
  const text = describeAgreements(trials, 'ours');
  expect(text).toContain('| app | concurrency 10 | theirs | 1,000 | ? | 10.00 ms | ? | 0 of 2 | not known |');
  expect(text).toContain('0 of 0 comparisons are within 10 %; 1 could not be made');
  expect(text).toContain('- theirs, app, concurrency 10: busy 91 % (2 times)');
});
