import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** How long `tierbench --help` takes, as a multiple of an empty Node program, in turns within one run. */
const ROUNDS = 20;
const root = join(import.meta.dirname, '..');

const folder = mkdtempSync(join(tmpdir(), 'tierbench-bench-start-'));
const empty = join(folder, 'empty.mjs');
writeFileSync(empty, '');

const durationMs = (...words: string[]): number => {
  const startedAt = performance.now();
  const { status, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return performance.now() - startedAt;
};
const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

const emptyMs: number[] = [];
const helpMs: number[] = [];
const ratios: number[] = [];
for (let round = 0; round <= ROUNDS; round += 1) {
  const one = durationMs(empty);
  const other = durationMs(join(root, 'cli/tierbench.js'), '--help');
  // The first round warms the file cache.
  if (round === 0) continue;
  emptyMs.push(one);
  helpMs.push(other);
  ratios.push(other / one);
}
rmSync(folder, { recursive: true });
console.log(`empty Node program   ${median(emptyMs).toFixed(0)} ms (median of ${ROUNDS})`);
console.log(`tierbench --help     ${median(helpMs).toFixed(0)} ms`);
console.log(`ratio                ${median(ratios).toFixed(2)} (median of the rounds; at most 2.5 is wanted)`);
