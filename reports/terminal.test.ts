import { expect, test, vi } from 'vitest';
import { analyse } from './analysis.ts';
import { fourTierRun, troubledFourTierRun } from './fixtures/four-tier-run.ts';
import { incompleteRuns } from './fixtures/incomplete-runs.ts';
import { rateRun, rateRunOfTiers } from './fixtures/rate-runs.ts';
import { syntheticRun } from './fixtures/synthetic-run.ts';
import { renderTerminal } from './terminal.ts';

// Histograms and pictures take their time on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const complete = syntheticRun();
const small = syntheticRun(['single'], [1, 10]);
const runs = Object.entries({
  complete,
  'two tiers': syntheticRun(['single', 'pooled'], [1, 10]),
  'by rate': rateRun(),
  'by rate, three tiers': rateRunOfTiers(),
  'four tiers': fourTierRun(),
  'four tiers in trouble': troubledFourTierRun(),
  ...incompleteRuns(small),
});

function linesOf(text: string): readonly string[] {
  return text.trimEnd().split('\n');
}

test.each(runs)('%s: no more lines than a screen has, none wider than the terminal', (_, result) => {
  const analysis = analyse(result);
  for (const width of [40, 80, 200]) {
    const lines = linesOf(renderTerminal(analysis, 'r.html', { width, color: false }));
    expect(lines.length).toBeLessThanOrEqual(40);
    expect(Math.max(...lines.map((line) => [...line].length))).toBeLessThanOrEqual(width);
  }
});

test('each measured target stands with limit and source above its verdicts with value and interval; missed ones first', () => {
  const analysis = analyse(complete);
  const lines = linesOf(renderTerminal(analysis, 'r.html', { width: 200, color: false }));
  const isVerdict = (line: string) => /^ {2}(met|missed|inconclusive) /.test(line);
  const verdicts = lines.filter(isVerdict);
  const first = lines.findIndex(isVerdict);
  expect(lines[first - 1]).toMatch(/^Response time, 95th percentile, target < 200 ms \[scalability-strategy\.md, /);
  expect(lines[first]).toMatch(/^ {2}missed +login: 442 ms \(415 ms to 533 ms\) · p95 442 ms at concurrency/);
  const measured = analysis.tiers.flatMap(({ targets }) =>
    targets.filter(({ target }) => target.judged.by === 'measured'),
  );
  expect(verdicts).toHaveLength(measured.length);
});

test('color only when asked for', () => {
  const analysis = analyse(complete);
  const plain = renderTerminal(analysis, 'r.html', { width: 100, color: false });
  const colored = renderTerminal(analysis, 'r.html', { width: 100, color: true });
  expect(plain).not.toContain('\u001b');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the sequences in question.
  expect(colored.replaceAll(/\u001b\[\d+m/g, '')).toBe(plain);
  expect(colored).not.toBe(plain);
});
