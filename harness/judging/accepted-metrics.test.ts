import { expect, test } from 'vitest';
import { gatedMetric, listP95, slowerAnswer } from '../../test-support/made-up-gate.ts';
import type { Accepted } from '../core/accepted.ts';
import { applyAccepted } from './accepted-metrics.ts';

const entry: Accepted = {
  metric: 'latency-p95',
  scenario: 'crud',
  step: 'list tasks',
  service: null,
  upToRatio: 0.25,
  until: '2026-11-21',
  why: 'It shows the owner.',
};
const at = '2026-11-21T23:59:59.000Z';

function judge(changes: Partial<Accepted>, when = at) {
  return applyAccepted(slowerAnswer, [{ ...entry, ...changes }], when);
}

test('all that is slower is accepted on the last day, and expired on the next', () => {
  expect(judge({})).toMatchObject({ verdict: 'accepted', accepted: [{ metric: listP95 }], exceeded: [], expired: [] });
  expect(judge({}, '2026-11-22T00:00:00.000Z')).toMatchObject({ verdict: 'slower', accepted: [], expired: [entry] });
});

test.each([{ metric: 'latency' }, { scenario: null, step: null }] as const)(
  'an entry may be about more than one metric: %o',
  (changes) => {
    expect(judge(changes).verdict).toBe('accepted');
  },
);

test.each([
  { metric: 'latency-p99' },
  { metric: 'cpu', step: null },
  { step: 'read task' },
  { scenario: 'login' },
] as const)('an entry about something else accepts nothing: %o', (changes) => {
  expect(judge(changes)).toMatchObject({ verdict: 'slower', accepted: [], exceeded: [] });
});

test('slower than accepted stays slower, and is said', () => {
  expect(judge({ upToRatio: 0.2 })).toMatchObject({ verdict: 'slower', accepted: [], exceeded: [{ metric: listP95 }] });
});

test('the largest of several entries for a metric counts, and one that is accepted does not excuse another', () => {
  const cpu = gatedMetric({ kind: 'cpu', service: 'api' }, 'slower');
  const answer = { ...slowerAnswer, metrics: [...slowerAnswer.metrics, cpu] };
  const judged = applyAccepted(answer, [{ ...entry, upToRatio: 0.1 }, entry], at);
  expect(judged).toMatchObject({ verdict: 'slower', accepted: [{ by: entry }] });
});

test('where nothing is slower nothing is accepted', () => {
  const answer = { ...slowerAnswer, verdict: 'cannot-tell', metrics: slowerAnswer.metrics.slice(0, 1) } as const;
  expect(applyAccepted(answer, [entry], at)).toMatchObject({ verdict: 'cannot-tell', accepted: [] });
});
