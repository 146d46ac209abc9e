import { describe, expect, test } from 'vitest';
import { madeUpTrial } from '../../test-support/made-up-trial.ts';
import type { Target } from '../core/target.ts';
import { judgeTrial } from './judge-trial.ts';
import { judgePooled, overallOfGate } from './pooled-targets.ts';

const about = { tier: 'single', scenario: 'crud' };
const base: Target = {
  id: 'own',
  title: '',
  source: { document: '', section: '' },
  comparison: '<=',
  value: 0.2,
  unit: 's',
  appliesTo: { tiers: [], scenarios: [] },
  judged: { by: 'measured', metric: 'latency-p95' },
  contradictions: [],
};

/** Eight trials of 600 requests, so many of each 100 of which take 300 ms instead of 100 ms. */
function trials(slowOf100: number, options: Parameters<typeof madeUpTrial>[0] = {}) {
  return Array.from({ length: 8 }, () =>
    judgeTrial(
      madeUpTrial({
        measuredS: 6,
        okPerS: 100,
        steps: ['list', 'read'],
        latencyS: (request) => (request % 100 < slowOf100 ? 0.3 : 0.1),
        ...options,
      }),
      null,
    ),
  );
}

describe('a target held against several trials together', () => {
  test('is met, missed, or left open by the share of requests that are slower', () => {
    const verdicts = [2, 5, 9].map((slow) => judgePooled([base], trials(slow), about)[0]?.verdict);
    expect(verdicts).toEqual(['met', 'inconclusive', 'missed']);
    expect(judgePooled([base], trials(9), about)[0]?.value).toBeCloseTo(0.3, 2);
  });

  test('is about each step where it says so, and about any percentile', () => {
    const each: Target = { ...base, judged: { by: 'measured', metric: 'latency-p90', each: 'step' } };
    expect(judgePooled([each], trials(4), about).map(({ step, verdict }) => [step, verdict])).toEqual([
      ['list', 'met'],
      ['read', 'met'],
    ]);
    expect(
      judgePooled([{ ...base, judged: { by: 'measured', metric: 'latency-p99' } }], trials(4), about),
    ).toMatchObject([{ step: null, verdict: 'missed' }]);
  });

  test('counts what failed as slower', () => {
    expect(judgePooled([base], trials(0, { failedPerS: 20 }), about)[0]?.verdict).toBe('missed');
    const errors: Target = { ...base, value: 0.01, unit: 'ratio', judged: { by: 'measured', metric: 'error-ratio' } };
    expect(judgePooled([errors], trials(0, { failedPerS: 20 }), about)[0]?.verdict).toBe('missed');
    expect(judgePooled([errors], trials(0), about)[0]?.verdict).toBe('met');
  });

  test('is not judged where it is about something else, or no trial was measured', () => {
    const others: readonly Target[] = [
      { ...base, appliesTo: { tiers: ['cached'], scenarios: [] } },
      { ...base, appliesTo: { tiers: [], scenarios: ['login'] } },
      { ...base, judged: { by: 'measured', metric: 'throughput' } },
      { ...base, appliesTo: { tiers: [], scenarios: [], steps: ['delete'] } },
    ];
    expect(judgePooled(others, trials(0), about).map(({ verdict }) => verdict)).toEqual(Array(4).fill('not-judged'));
    expect(judgePooled([base], [], about)[0]?.verdict).toBe('not-judged');
  });
});

test('a target that is missed counts although nothing became slower', () => {
  const target = { id: 'own', step: null, value: null };
  expect(overallOfGate('not-slower', [{ ...target, verdict: 'missed' }])).toBe('missed');
  expect(overallOfGate('not-slower', [{ ...target, verdict: 'inconclusive' }])).toBe('inconclusive');
  expect(overallOfGate('not-slower', [{ ...target, verdict: 'not-judged' }])).toBe('met');
  expect(overallOfGate('slower')).toBe('missed');
  expect(overallOfGate('cannot-tell', [{ ...target, verdict: 'met' }])).toBe('inconclusive');
});
