import { describe, expect, it } from 'vitest';
import { isLatencyMetric, type MeasuredMetric, type Target } from '../../harness/core/target.ts';
import { type ExportedTrial, thresholdsOf } from './export-thresholds.ts';

const source = { document: 'shop', section: 'Service levels' };

function target(id: string, metric: MeasuredMetric, bound: Partial<Target>): Target {
  const units = {
    'response-bytes': 'bytes',
    'error-ratio': 'ratio',
    throughput: 'requests/s',
    concurrency: 'users',
    'data-size': 'tasks',
  };
  return {
    id,
    title: `Title of ${id}`,
    source,
    comparison: '<',
    value: 1,
    unit: isLatencyMetric(metric) ? 's' : units[metric],
    appliesTo: { tiers: [], scenarios: [] },
    judged: { by: 'measured', metric },
    contradictions: [],
    ...bound,
  };
}

const open: ExportedTrial = {
  scenario: 'crud',
  tier: undefined,
  load: { model: 'open', arrivalRatePerS: 200, arrivals: 'constant' },
  warmUpS: 5,
  durationS: 45,
};
const closed: ExportedTrial = { ...open, load: { model: 'closed', concurrency: 50 } };

const conditions = (targets: readonly Target[], trial: ExportedTrial) =>
  thresholdsOf(targets, trial).set.map(({ metric, condition }) => `${metric} ${condition}`);
const leftOut = (targets: readonly Target[], trial: ExportedTrial) =>
  thresholdsOf(targets, trial).leftOut.map(({ target: { id }, why }) => `${id}: ${why}`);

describe('thresholds of targets', () => {
  it('has latencies in milliseconds, with the id of the target', () => {
    const p95 = target('shop-p95', 'latency-p95', { value: 0.2 });
    expect(thresholdsOf([p95], closed).set).toContainEqual({
      metric: 'latency',
      condition: 'p(95)<200',
      because: 'shop-p95: Title of shop-p95 < 200 ms',
    });
    expect(conditions([target('odd', 'latency-p95', { value: 0.0011, comparison: '<=' })], closed)).toContain(
      'latency p(95)<=1.1',
    );
    const between = target('between', 'latency-p95', { value: [0.1, 0.3], comparison: 'between' });
    expect(conditions([between], closed)).toEqual(expect.arrayContaining(['latency p(95)>=100', 'latency p(95)<=300']));
  });

  it.each([
    ['latency-p50', 'latency p(50)<200'],
    ['latency-p99.9', 'latency p(99.9)<200'],
    ['latency-mean', 'latency avg<200'],
    ['latency-max', 'latency max<200'],
  ] as const)('has %s', (metric, condition) => {
    expect(conditions([target('shop', metric, { value: 0.2 })], closed)).toContain(condition);
  });

  it('leaves out a target about some steps, which k6 counts together with the others', () => {
    const appliesTo = { tiers: [], scenarios: [], steps: ['read task'] };
    expect(leftOut([target('shop', 'latency-p95', { appliesTo })], closed)).toEqual([
      'shop: it is about read task alone',
    ]);
  });

  it('counts what was scheduled and never began as failed', () => {
    const errors = target('shop-errors', 'error-ratio', { value: 0.001 });
    expect(conditions([errors], open)).toEqual([
      'failed rate<0.001',
      // 0.1 % of 200/s over 50 s
      'dropped_iterations count<10',
      'succeeded count>0',
    ]);
    expect(conditions([errors], closed)).toEqual(['failed rate<0.001', 'succeeded count>0']);
  });

  it('wants the load that was asked for, and some right answer, whatever the targets are', () => {
    expect(conditions([], open)).toEqual(['succeeded count>0', 'dropped_iterations count<=100']);
    expect(conditions([], closed)).toEqual(['succeeded count>0']);
  });

  it('holds throughput only against a load that shows it', () => {
    const throughput = target('shop-throughput', 'throughput', { value: 200, comparison: '>=' });
    expect(conditions([throughput], open)).toContain('succeeded count>=8910');
    expect(leftOut([{ ...throughput, value: 201 }], open)).toEqual([
      expect.stringMatching(/^shop-throughput: one load does not show/),
    ]);
    expect(leftOut([throughput], closed)).toHaveLength(1);
    const named = { ...throughput, appliesTo: { tiers: [], scenarios: [], concurrency: 50 } };
    expect(conditions([named], closed)).toContain('succeeded count>=8910');
  });

  it('leaves out what is about another scenario, tier or load, and says so', () => {
    const about = (appliesTo: Partial<Target['appliesTo']>) =>
      target('shop-p95', 'latency-p95', { appliesTo: { tiers: [], scenarios: [], ...appliesTo } });
    expect(leftOut([about({ scenarios: ['login', 'mixed'] })], open)).toEqual([
      'shop-p95: it is about login and mixed',
    ]);
    expect(leftOut([about({ tiers: ['cached'] })], open)).toEqual([expect.stringContaining('the tier cached')]);
    expect(leftOut([about({ tiers: ['cached'] })], { ...open, tier: 'single' })).toHaveLength(1);
    expect(leftOut([about({ tiers: ['cached'] })], { ...open, tier: 'cached' })).toEqual([]);
    expect(leftOut([about({ concurrency: 51 })], closed)).toEqual([expect.stringContaining('concurrency of 51')]);
    expect(leftOut([about({ concurrency: 50 })], closed)).toEqual([]);
    expect(leftOut([about({ concurrency: 50 })], open)).toHaveLength(1);
    expect(leftOut([about({ arrivalRatePerS: 201 })], open)).toEqual([expect.stringContaining('201/s')]);
    expect(leftOut([about({ arrivalRatePerS: 200 })], open)).toEqual([]);
  });

  it('leaves out what no trial shows', () => {
    const size = target('shop-size', 'data-size', {});
    const users = target('shop-users', 'concurrency', { appliesTo: { tiers: [], scenarios: [], concurrency: 50 } });
    const setting: Target = { ...size, id: 'shop-pool', judged: { by: 'setting', option: 'DATABASE_POOL_MAX' } };
    expect(leftOut([size, users, setting], closed)).toEqual([
      'shop-size: k6 cannot see it',
      expect.stringMatching(/^shop-users: so many users are there/),
    ]);
  });
});
