import { describe, expect, test } from 'vitest';
import { madeUpGate, slowerAnswer } from '../test-support/made-up-gate.ts';
import { madeUpRun, madeUpTarget, madeUpTrial } from '../test-support/made-up-trial.ts';
import { reportOf } from './documents/registry.ts';
import { type PipelineResult, pipelineResult } from './pipeline.ts';
import { renderBencher, renderBenchmarkJson } from './renderers/benchmark-files.ts';
import { commentMarker, renderComment, renderSummary } from './renderers/comment.ts';
import { renderJunit } from './renderers/junit.ts';

const accepted = {
  metric: 'latency-p95',
  scenario: null,
  step: 'list tasks',
  service: null,
  upToRatio: 0.25,
  until: '2026-11-21',
  why: 'It shows the owner',
} as const;

const target = madeUpTarget({
  id: 'p95',
  value: 0.01,
  judged: { by: 'measured', metric: 'latency-p95' },
});

function outcomes({ checks }: PipelineResult): readonly string[] {
  return checks.map(({ outcome }) => outcome);
}

describe('a gate', () => {
  test('has a check for each metric', () => {
    expect(outcomes(pipelineResult(madeUpGate()))).toEqual(['passed', 'failed', 'passed', 'undecided']);
    expect(reportOf(madeUpGate()).verdict).toBe('missed');
  });

  test('passes what was accepted, until its day is over or it is slower than that', () => {
    const gate = madeUpGate([slowerAnswer], { accepted: [accepted] });
    expect(outcomes(pipelineResult(gate))).toEqual(['passed', 'passed', 'passed', 'undecided']);
    expect(reportOf(gate).verdict).toBe('met');
    const later = madeUpGate([slowerAnswer], { accepted: [accepted] }, '2026-11-22T00:00:00.000Z');
    expect(outcomes(pipelineResult(later))).toContain('failed');
    expect(reportOf(later).verdict).toBe('missed');
  });

  test('has a check for each target that was judged, and shows those that are not met', () => {
    const targets = (['met', 'missed', 'not-judged'] as const).map((verdict) => {
      return { id: 'p95', step: null, verdict, value: 0.02 };
    });
    const gate = madeUpGate([{ ...slowerAnswer, targets }]);
    const result = pipelineResult({ ...gate, targets: [target] });
    expect(result.checks.slice(4).map(({ group, outcome }) => [group, outcome])).toEqual([
      ['gate.crud.targets', 'passed'],
      ['gate.crud.targets', 'failed'],
    ]);
    expect(result.blocks.filter(({ kind }) => kind === 'table')).toHaveLength(2);
  });

  test('without an answer is an error with its code', () => {
    const endedAt = '2026-11-21T08:01:00.000Z';
    const status = { state: 'failed', endedAt, code: 'BUILD_FAILED', what: 'it "broke" <here>', nextStep: '' } as const;
    const result = pipelineResult({ ...madeUpGate([]), status });
    expect(result).toMatchObject({ durationS: 60, failure: { code: 'BUILD_FAILED' }, checks: [] });
    expect(renderJunit(result)).toContain('<error message="it &quot;broke&quot; &lt;here&gt; " type="BUILD_FAILED">');
  });
});

test('a run has a check for each target and tier', () => {
  const run = madeUpRun([madeUpTrial({ latencyS: 0.05, okPerS: 200 })], [target]);
  const result = pipelineResult(run);
  expect(outcomes(result)).toEqual(['failed']);
  expect(result.checks[0]).toMatchObject({ name: 'Made up < 10 ms (p95)' });
});

test('JUnit counts each outcome, and what decides nothing is skipped', () => {
  const text = renderJunit(pipelineResult(madeUpGate()));
  expect(text).toContain('tests="4" failures="1" errors="0" skipped="1"');
  expect(text.match(/<testcase /gu)).toHaveLength(4);
  expect(text).toContain('timestamp="2026-11-21T08:00:00"');
});

test('Bencher has times in nanoseconds, and ratios with their interval', () => {
  const benchmarks = JSON.parse(renderBencher(pipelineResult(madeUpGate())));
  expect(benchmarks['crud: p95 of list tasks']).toEqual({
    'head-over-base': { value: 1.23, lower_value: 1.14, upper_value: 1.33 },
    latency: { value: 24_600_000 },
  });
});

test('github-action-benchmark has the ratios of a gate only', () => {
  const entries: readonly { readonly unit: string }[] = JSON.parse(renderBenchmarkJson(pipelineResult(madeUpGate())));
  expect(entries).toHaveLength(4);
  expect(entries[1]).toEqual({
    name: 'crud: p95 of list tasks',
    unit: 'head/base',
    value: 1.23,
    range: '1.14 to 1.33',
  });
});

describe('a comment', () => {
  test('begins with the marker, then the answer, then a table of three columns', () => {
    const [marker, answer, , columns] = renderComment(pipelineResult(madeUpGate())).split('\n');
    expect(marker).toMatch(/^<!-- tierbench:gate-crud-[\w.-]+ -->$/u);
    expect(answer).toMatch(/^\*\*crud: head is slower/u);
    expect(columns?.split('|')).toHaveLength(5);
  });

  test('has one marker for the same question, whatever names are in it', () => {
    const marker = commentMarker({ id: 'gate--x-->y' });
    expect(marker.indexOf('--', 4)).toBe(marker.length - 3);
  });

  test('leaves out what does not fit', () => {
    const text = 'long '.repeat(20_000);
    const result = pipelineResult(madeUpGate());
    const blocks = [
      ...result.blocks,
      { kind: 'details' as const, summary: '', isOpen: false, blocks: [{ kind: 'paragraph' as const, text }] },
    ];
    expect(renderComment({ ...result, blocks }).length).toBeLessThan(2000);
    expect(renderSummary({ ...result, blocks })).toContain(text.trim());
  });
});
