import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../harness/operating-system/find-program.ts';

/** How each generator and server prints its version, on stdout or stderr. `hey` does not. */
const asked: Readonly<Record<string, readonly [words: readonly string[], version: RegExp]>> = {
  wrk: [['-v'], /^wrk (?:debian\/)?([\d.]+)/],
  k6: [['version'], /^k6 v([\d.]+)/],
  oha: [['--version'], /^oha ([\d.]+)/],
  nginx: [['-v'], /nginx\/([\d.]+)/],
  hey: [[], /^$/],
};

/** Name and version of what is installed here: `wrk 4.1.0`. */
export function versionsHere(): readonly string[] {
  const programs = Object.entries(asked).flatMap(([name, [words, version]]) => {
    const program = findProgram([name]);
    if (program === undefined) return [];
    if (words.length === 0) return [name];
    const { stdout, stderr } = spawnSync(program, words, { encoding: 'utf8', timeout: 10_000 });
    return [`${name} ${version.exec(stdout.trim() || stderr.trim())?.[1] ?? 'of an unknown version'}`];
  });
  return [`autocannon ${autocannonVersion()}`, ...programs];
}

function autocannonVersion(): string {
  const file = join(import.meta.dirname, '../node_modules/autocannon/package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
