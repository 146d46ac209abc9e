import { expect, test } from 'vitest';
import { TierbenchError } from '../../core/errors.ts';
import {
  createDroppedReader,
  createEventReader,
  type DroppedInK6,
  eventWriter,
  type K6Event,
  writeError,
} from './k6-events.ts';

function read(lines: string): K6Event[] {
  const events: K6Event[] = [];
  createEventReader((event) => events.push(event)).read(lines);
  return events;
}

test('lines are read as they were written, whatever a step is called', () => {
  const written: string[] = [];
  const writer = eventWriter((lines) => written.push(lines), 3, 12.3456);
  const ended = { step: 'Déjà "vu", & more', outcome: 'timeout', status: 0, describe: () => 'two\nlines' } as const;
  writer.iterationStarted(20);
  writer.waits();
  writer.waits();
  writer.requestEnded(ended, { kind: 'done', failed: true }, 20, 21.5, 1021.75);
  writer.requestEnded(ended, { kind: 'done', failed: true }, 20, 21.5, 1021.75);
  writer.waits();
  expect(written).toHaveLength(2);
  const how = { step: ended.step, outcome: 'timeout', status: 0, follows: 'failed' };
  const request = { kind: 'ended', vu: 3, runMs: 1021.75, latencyMs: 1001.75, serviceTimeMs: 1000.25, how };
  expect(read(written.join('\n'))).toEqual([
    { kind: 'origin', runMs: 12.346 },
    { kind: 'iteration', vu: 3, runMs: 20, wallMs: expect.any(Number) },
    request,
    { kind: 'failure', step: ended.step, outcome: 'timeout', message: 'two\nlines' },
    request,
  ]);
});

test('an error keeps its code, message and next step; what the scenario writes is text', () => {
  const written: string[] = ['hello'];
  const write = (line: string) => void written.push(line);
  writeError(write, new TierbenchError('SCENARIO_THREW', 'oops', 'fix it'));
  writeError(write, new Error('another'));
  expect(read(written.join('\n'))).toMatchObject([
    { kind: 'text', text: 'hello' },
    { kind: 'error', error: { code: 'SCENARIO_THREW', message: 'oops', nextStep: 'fix it' } },
    { kind: 'text', text: 'Error: another' },
  ]);
});

test.each([
  ['an outcome nobody knows', '\u0002w 1 0 done fine 200 x'],
  ['a way to end that was not written', '\u0002e 1 2 3 4 5'],
  ['another kind', '\u0002z 1 2'],
])('%s: says what it read instead of a measurement', (_what, line) => {
  expect(() => read(line)).toThrow(expect.objectContaining({ code: 'K6_FAILED' }));
});

// As k6 2.2.0 wrote it.
const csv = `metric_name,timestamp,metric_value,extra_tags,metadata
http_reqs,1795274574432059157,1.000000,,
dropped_iterations,1795274574431678821,1.000000,,
vus,1795274575632059157,3.000000,,
dropped_iterations,1795274575632059157,2.000000,,
`;

test('finds what was dropped among the metrics of k6, in whatever pieces they come', () => {
  for (const size of [1, 7, 1000]) {
    const found: DroppedInK6[] = [];
    const reader = createDroppedReader((each) => found.push(each));
    for (const piece of `${csv}dropped_itera`.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? []) reader.read(piece);
    expect(found.map(({ count }) => count)).toEqual([1, 2]);
    // Finer than a microsecond.
    expect(found[0]?.wallMs).toBeCloseTo(1_795_274_574_431 + 0.678821, 3);
  }
});

test.each([
  ['no header', 'Welcome to k9\n'],
  ['a line without an end', 'x'.repeat(200_000)],
])('%s instead of metrics', (_what, text) => {
  expect(() => createDroppedReader(() => {}).read(text)).toThrow(expect.objectContaining({ code: 'K6_FAILED' }));
});
