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

function writerFor(vu: number) {
  const written: string[] = [];
  let nowMs = 0;
  const base64 = (bytes: ArrayBuffer) => Buffer.from(bytes).toString('base64');
  const writer = eventWriter({ write: (lines) => void written.push(lines), base64 }, vu, 12.3456, () => nowMs);
  const done = { kind: 'done', failed: false } as const;
  const ended = { step: 'get', outcome: 'ok', status: 200, bodyBytes: 12, describe: () => '' } as const;
  return {
    writer,
    lines: () => written.length,
    events: () => read(written.join('\n')),
    at: (ms: number) => (nowMs = ms),
    /** A request that was sent when the last one was answered. */
    request(endedMs: number): void {
      writer.waits(nowMs, true);
      writer.requestEnded(ended, done, nowMs, nowMs, endedMs);
      nowMs = endedMs;
    },
  };
}

test('what happened is read as it was written, whatever a step is called', () => {
  const { writer, events, lines, at } = writerFor(3);
  const step = 'Déjà "vu", & more';
  const ended = { step, outcome: 'timeout', status: 0, bodyBytes: 34, describe: () => 'two\nlines' } as const;
  at(20);
  writer.iterationStarted(20);
  writer.waits(20, false);
  writer.waits(20, false);
  writer.requestEnded(ended, { kind: 'done', failed: true }, 20, 21.5, 1021.75);
  writer.requestScheduled(1030.125);
  writer.requestEnded(ended, { kind: 'think', durationS: 1 }, 1030.125, 1031, 2000);
  writer.iterationEnded(2000.5, true);
  writer.iterationEnded(2001, false);
  at(2002.25);
  writer.waits(2002, false);
  expect(lines()).toBe(2);
  const how = { step, outcome: 'timeout', status: 0, follows: 'failed' };
  const reported = { kind: 'reported', vu: 3, wallMs: expect.any(Number), holdsBack: false };
  expect(events()).toEqual([
    { kind: 'origin', runMs: 12.3456 },
    { kind: 'iteration', vu: 3, runMs: 20 },
    { ...reported, runMs: 20 },
    { kind: 'failure', step, outcome: 'timeout', message: 'two\nlines' },
    { kind: 'ended', vu: 3, runMs: 1021.75, latencyMs: 1001.75, serviceTimeMs: 1000.25, bodyBytes: 34, how },
    { kind: 'request', vu: 3, runMs: 1030.125 },
    {
      kind: 'ended',
      vu: 3,
      runMs: 2000,
      latencyMs: 969.875,
      serviceTimeMs: 969,
      bodyBytes: 34,
      how: { ...how, follows: 'think' },
    },
    { kind: 'done', vu: 3, runMs: 2000.5, failed: true },
    { kind: 'done', vu: 3, runMs: 2001, failed: false },
    { ...reported, runMs: 2002.25 },
  ]);
});

test('what is answered soon is reported several at once, and before that it is said that this may be', () => {
  const { request, writer, events, lines } = writerFor(1);
  for (let ms = 10; ms <= 200; ms += 10) request(ms);
  expect(lines()).toBe(1);
  expect(events().at(-1)).toMatchObject({ kind: 'reported', runMs: 0, holdsBack: true });
  for (let ms = 210; ms <= 300; ms += 10) request(ms);
  expect(lines()).toBe(2);
  expect(events().filter(({ kind }) => kind === 'ended')).toHaveLength(25);
  writer.waits(300, false);
  expect(events().filter(({ kind }) => kind === 'ended')).toHaveLength(30);
  expect(events().at(-1)).toMatchObject({ kind: 'reported', runMs: 300, holdsBack: false });
});

test('after an answer that took long, and before a think time, nothing is held back', () => {
  const { request, writer, events } = writerFor(1);
  const last = () =>
    events()
      .filter(({ kind }) => kind === 'reported')
      .at(-1);
  request(10);
  request(1000);
  writer.waits(1000, true);
  expect(last()).toMatchObject({ runMs: 1000, holdsBack: false });
  request(1010);
  writer.waits(1010, true);
  expect(last()).toMatchObject({ runMs: 1010, holdsBack: true });
  writer.waits(1010, false);
  expect(last()).toMatchObject({ runMs: 1010, holdsBack: false });
});

test('as many requests as there are in 250 ms', () => {
  const { request, writer, events } = writerFor(1);
  for (let count = 1; count <= 10_000; count += 1) request(count / 50);
  writer.waits(200, false);
  const ended = events().flatMap((event) => (event.kind === 'ended' ? event.runMs : []));
  expect(ended).toEqual(Array.from({ length: 10_000 }, (_, index) => (index + 1) / 50));
});

test('an error keeps its code, message and next step; what the scenario writes is text', () => {
  const written: string[] = ['hello'];
  const write = (line: string) => void written.push(line);
  writeError(write, new TierbenchError('SCENARIO_THREW', 'oops', 'fix it'));
  writeError(write, new Error('another'));
  expect(read(written.join('\n'))).toMatchObject([
    { kind: 'text', text: 'hello' },
    { kind: 'error', error: { code: 'SCENARIO_THREW', message: 'oops', nextStep: 'fix it' } },
    { kind: 'text', text: 'another' },
  ]);
});

const numbers = (...values: readonly number[]) => Buffer.from(Float64Array.from(values).buffer).toString('base64');

test.each([
  ['an outcome nobody knows', '\u0002w 1 4 done fine 200 x'],
  ['a way to end out of its turn', '\u0002w 1 5 done ok 200 x'],
  ['a way to end that was not written', `\u0002b 1 2 3 0 ${numbers(4, 1, 2, 3)}`],
  ['half a record', `\u0002w 1 4 done ok 200 x\n\u0002b 1 2 3 0 ${numbers(4, 1, 2)}`],
  ['a record without its time', `\u0002b 1 2 3 0 ${numbers(0)}`],
  ['another number', `\u0002b 1 2 3 0 ${numbers(-1, 2)}`],
  ['no records', '\u0002b 1 2 3 0'],
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
