import { expect, test } from 'vitest';
import { madeUpTierRun } from '../../test-support/made-up-run.ts';
import { analyse } from '../analysis.ts';
import { chartsOf } from '../document.ts';
import { runDocument } from '../documents/run.ts';
import { loadPictures } from './png.ts';

const charts = chartsOf(
  runDocument(analyse(madeUpTierRun(['cached'], { login: [], crud: [100, 600], users: [] }))).blocks,
);

test('each chart is a PNG file, the same bytes each time', async () => {
  const [first, second] = [await loadPictures(), await loadPictures()];
  if (first.kind !== 'drawn' || second.kind !== 'drawn') throw new Error('canvas is a dependency of the tests');
  expect(first.note).toBeNull();
  expect(charts.length).toBeGreaterThan(4);
  for (const chart of charts) {
    const png = Buffer.from(first.draw(chart));
    expect(png.subarray(1, 4).toString('latin1')).toBe('PNG');
    expect(png.readUInt32BE(16)).toBe(1920);
    expect(png.equals(second.draw(chart))).toBe(true);
  }
});

test('without the optional package there is a reason instead of pictures', async () => {
  const pictures = await loadPictures(() => Promise.reject(new Error("Cannot find package 'canvas'")));
  expect(pictures).toEqual({ kind: 'unavailable', why: expect.stringContaining('npm install') });
});
