import { expect, test } from 'vitest';
import { createSampleReader, type K6Sample } from './k6-samples.ts';

// As k6 2.2.0 wrote it.
const written = `metric_name,timestamp,metric_value,extra_tags,metadata
tierbench_origin,1795274574431678821,0.046234,,
tierbench_started,1795274574431678821,12.500000,t=3 iteration,
http_reqs,1795274574432059157,1.000000,,
http_req_duration,1795274574432059157,22.399732,,
iteration_duration,1795274574432059157,22.724646,,
tierbench_service_time,1795274574432059157,20.250000,t=3 think ok 200 list%20%22tasks%22,
tierbench_latency,1795274574432059157,21.000000,t=3 think ok 200 list%20%22tasks%22,
tierbench_started,1795274575432059157,1033.000000,t=3 request,
tierbench_latency,1795274575632059157,200.000000,t=3 failed timeout 0 D%C3%A9j%C3%A0%2C%20vu,
dropped_iterations,1795274575632059157,1.000000,,
tierbench_done,1795274575632059157,1.000000,t=3,
vus,1795274575632059157,3.000000,,
`;

function read(...pieces: readonly string[]): K6Sample[] {
  const samples: K6Sample[] = [];
  const reader = createSampleReader((sample) => samples.push(sample));
  for (const piece of pieces) reader.read(piece);
  reader.end();
  return samples;
}

test('reads the metrics of the script and dropped iterations, and ignores the built-in metrics of k6', () => {
  const samples = read(written);
  expect(samples.map(({ atMs: _atMs, ...event }) => event)).toEqual([
    { kind: 'origin', runMs: 0.046234 },
    { kind: 'iteration', vu: 3, runMs: 12.5 },
    { kind: 'service-time', vu: 3, durationMs: 20.25 },
    {
      kind: 'latency',
      vu: 3,
      durationMs: 21,
      ended: { follows: 'think', outcome: 'ok', status: 200, step: 'list "tasks"' },
    },
    { kind: 'request', vu: 3, runMs: 1033 },
    {
      kind: 'latency',
      vu: 3,
      durationMs: 200,
      ended: { follows: 'failed', outcome: 'timeout', status: 0, step: 'Déjà, vu' },
    },
    { kind: 'dropped', count: 1 },
    { kind: 'done', vu: 3, failed: true },
  ]);
  // Finer than a microsecond.
  expect(samples[0]?.atMs).toBeCloseTo(1_795_274_574_431 + 0.678821, 3);
});

test('in whatever pieces it comes, and without a line that was cut short', () => {
  const whole = read(written);
  for (const size of [1, 7, 100]) {
    const pieces = written.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
    expect(read(...pieces)).toEqual(whole);
  }
  expect(read(written.slice(0, -70))).toEqual(whole.slice(0, -1));
});

test.each([
  ['no header', 'Welcome to k9\n'],
  ['no row', `${written}panic: runtime error\n`],
  ['an outcome nobody knows', `${written}tierbench_latency,1795274575632059157,200.000000,t=3 done fine 200 x,\n`],
  ['a metric of somebody else', `${written}tierbench_other,1795274575632059157,200.000000,t=3,\n`],
  ['a line without an end', 'x'.repeat(200_000)],
])('%s: says what it read instead of a measurement', (_what, text) => {
  expect(() => read(text)).toThrow(expect.objectContaining({ code: 'K6_FAILED' }));
});
