import { expect, test } from 'vitest';
import { judgeTrial } from '../../harness/judging/judge-trial.ts';
import { forTerminal } from '../../reports/text.ts';
import { madeUpTrial } from '../../test-support/made-up-trial.ts';
import { type ProgressEvent, progressAtStart, progressBar, progressLine } from './progress-line.ts';

const starting = { kind: 'subject-starting', subject: 'single', title: 'One instance', position: 2, total: 4 } as const;
const started = {
  kind: 'trial-started',
  subject: 'single',
  purpose: 'measure',
  attempt: 1,
  planned: { position: 3, total: 12 },
  scenario: 'login',
  load: { model: 'closed', concurrency: 10 },
  durationS: 8,
  time: { elapsedS: 20, atLeastS: 150, atMostS: 150 },
} as const satisfies ProgressEvent;
const interval = {
  kind: 'interval',
  requestsPerS: 33.2,
  p95S: 0.312,
  time: { elapsedS: 40, atLeastS: 120, atMostS: 120 },
} as const satisfies ProgressEvent;

function all(events: readonly ProgressEvent[], width = 100) {
  let state = progressAtStart;
  return events.map((event) => {
    const progress = progressLine(state, event, width);
    state = progress.state;
    return progress;
  });
}

test('shows the current step, its speed and the time left', () => {
  const [first, second] = all([started, interval]);
  expect(first?.lasting).toEqual(['single: login at concurrency 10, trial 3 of 12, 8 s; 2 min 30 s left']);
  expect(second?.lasting).toEqual([]);
  expect(forTerminal(second?.live ?? '', false)).toBe(
    'single: login at concurrency 10, trial 3 of 12  33.2/s  p95 312 ms  ████░░░░░░░░░░░░  2 min left',
  );
});

test('a pair is of no tier in particular', () => {
  const [, first] = all([starting, { ...started, subject: 'head', planned: null, pair: { number: 3, most: 30 } }]);
  expect(first?.lasting).toEqual(['head: login at concurrency 10, pair 3 of at most 30, 8 s; 2 min 30 s left']);
});

test('an arrival rate and all its figures fit in 80 columns', () => {
  const load = { model: 'open', arrivalRatePerS: 1500, arrivals: 'poisson' } as const;
  const [, first, second] = all([starting, { ...started, scenario: 'crud', load }, interval], 80);
  expect(first?.lasting).toEqual(['tier 2 of 4, single: crud at 1,500/s, trial 3 of 12, 8 s; 2 min 30 s left']);
  expect(second?.live).toBe('tier 2 of 4, single: crud at 1,500/s, trial 3 o…  33.2/s  p95 312 ms  2 min left');
});

test('a narrow terminal loses the bar first, then the words, then the figures, never the time left', () => {
  for (const width of [30, 50, 60, 80]) {
    const live = all([started, interval], width)[1]?.live ?? '';
    expect([...live].length).toBeLessThanOrEqual(width);
    expect(live).toContain('33.2/s  p95 312 ms  2 min left');
  }
  expect(all([started, interval], 12)[1]?.live).toBe('2 min left');
});

test('a second without an answer, an attempt, and an end that is known by bounds', () => {
  const time = { elapsedS: 3, atLeastS: 60, atMostS: 180 };
  const live = all([
    { ...started, attempt: 2 },
    { kind: 'interval', requestsPerS: 0, p95S: null, time },
  ])[1]?.live;
  expect(live).toContain('login at concurrency 10, trial 3 of 12, attempt 2');
  expect(live).toContain('0/s  no answer');
  expect(live).toMatch(/1 min to 3 min left$/);
});

test('every event has its words, on lines that stay', () => {
  const events: ProgressEvent[] = [
    starting,
    { kind: 'provider-progress', subject: 'single', what: 'starting PostgreSQL' },
    { kind: 'preparing-data', subject: 'single', amounts: { users: 1000, tasks: 10_000 } },
    { kind: 'planned', subject: 'single', loads: [] },
    { ...started, purpose: 'warm-up', planned: null },
    { kind: 'trial-finished', trial: judgeTrial(madeUpTrial({ latencyS: 0.02 }), null), attempt: 1 },
    { kind: 'waiting', reason: 'rest', leftS: 2, time: { elapsedS: 1, atLeastS: 2, atMostS: 2 } },
    { kind: 'note', note: { code: 'not-calibrated', engine: 'k6' } },
    { kind: 'message', text: 'a program was installed' },
    { kind: 'subject-stopped', subject: 'single' },
  ];
  expect(all(events).flatMap(({ lasting }) => lasting)).toEqual([
    'tier 2 of 4, single: starting (One instance)',
    'tier 2 of 4, single: starting PostgreSQL',
    'tier 2 of 4, single: seeding 1,000 users and 10,000 tasks',
    'tier 2 of 4, single: login at concurrency 10, warm-up, 8 s; 2 min 30 s left',
    '  100/s, p95 20 ms, 0 % errors',
    'note: the k6 engine could not be calibrated: too little of what it sent to an echo was answered',
    'note: a program was installed',
    'tier 2 of 4, single: stopped',
  ]);
});

test('words from outside cannot move the cursor', () => {
  const [progress] = all([{ kind: 'message', text: 'a\u001b[2Jb\nc' }]);
  expect(progress?.lasting).toEqual(['note: a\\u001b[2Jb c']);
});

test('the bar is empty at the start and full at the end', () => {
  expect(progressBar(0, 10, 4)).toBe('░░░░');
  expect(progressBar(10, 0, 4)).toBe('████');
  expect(progressBar(10, -5, 4)).toBe('████');
  expect(progressBar(0, 0, 4)).toBe('░░░░');
});
