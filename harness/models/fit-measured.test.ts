import { describe, expect, it, test } from 'vitest';
import { seededRandom } from '../statistics/block-bootstrap.ts';
import { type FitOptions, fitMeasured, type QueueFit, type ScalabilityFit } from './fit-measured.ts';
import { responseQuantileS } from './queueing.ts';
import { uslConcurrencyAtThroughput, uslLimitPerS, uslPeakConcurrency, uslThroughputPerS } from './usl.ts';

const options: FitOptions = { noise: 'absolute', targetP95S: null, seed: 1 };

/** B. Schwartz, *Practical Scalability Analysis with the Universal Scalability Law*, 2015: a router of Cisco. */
const cisco = [
  955.16, 1878.91, 2688.01, 3548.68, 4315.54, 5130.43, 5931.37, 6531.08, 7219.8, 7867.61, 8278.71, 8646.7, 9047.84,
  9426.55, 9645.37, 9897.24, 10097.6, 10240.5, 10532.39, 10798.52, 11151.43, 11518.63, 11806, 12089.37, 12075.41,
  12177.29, 12211.41, 12158.93, 12155.27, 12118.04, 12140.4, 12074.39,
];

function scalability(throughputs: readonly (readonly [number, number])[], more: Partial<FitOptions> = {}) {
  const points = throughputs.map(([concurrency, throughputPerS]) => ({ concurrency, throughputPerS, latencyS: null }));
  const fit = fitMeasured({ kind: 'concurrency', name: '', points }, { ...options, ...more });
  expect(fit.model).toBe('usl');
  return fit as ScalabilityFit;
}

const near = (value: number, published: number, share = 1e-4) =>
  expect(Math.abs(value / published - 1)).toBeLessThan(share);

describe('the Universal Scalability Law', () => {
  it('gives the published answers for the Cisco data', () => {
    const { fitted, squares } = scalability(cisco.map((value, index) => [index + 1, value]));
    near(fitted.sigma, 0.026715946);
    near(fitted.kappa, 7.6909391e-4);
    near(fitted.lambdaPerS, 995.64879);
    near(squares, 1_023_849.5);
    near(uslThroughputPerS(fitted, 20), 11063.633);
    near(uslThroughputPerS(fitted, 35), 12341.746);
    near(uslConcurrencyAtThroughput(fitted, 11048) ?? 0, 19.923903);
    near(uslPeakConcurrency(fitted), 35.573788);
  });

  test.each([8, 10, 12, 32])(
    'identifies no peak in the first %d of them, and gives no number beyond the data',
    (count) => {
      const { peak, peakPerS, enough } = scalability(cisco.slice(0, count).map((value, index) => [index + 1, value]));
      expect(peak.kind).toBe('not-identified');
      expect(peak.kind === 'not-identified' && peak.atLeast).toBeLessThanOrEqual(count);
      expect(peakPerS).toEqual({ kind: 'not-identified', atLeast: Math.max(...cisco.slice(0, count)) });
      expect(enough).toBeNull();
    },
  );

  it('gives exact answers for exact data, in any order', () => {
    const { fitted, peak, enough } = scalability(
      [10, 8, 6, 4, 2, 1].map((n) => [n, n / (1 + 0.02 * (n - 1) + 0.02 * n * (n - 1))]),
    );
    expect(fitted.sigma).toBeCloseTo(0.02, 6);
    expect(fitted.kappa).toBeCloseTo(0.02, 6);
    expect(fitted.lambdaPerS).toBeCloseTo(1, 6);
    expect(peak).toMatchObject({ kind: 'identified', estimate: { value: expect.closeTo(7, 4) } });
    expect(enough?.value).toBeCloseTo(5.068, 3);
  });

  it('has no peak where throughput only grows', () => {
    const linear = scalability([1, 2, 3, 4, 5, 6].map((n) => [n, 100 * n]));
    expect(linear.peak).toEqual({ kind: 'not-identified', atLeast: 6 });
    expect(uslLimitPerS({ lambdaPerS: 10, sigma: 0.1, kappa: 0 })).toBe(100);
    expect(uslPeakConcurrency({ lambdaPerS: 10, sigma: 0.1, kappa: 0 })).toBe(Infinity);
    expect(uslConcurrencyAtThroughput({ lambdaPerS: 10, sigma: 0.1, kappa: 0 }, 100)).toBeNull();
  });

  it('has intervals that contain the truth in most of 20 noisy measurements', () => {
    const truth = { lambdaPerS: 100, sigma: 0.03, kappa: 0.002 };
    const random = seededRandom(7);
    const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    let within = 0;
    for (let trial = 0; trial < 20; trial += 1) {
      const fit = scalability(
        [1, 2, 4, 8, 12, 16, 20, 24, 28, 32].map((n) => [n, uslThroughputPerS(truth, n) * (1 + 0.03 * normal())]),
        { noise: 'relative' },
      );
      if (fit.sigma.low <= truth.sigma && truth.sigma <= fit.sigma.high) within += 1;
    }
    expect(within).toBeGreaterThanOrEqual(17);
  });
});

function queue(points: readonly { ratePerS: number; p95S: number }[], targetP95S: number | null = null) {
  const fit = fitMeasured({ kind: 'rate', name: '', points }, { ...options, targetP95S });
  expect(fit.model).toBe('queue');
  return fit as QueueFit;
}

describe('p95 over the arrival rate', () => {
  const p95Of = (ratePerS: number) =>
    responseQuantileS({ servers: 4, meanServiceS: 0.01, variation: 0.5 }, ratePerS, 0.95);

  it('finds the queue that the data came from', () => {
    const { fitted, capacityPerS } = queue(
      [50, 150, 250, 300, 350, 380, 390].map((ratePerS) => ({ ratePerS, p95S: p95Of(ratePerS) })),
    );
    expect(fitted.servers).toBe(4);
    expect(fitted.meanServiceS).toBeCloseTo(0.01, 5);
    expect(fitted.variation).toBeCloseTo(0.5, 3);
    expect(capacityPerS).toMatchObject({ kind: 'identified', estimate: { value: expect.closeTo(400, 1) } });
  });

  it('answers which rate is within a target', () => {
    const points = [50, 150, 250, 300, 350, 380].map((ratePerS) => ({ ratePerS, p95S: p95Of(ratePerS) }));
    const { withinTargetPerS } = queue(points, p95Of(320));
    expect(withinTargetPerS).toMatchObject({ kind: 'identified', estimate: { value: expect.closeTo(320, 1) } });
    expect(queue(points, 0.001).withinTargetPerS).toBeNull();
  });

  it('names no capacity where p95 does not rise', () => {
    const flat = [10, 20, 30, 40, 50, 60].map((ratePerS, index) => ({ ratePerS, p95S: 0.02 + 0.0001 * (index % 2) }));
    const { capacityPerS, withinTargetPerS } = queue(flat, 0.2);
    expect(capacityPerS).toEqual({ kind: 'not-identified', atLeast: 60 });
    expect(withinTargetPerS).toEqual({ kind: 'not-identified', atLeast: 60 });
  });
});

test.each([0, 1, 2, 5])('%d loads are too few for any model', (count) => {
  const points = Array.from({ length: count }, (_, index) => ({ ratePerS: index + 1, p95S: 0.1 }));
  expect(fitMeasured({ kind: 'rate', name: '', points: [...points, ...points] }, options)).toMatchObject({
    model: null,
    why: { code: 'too-few-loads', loads: count, needed: 6 },
  });
});

it('gives the same answer for the same seed', () => {
  const points = cisco.map((throughputPerS, index) => ({ concurrency: index + 1, throughputPerS, latencyS: null }));
  const answer = () => fitMeasured({ kind: 'concurrency', name: '', points }, options);
  expect(answer()).toEqual(answer());
});
