import { expect, it } from 'vitest';
import { exactly } from '../harness/core/plan.ts';
import type { RunResult } from '../harness/core/run.ts';
import { readTargets } from '../harness/files/target-file.ts';
import { workloadFrom } from '../harness/files/workload-file.ts';
import { fourTiers } from '../test-support/made-up-run.ts';
import { madeUpRun, madeUpTrial } from '../test-support/made-up-trial.ts';
import { analyse } from './analysis.ts';
import { judgeClaims } from './claims.ts';
import { claimsDocument } from './documents/claims.ts';
import { renderTerminal } from './renderers/terminal.ts';

const question = {
  workload: workloadFrom({ amount: { kind: 'daily-users', value: exactly(1e6) } }),
  scenario: 'crud',
  prices: null,
} as const;

/** The same on every tier: a request costs the API `apiS` of CPU and the database a tenth of that; 500/s are sustained. */
function runOf(apiS: number): RunResult {
  const trials = fourTiers.flatMap(({ name }, place) =>
    [400, 500, 520, 640].map((arrivalRatePerS, index) => {
      const value = arrivalRatePerS * apiS;
      const trial = madeUpTrial({
        sequence: 10 * place + index + 1,
        load: { model: 'open', arrivalRatePerS, arrivals: 'poisson' },
        okPerS: arrivalRatePerS,
        latencyS: arrivalRatePerS > 510 ? 0.4 : 0.05,
        samples: [1, 2, 3].flatMap((atS) => [
          { atS, source: 'api/1', metric: 'cpu-cores', value } as const,
          { atS, source: 'database/1', metric: 'cpu-cores', value: value / 10 } as const,
          { atS, source: 'primary/1', metric: 'cpu-cores', value: value / 10 } as const,
        ]),
      });
      return { ...trial, subject: name };
    }),
  );
  const run = madeUpRun(trials, [], { question: { arrivalRatesPerS: null, concurrencies: null } });
  const [first] = run.subjects;
  if (first === undefined) throw new Error('a run has a subject');
  const sustainedRate = {
    valuePerS: 510,
    lowPerS: 500,
    highPerS: 520,
    end: 'precise',
    binding: 'p95',
    shape: 'smooth',
    monotone: true,
  } as const;
  return {
    ...run,
    subjects: fourTiers.map((tier) => ({ ...first, id: tier.name, tier })),
    answers: fourTiers.map(({ name: subject }) => ({
      subject,
      scenarios: [{ scenario: 'crud', sustainedRate, sustained: [] }],
    })),
  };
}

async function judged(apiS: number) {
  const analysis = analyse(runOf(apiS));
  return { analysis, claims: judgeClaims(analysis, await readTargets(), question) };
}

it('judges every figure that a model judges, with a calculation', async () => {
  const { claims, analysis } = await judged(1.5e-3);
  const model = (await readTargets()).filter((target) => target.judged.by === 'model');
  expect(model.length).toBeGreaterThanOrEqual(43);
  expect(claims.map(({ target }) => target.id)).toEqual(model.map(({ id }) => id));
  expect(claims.filter(({ calculation }) => calculation === '')).toEqual([]);
  expect(renderTerminal(claimsDocument(claims, analysis, 'crud'), null, 100)).toContain('inconclusive');
});

it('gives the verdicts that follow from what was measured', async () => {
  // An API of one CPU carries 500 of 667/s; that of a CPU 40 times as fast carries 20,000.
  const [slow, fast] = await Promise.all([judged(1.5e-3), judged(1.5e-3 / 40)]);
  const verdictOf = ({ claims }: typeof slow, id: string) => claims.find(({ target }) => target.id === id)?.verdict;
  const both = (id: string) => [verdictOf(slow, id), verdictOf(fast, id)];
  expect(both('authflow-instance-throughput')[0]).toBe('missed');
  expect(both('authflow-high-load')).toEqual(['missed', 'missed']);
  expect(both('authflow-medium-load-pods')[0]).toBe('missed');
  expect(both('lsf-auth-phase-1-users')).toEqual(['met', 'met']);
  expect(both('lsf-auth-cost-total')).toEqual(['met', 'met']);
  expect(both('scalability-strategy-cost-total')).toEqual(['met', 'met']);
  expect(both('lsf-auth-cost-database')).toEqual(['inconclusive', 'inconclusive']);
});

it('leaves everything but sums open for a run that no plan can be made from', async () => {
  const claims = judgeClaims(analyse(madeUpRun([], [])), await readTargets(), question);
  expect(claims.filter(({ verdict }) => verdict !== 'inconclusive').map(({ target }) => target.id)).toEqual([
    'lsf-auth-cost-total',
    'scalability-strategy-cost-total',
  ]);
});
