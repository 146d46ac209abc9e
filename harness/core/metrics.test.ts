import { describe, expect, it } from 'vitest';
import { isMetricId, type MetricId, metrics } from './metrics.ts';

describe('the registry of metrics', () => {
  it('gives each utilization a limit of the same resource and unit, unless it is a ratio', () => {
    for (const [id, { role, unit, resource, limit }] of Object.entries(metrics)) {
      const needsLimit = role === 'utilization' && unit !== 'ratio';
      expect(limit !== undefined, id).toBe(needsLimit);
      if (limit !== undefined) expect(metrics[limit], id).toMatchObject({ role: 'limit', resource, unit });
    }
  });

  it('knows its ids, and nothing else', () => {
    expect(isMetricId('cpu-cores')).toBe(true);
    expect(isMetricId('cpu-cored')).toBe(false);
    expect(isMetricId('toString')).toBe(false);
    // @ts-expect-error a misspelt metric does not compile
    const misspelt: MetricId = 'cpu-cored';
    expect(isMetricId(misspelt)).toBe(false);
  });
});
