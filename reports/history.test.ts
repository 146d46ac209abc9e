import { describe, expect, test } from 'vitest';
import { chartsOf } from './document.ts';
import { historyDocument } from './documents/history.ts';
import { historyOf, historyVerdict, type KeptResult } from './history.ts';
import type { PipelineValue } from './pipeline.ts';

const noise = [0.01, -0.02, 0.015, -0.01, 0.005, -0.015, 0.02, 0];

function results(measure: PipelineValue['measure'], ...levels: readonly number[]): readonly KeptResult[] {
  return levels.map((level, index) => ({
    source: `r${index}`,
    machine: 'one',
    result: {
      startedAt: new Date(Date.UTC(2026, 0, index + 1)).toISOString(),
      values: [
        { name: 'crud', measure, value: level * (1 + (noise[index % noise.length] ?? 0)), low: null, high: null },
      ],
    },
  }));
}

const before = Array<number>(8).fill(1);
const after = Array<number>(8).fill(1.3);

describe('what changed for good', () => {
  test.each([
    ['latency', [...before, ...after], 'missed'],
    ['latency', [...after, ...before], 'met'],
    ['throughput', [...after, ...before], 'missed'],
    ['latency', before, 'met'],
    ['latency', [...before, ...after, ...before], 'met'],
    ['latency', before.slice(0, 5), 'inconclusive'],
  ] as const)('%s %j: %s', (measure, levels, verdict) => {
    expect(historyVerdict(historyOf(results(measure, ...levels)))).toBe(verdict);
  });

  test('is dated by the first result after it, in whatever order results are read', () => {
    const kept = results('latency', ...before, ...after).toReversed();
    const [series] = historyOf(kept);
    expect(series?.changes).toMatchObject([{ index: 8, isWorse: true }]);
    expect(series?.points[8]?.source).toBe('r8');
  });
});

test('of a gate only ratios are followed', () => {
  const [first] = results('latency', 1);
  const ratio = { name: 'crud', measure: 'head-over-base', value: 1, low: 0.9, high: 1.1 } as const;
  const kept =
    first === undefined ? [] : [{ ...first, result: { ...first.result, values: [...first.result.values, ratio] } }];
  expect(historyOf(kept).map(({ measure }) => measure)).toEqual(['head-over-base']);
});

test('figures of several machines are said, ratios of gates are not', () => {
  const kept = results('latency', ...before).map((each, index) => ({ ...each, machine: `m${index % 2}` }));
  const kindsOf = (series: ReturnType<typeof historyOf>) =>
    historyDocument(series, 'results').blocks.map(({ kind }) => kind);
  expect(kindsOf(historyOf(kept))).toContain('note');
  expect(kindsOf(historyOf(kept).map((each) => ({ ...each, measure: 'head-over-base' })))).not.toContain('note');
});

test('a chart of each figure: those that changed first, the others folded', () => {
  const series = historyOf([...results('latency', ...before, ...after), ...results('throughput', ...before)]);
  const { blocks } = historyDocument(series, 'results');
  expect(blocks.map(({ kind }) => kind)).toEqual(['answer', 'table', 'figure', 'details']);
  expect(chartsOf(blocks)[0]?.moments).toEqual([{ at: 8.5, label: '+30 %' }]);
});
