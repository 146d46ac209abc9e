import type { MeasuredCurve } from '../../core/measured-curve.ts';
import { type FileKind, invalidFile, readTextFile } from '../yaml-file.ts';
import { type ReadPoints, readCsv } from './csv.ts';
import { readToolOutput } from './tool-output.ts';

const kind: FileKind = { kind: 'measurements', invalid: 'MEASUREMENTS_INVALID' };

/**
 * Points of all files together: CSV, or what a load generator printed (k6, autocannon, wrk, oha, vegeta, hey). One output
 * is one point; a file may hold several, one after the other. At most one curve of each kind.
 * @throws TierbenchError FILE_NOT_FOUND, FILE_NOT_READABLE, or MEASUREMENTS_INVALID with every problem and its line.
 */
export async function readMeasurements(paths: readonly string[]): Promise<readonly MeasuredCurve[]> {
  const texts = await Promise.all(paths.map(async (path) => ({ path, text: await readTextFile(path, kind) })));
  const read = texts.map(({ path, text }) => readPoints(text, path));
  const problems = read.flatMap((each) => each.problems);
  if (problems.length > 0) throw invalidFile(paths.join(', '), kind, problems);
  const concurrency = read.flatMap((each) => each.concurrency);
  const rate = read.flatMap((each) => each.rate);
  return [
    ...(concurrency.length === 0 ? [] : [{ kind: 'concurrency' as const, name: '', points: concurrency }]),
    ...(rate.length === 0 ? [] : [{ kind: 'rate' as const, name: '', points: rate }]),
  ];
}

/** `path` is what problems call the file. */
export function readPoints(text: string, path: string): ReadPoints {
  const content = text.replace(/^\uFEFF/u, '');
  if (content.trim() === '') {
    return {
      concurrency: [],
      rate: [],
      problems: [{ file: path, line: 1, what: 'the file is empty', nextStep: 'Give measurements, one a line.' }],
    };
  }
  return readToolOutput(content, path) ?? readCsv(content, path);
}
