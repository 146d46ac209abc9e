import { expect, test } from 'vitest';
import { judgeTrial } from '../../harness/judging/judge-trial.ts';
import { madeUpTrial } from '../../test-support/made-up-trial.ts';
import { type ProgressEvent, progressAtStart, progressBar, progressLine } from './progress-line.ts';

const look = { width: 100, color: false };
const started: ProgressEvent = {
  kind: 'trial-started',
  subject: 'single',
  purpose: 'measure',
  attempt: 1,
  planned: { position: 3, total: 12 },
  scenario: 'login',
  load: { model: 'closed', concurrency: 10 },
  durationS: 8,
};
const interval: ProgressEvent = {
  kind: 'interval',
  requestsPerS: 33.2,
  p95S: 0.312,
  time: { elapsedS: 40, atLeastS: 120, atMostS: 120 },
};

function all(events: readonly ProgressEvent[], width = 100) {
  let state = progressAtStart;
  return events.map((event) => {
    const progress = progressLine(state, event, { ...look, width });
    state = progress.state;
    return progress;
  });
}

test('shows the current step, its speed and the time left', () => {
  const [first, second] = all([started, interval]);
  expect(first?.lasting).toEqual(['trial 3 of 12: login at concurrency 10, 8 s']);
  expect(second?.lasting).toEqual([]);
  expect(second?.live).toBe(
    'trial 3 of 12: login at concurrency 10, 8 s  33.2/s  p95 312 ms  ████░░░░░░░░░░░░  2 min left',
  );
});

test('an arrival rate and all its figures fit in 80 columns', () => {
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

test('a second without an answer, an attempt, and an end that is known by bounds', () => {
  const time = { elapsedS: 3, atLeastS: 60, atMostS: 180 };
  const live = all([
    { ...started, attempt: 2 },
    { kind: 'interval', requestsPerS: 0, p95S: null, time },
  ])[1]?.live;
  expect(live).toContain('trial 3 of 12, attempt 2: login');
  expect(live).toContain('0/s  no answer');
  expect(live).toMatch(/1 min to 3 min left$/);
});

test('every event has its words, on lines that stay', () => {
  const events: ProgressEvent[] = [
    { kind: 'subject-starting', subject: 'single', title: 'One instance', position: 1, total: 2 },
    { kind: 'provider-progress', subject: 'single', what: 'starting PostgreSQL' },
    { kind: 'preparing-data', subject: 'single', users: 1000, tasks: 10_000 },
    { kind: 'planned', subject: 'single', loads: [] },
    { ...started, purpose: 'warm-up', planned: null },
    { kind: 'trial-finished', trial: judgeTrial(madeUpTrial({ latencyS: 0.02 }), null), attempt: 1 },
    { kind: 'waiting', reason: 'rest', leftS: 2, time: { elapsedS: 1, atLeastS: 2, atMostS: 2 } },
    { kind: 'note', note: { code: 'not-calibrated', engine: 'k6' } },
    { kind: 'message', text: 'a program was installed' },
    { kind: 'subject-stopped', subject: 'single' },
  ];
  expect(all(events).flatMap(({ lasting }) => lasting)).toEqual([
    'tier 1 of 2: starting single (One instance)',
    'single: starting PostgreSQL',
    'single: seeding 1,000 users and 10,000 tasks',
    'warming up: login at concurrency 10, 8 s',
    '  100/s, p95 20 ms, 0 % errors',
    'note: the k6 engine could not be calibrated: too little of what it sent to an echo was answered',
    'note: a program was installed',
    'single is stopped',
  ]);
});

test('words from outside cannot move the cursor', () => {
  const [progress] = all([{ kind: 'message', text: 'a\u001b[2Jb\nc' }]);
  expect(progress?.lasting).toEqual(['note: a [2Jb c']);
});

test('the bar is empty at the start and full at the end', () => {
  expect(progressBar(0, 10, 4)).toBe('░░░░');
  expect(progressBar(10, 0, 4)).toBe('████');
  expect(progressBar(10, -5, 4)).toBe('████');
  expect(progressBar(0, 0, 4)).toBe('░░░░');
});
