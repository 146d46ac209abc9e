import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { seededRandom } from '../../statistics/block-bootstrap.ts';
import { readMeasurements, readPoints } from './read-measurements.ts';

const fixture = (name: string) => join(import.meta.dirname, 'fixtures', name);
const fixtureText = (name: string) => readFileSync(fixture(name), 'utf8');

describe('outputs of load generators', () => {
  test.each([
    ['k6-summary-export.json', { concurrency: 5, throughputPerS: 2971.491851996929, latencyS: 0.0015646529520125599 }],
    ['k6-handle-summary.json', { concurrency: 5, throughputPerS: 2813.1645060829587 }],
    ['autocannon.json', { concurrency: 10, throughputPerS: 512.67, latencyS: expect.closeTo(0.01917, 9) }],
    ['wrk.txt', { concurrency: 10, throughputPerS: 5831.73, latencyS: expect.closeTo(0.00311, 9) }],
    ['hey.txt', { concurrency: expect.closeTo(20, 9), throughputPerS: 1600, latencyS: 0.0125 }],
    ['oha.json', { concurrency: expect.closeTo(50, 2), throughputPerS: 5102, latencyS: 0.0098 }],
  ])('%s is a point of closed-loop load', (name, point) => {
    expect(readPoints(fixtureText(name), name)).toMatchObject({ concurrency: [point], rate: [], problems: [] });
  });

  test('vegeta is a point of open-loop load', () => {
    expect(readPoints(fixtureText('vegeta.json'), 'f')).toEqual({
      concurrency: [],
      rate: [{ ratePerS: 101.01010672380401, p95S: 0.003478629 }],
      problems: [],
    });
  });

  test('so is k6 where most VUs wait for arrivals', () => {
    const text = fixtureText('k6-summary-export.json').replaceAll(/("vus_max": \{\s*"value": )5/gu, '$1500');
    expect(readPoints(text, 'f').rate).toMatchObject([{ p95S: expect.closeTo(0.0045, 4) }]);
  });

  test('failed requests are no throughput, and mostly failed ones no point', () => {
    const wrk = fixtureText('wrk.txt').replace('Requests/sec', '  Non-2xx or 3xx responses: 8909\nRequests/sec');
    expect(readPoints(wrk, 'f').concurrency[0]?.throughputPerS).toBeCloseTo(5831.73 / 2, 3);
    const vegeta = fixtureText('vegeta.json').replace('"success": 1', '"success": 0.5');
    expect(readPoints(vegeta, 'f').problems).toHaveLength(1);
  });

  it('reads several outputs of one file, each problem with its line', () => {
    const text = ['autocannon.json', 'oha.json'].map(fixtureText).join('\n');
    expect(readPoints(text, 'f').concurrency).toHaveLength(2);
    expect(readPoints(`${fixtureText('wrk.txt')}\n`.repeat(3), 'f').concurrency).toHaveLength(3);
    expect(readPoints('{"connections": 1}\n\n{"a": 1}\n{', 'f').problems.map(({ line }) => line)).toEqual([1, 3, 4]);
  });
});

describe('CSV', () => {
  const read = (text: string) => readPoints(text, 'f.csv');
  const lines = (text: string) =>
    read(text)
      .problems.map(({ line }) => line)
      .toSorted();

  test.each([
    ['rate,p95\n100,0.02\n', 0.02],
    ['\uFEFFRate;P95 (ms)\r\n100;20\r\n', 0.02],
    ['# of Monday\nrate\tp95_us\tnote\n\n100\t20000\tslow\n', 0.02],
    ['"rate","p95"\n"100","20 ms"', 0.02],
  ])('%j', (text, p95S) => {
    expect(read(text)).toEqual({ concurrency: [], rate: [{ ratePerS: 100, p95S }], problems: [] });
  });

  test('concurrency with and without latency, in any order of lines', () => {
    expect(read('concurrency,throughput,latency_ms\n4,100,40\n1,30,33').concurrency).toEqual([
      { concurrency: 4, throughputPerS: 100, latencyS: 0.04 },
      { concurrency: 1, throughputPerS: 30, latencyS: 0.033 },
    ]);
    expect(read('users,rps\n4,100').concurrency).toEqual([{ concurrency: 4, throughputPerS: 100, latencyS: null }]);
  });

  test.each([
    ['an empty file', '', [1]],
    ['remarks alone', '# a\n', [1]],
    ['no header', '1,2\n3,4', [1]],
    ['no values', 'rate,p95\n', [1]],
    ['unknown columns', 'a,b\n1,2', [1]],
    ['a misspelt column, and what is below it', 'concurrency,throughput,latncy\n1,NaN,2', [1, 2]],
    ['a column twice', 'rate,rate,p95\n1,1,1', [1]],
    ['columns of both kinds', 'concurrency,throughput,rate,p95\n1,2,3,4', [1]],
    [
      'gaps, NaN, too few values, and values below 0',
      'concurrency,throughput\n1,\n2,NaN\n3\n4,-1\n0,1',
      [2, 3, 4, 5, 6],
    ],
    ['a separator between thousands', 'concurrency,throughput\n1,1,000', [2]],
    ['infinite and absurd values', 'concurrency,throughput\n1,Infinity\n2,1e300', [2, 3]],
    ['a decimal comma', 'rate;p95\n1;0,5', [2]],
    ['mixed units', 'rate,p95\n1,20 ms\n2,0.03', [3]],
    ['milliseconds without a unit', 'rate,p95\n1,20\n2,300', [2]],
    ['a latency that contradicts the throughput', 'n,x,latency\n1,100,10\n2,180,11', [1]],
    ['a unit of something else', 'rate,p95\n1,20 MB', [2]],
  ])('%s', (_, text, expected) => {
    expect(lines(text)).toEqual(expected);
  });
});

it('joins the points of all files, and lists the problems of all', async () => {
  const curves = await readMeasurements(['wrk.txt', 'autocannon.json', 'vegeta.json'].map(fixture));
  expect(curves.map(({ kind, points }) => [kind, points.length])).toEqual([
    ['concurrency', 2],
    ['rate', 1],
  ]);
  await expect(readMeasurements([fixture('none.csv')])).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
  await expect(readMeasurements([import.meta.filename, import.meta.filename])).rejects.toMatchObject({
    code: 'MEASUREMENTS_INVALID',
  });
});

it('never throws, and gives points that are above 0 or problems, for 600 damaged files', () => {
  const random = seededRandom(1);
  const texts = [
    ...['k6-summary-export.json', 'autocannon.json', 'wrk.txt', 'hey.txt', 'oha.json', 'vegeta.json'].map(fixtureText),
    'concurrency,throughput,latency_ms\n1,10,3\n2,19,4\n',
    'rate;p95\n10;20 ms\n20;30 ms\n',
  ];
  const inserts = ['', '0', '-', 'NaN', ',', '"', '{', '}', 'null', '1e999', '\n', '\u0000', 'é', '[]'];
  const pick = <T>(values: readonly T[]) => values[Math.floor(random() * values.length)] as T;
  for (let round = 0; round < 600; round += 1) {
    let text = pick(texts);
    for (let edit = 0; edit < 3; edit += 1) {
      const at = Math.floor(random() * text.length);
      text = text.slice(0, at) + pick(inserts) + text.slice(at + Math.floor(random() * 20));
    }
    const { concurrency, rate, problems } = readPoints(text, 'f');
    const values = [
      ...concurrency.flatMap((point) => [point.concurrency, point.throughputPerS, point.latencyS ?? 1]),
      ...rate.flatMap(({ ratePerS, p95S }) => [ratePerS, p95S]),
    ];
    expect(values.every((value) => value > 0 && Number.isFinite(value))).toBe(true);
    expect(values.length + problems.length).toBeGreaterThan(0);
  }
});
