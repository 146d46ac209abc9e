import { expect, test } from 'vitest';
import type { RunEvent } from '../../harness/core/run-event.ts';
import { progressAtStart, progressBar, progressLine } from './progress-line.ts';

const look = { width: 100, color: false };
const started: RunEvent = {
  kind: 'trial-started',
  tier: 'single',
  purpose: 'measure',
  sequence: 3,
  total: 12,
  scenario: 'login',
  load: { model: 'closed', concurrency: 10 },
  durationS: 8,
};
const interval: RunEvent = { kind: 'interval', requestsPerS: 33.2, p95S: 0.312, elapsedS: 40, remainingS: 120 };

function all(events: readonly RunEvent[], width = 100) {
  let state = progressAtStart;
  return events.map((event) => {
    const progress = progressLine(state, event, { ...look, width });
    state = progress.state;
    return progress;
  });
}

test('tells what is happening, how fast and how long it takes still', () => {
  const [first, second] = all([started, interval]);
  expect(first?.lasting).toEqual(['trial 3 of 12: login at concurrency 10, 8 s']);
  expect(second?.lasting).toEqual([]);
  expect(second?.live).toBe(
    'trial 3 of 12: login at concurrency 10, 8 s  33.2/s  p95 312 ms  ████░░░░░░░░░░░░  2 min left',
  );
});

test('an arrival rate reads well in 80 columns, with all that is told of it', () => {
  const load = { model: 'open', arrivalRatePerS: 1500, arrivals: 'poisson' } as const;
  const [first, second] = all([{ ...started, scenario: 'crud', load }, interval], 80);
  expect(first?.lasting).toEqual(['trial 3 of 12: crud at 1,500/s, 8 s']);
  expect(second?.live).toBe('trial 3 of 12: crud at 1,500/s, 8 s  33.2/s  p95 312 ms  2 min left');
});

test('a narrow terminal loses the bar first, then the words, never the figures', () => {
  for (const width of [30, 50, 60, 80]) {
    const live = all([started, interval], width)[1]?.live ?? '';
    expect([...live].length).toBeLessThanOrEqual(width);
    expect(live).toContain('33.2/s  p95 312 ms');
  }
});

test('a second without an answer, and a run whose end is not known', () => {
  const live = all([started, { kind: 'interval', requestsPerS: 0, p95S: null, elapsedS: 3, remainingS: null }])[1]
    ?.live;
  expect(live).toBe('trial 3 of 12: login at concurrency 10, 8 s  0/s  no answer');
});

test('every event has its words, on lines that stay', () => {
  const events: RunEvent[] = [
    { kind: 'tier-starting', tier: 'single', title: 'One instance', position: 1, total: 2 },
    { kind: 'provider-progress', tier: 'single', what: 'starting PostgreSQL' },
    { kind: 'preparing-data', tier: 'single', users: 1000, tasks: 10_000 },
    { ...started, purpose: 'warm-up' },
    { kind: 'trial-finished', sequence: 3, total: 12, summary: '33/s, p95 312 ms' },
    { kind: 'note', text: 'a probe failed' },
    { kind: 'tier-stopped', tier: 'single' },
    { kind: 'report-written', folder: 'results/1', paths: [] },
  ];
  expect(all(events).flatMap(({ lasting }) => lasting)).toEqual([
    'tier 1 of 2: bringing up single (One instance)',
    'single: starting PostgreSQL',
    'single: seeding 1,000 users and 10,000 tasks',
    'warming up: login at concurrency 10, 8 s',
    '  33/s, p95 312 ms',
    'note: a probe failed',
    'single is stopped',
    'report written to results/1',
  ]);
});

test('words from outside cannot move the cursor', () => {
  const [progress] = all([{ kind: 'note', text: 'a\u001b[2Jb\nc' }]);
  expect(progress?.lasting).toEqual(['note: a [2Jb c']);
});

test('the bar is empty at the start and full at the end', () => {
  expect(progressBar(0, 10, 4)).toBe('░░░░');
  expect(progressBar(10, 0, 4)).toBe('████');
  expect(progressBar(10, -5, 4)).toBe('████');
  expect(progressBar(0, 0, 4)).toBe('░░░░');
});
