import { expect, test, vi } from 'vitest';
import { allCharts, analyse } from './analysis.ts';
import { calmRateRun } from './fixtures/rate-runs.ts';
import { syntheticRun } from './fixtures/synthetic-run.ts';
import { loadPictures } from './png.ts';

// Histograms and pictures take their time on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const charts = analyse(syntheticRun(['single'], [1, 10])).tiers.flatMap((tier) => tier.charts);
const byRate = allCharts(analyse(calmRateRun()));

test('each chart is a PNG file, the same bytes each time', async () => {
  const [first, second] = [await loadPictures(), await loadPictures()];
  if (first.kind !== 'drawn' || second.kind !== 'drawn')
    throw new Error('chartjs-node-canvas is a dependency of the tests');
  expect(first.note).toBeNull();
  expect(charts.map(({ id }) => id)).toEqual(
    ['throughput', 'latency', 'distribution', 'time-line'].map((id) => `single-${id}`),
  );
  for (const chart of [...charts, ...byRate]) {
    const png = Buffer.from(first.draw(chart));
    expect(png.subarray(1, 4).toString('latin1')).toBe('PNG');
    expect(png.readUInt32BE(16)).toBe(1920);
    expect(png.equals(second.draw(chart))).toBe(true);
  }
});

test('without the optional package there is a reason instead of pictures', async () => {
  const pictures = await loadPictures(() => Promise.reject(new Error("Cannot find package 'chartjs-node-canvas'")));
  expect(pictures).toEqual({ kind: 'unavailable', why: expect.stringContaining('npm install chartjs-node-canvas') });
});
