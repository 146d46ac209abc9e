import { stat } from 'node:fs/promises';
import { type Problem, TierbenchError } from '../../harness/core/errors.ts';
import { isOneRate, loadLevel } from '../../harness/core/load.ts';
import type { MeasuredCurve } from '../../harness/core/measured-curve.ts';
import { parseIn } from '../../harness/core/units.ts';
import { absoluteFolder } from '../../harness/files/atomic-write.ts';
import { readMeasurements } from '../../harness/files/measurements/read-measurements.ts';
import { readResults } from '../../harness/files/results.ts';
import { judgeTrials } from '../../harness/judging/judge-trial.ts';
import { isValid, type JudgedTrial } from '../../harness/judging/judged-trial.ts';
import { type FitOptions, fitMeasured } from '../../harness/models/fit-measured.ts';
import { studiesByName } from '../../harness/studies/registry.ts';
import { fitDocument, fitReport } from '../../reports/documents/fit.ts';
import { exitCodes, type Output } from '../output/streams.ts';
import { typedReader } from '../typed-reader.ts';
import { printDocument } from './report.ts';

export interface TypedFitOptions {
  readonly p95?: string;
  readonly noise?: string;
  readonly seed?: string;
  readonly out?: string;
  readonly json?: boolean;
}

/**
 * Fits a model to each curve that the files or the results folders hold. 0 where each is described by one, 3 where one has
 * too few loads for a fit.
 */
export async function fit(paths: readonly string[], typed: TypedFitOptions, output: Output): Promise<number> {
  const options = readOptions(typed);
  const folders = await Promise.all(
    paths.map((path) =>
      stat(path).then(
        (found) => found.isDirectory(),
        () => false,
      ),
    ),
  );
  const files = paths.filter((_, index) => folders[index] !== true);
  const curves = [
    ...(files.length === 0 ? [] : await readMeasurements(files)),
    ...(await Promise.all(paths.filter((_, index) => folders[index] === true).map(curvesOfResults))).flat(),
  ];
  const fits = curves.map((curve) => fitMeasured(curve, options));
  const document = fitDocument(fits, paths);
  const json = fitReport(fits, paths);
  await printDocument({ document, json: () => json, verdict: null }, typed, output);
  return fits.every(({ model }) => model !== null) ? exitCodes.met : exitCodes.inconclusive;
}

function readOptions({ p95, noise = 'absolute', seed }: TypedFitOptions): FitOptions {
  const problems: Problem[] = [];
  const read = typedReader(problems);
  const target = p95 === undefined ? { value: null } : parseIn(p95, 's');
  if ('problem' in target) problems.push({ what: `--p95 ${target.problem}` });
  else if (target.value === 0) problems.push({ what: '--p95 must be above 0' });
  const options = {
    noise: read.oneOf('--noise', noise, ['absolute', 'relative']),
    targetP95S: 'value' in target ? target.value : null,
    seed: read.number('--seed', seed, 1, { from: 0, to: 2 ** 32 - 1, whole: true }),
  };
  if (problems.length > 0) {
    throw new TierbenchError('OPTIONS_INVALID', 'options cannot be used', 'Fix what is listed.', { problems });
  }
  return options;
}

/** A curve for each tier, scenario and kind of load, from the valid trials. */
async function curvesOfResults(path: string): Promise<readonly MeasuredCurve[]> {
  const trials = judgeTrials(await readResults(absoluteFolder(path), studiesByName)).filter(
    (trial) => isValid(trial) && trial.record.purpose !== 'warm-up' && trial.record.fault === undefined,
  );
  const groups = Map.groupBy(trials, ({ summary: { tier, scenario } }) => `${tier}, ${scenario}`);
  const curves = [...groups].flatMap(([name, group]) => [concurrencyCurve(name, group), rateCurve(name, group)]);
  const used = curves.filter(({ points }) => points.length > 0);
  if (used.length === 0) {
    throw new TierbenchError(
      'MEASUREMENTS_INVALID',
      `the results folder ${path} has no valid trial that a model can be fitted to`,
      'Name the results of a run whose trials are valid.',
    );
  }
  return used;
}

function concurrencyCurve(name: string, trials: readonly JudgedTrial[]): MeasuredCurve {
  return {
    kind: 'concurrency',
    name,
    points: trials.flatMap(({ summary: { load, throughputPerS, latency } }) =>
      load.model === 'closed' && throughputPerS !== null && throughputPerS.value > 0
        ? [{ concurrency: load.concurrency, throughputPerS: throughputPerS.value, latencyS: latency.meanS }]
        : [],
    ),
  };
}

function rateCurve(name: string, trials: readonly JudgedTrial[]): MeasuredCurve {
  return {
    kind: 'rate',
    name,
    points: trials.flatMap(({ summary: { load, latency } }) =>
      isOneRate(load) && latency.p95S !== null && latency.p95S.value > 0
        ? [{ ratePerS: loadLevel(load), p95S: latency.p95S.value }]
        : [],
    ),
  };
}
