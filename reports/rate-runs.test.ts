import { describe, expect, test, vi } from 'vitest';
import type { RunResult } from '../harness/core/run.ts';
import { type Analysis, allCharts, analyse, type TierAnalysis } from './analysis.ts';
import type { ChartDescription } from './chart.ts';
import { comparisonTable } from './comparison-tables.ts';
import { factsTable } from './fact-tables.ts';
import { incompleteRuns } from './fixtures/incomplete-runs.ts';
import { calmRateRun, rateRun, rateRunOfTiers } from './fixtures/rate-runs.ts';
import { renderHtml } from './html/page.ts';
import { renderJson } from './json.ts';
import { renderMarkdown } from './markdown.ts';
import type { Table } from './table.ts';
import { carriedTable, repeatTable, scenarioTables } from './tables.ts';
import { renderTerminal } from './terminal.ts';
import { compareInTerminal } from './terminal-comparison.ts';

// Histograms and pictures take their time on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const run = rateRun();
const analysis = analyse(run);
const ofTiers = analyse(rateRunOfTiers());
const tier = onlyTier(analysis);

function onlyTier({ tiers: [tier] }: Analysis): TierAnalysis {
  if (tier === undefined) throw new Error('the run has a tier');
  return tier;
}

function chart(of: Analysis, id: string): ChartDescription {
  const found = allCharts(of).find((each) => each.id === id);
  if (found === undefined) throw new Error(`no chart ${id} among ${allCharts(of).map((each) => each.id)}`);
  return found;
}

function textOf({ rows }: Table): string {
  return rows
    .map((row) => row.map(({ text, detail, reasons = [] }) => [text, detail, ...reasons].filter(Boolean).join(' ')))
    .map((cells) => cells.join(' | '))
    .join('\n');
}

function rendered(result: RunResult) {
  const of = analyse(result);
  return {
    html: renderHtml(of).replaceAll(/<script[\s\S]*?<\/script>/g, ''),
    markdown: renderMarkdown(of, new Map()).replaceAll('\\', ''),
    json: renderJson(of),
    terminal: renderTerminal(of, 'r.html', { width: 80, color: false }),
  };
}

describe('a scenario over its arrival rates', () => {
  const { x, panels, subtitle } = chart(analysis, 'single-rates.crud');
  const [latency, throughput, errors] = panels;

  test('has three percentiles with intervals and the target, on a true scale', () => {
    expect(x).toMatchObject({ scale: 'linear', from: 0, title: 'Arrival rate (iterations/s)' });
    expect(latency?.series.map(({ label, points }) => [label, points.map((point) => point.x)])).toEqual(
      ['p50', 'p95', 'p99'].map((label) => [label, [50, 100, 200, 300, 400]]),
    );
    expect(latency?.targets).toEqual([{ value: 0.2, label: 'p95 target < 200 ms', shortLabel: 'p95 < 200 ms' }]);
    for (const { low, high, y } of latency?.series.flatMap(({ points }) => points) ?? []) {
      expect(low).toBeLessThanOrEqual(y ?? Number.NaN);
      expect(high).toBeGreaterThanOrEqual(y ?? Number.NaN);
    }
    const hollow = latency?.series[0]?.points.filter(({ sound }) => !sound).map((point) => point.x);
    expect(hollow).toEqual([400]);
  });

  test('shows where throughput leaves what was offered: five requests for each arrival', () => {
    expect(subtitle).toContain('Dashed: all that was offered, 5 requests an iteration');
    const [measured, offered] = throughput?.series ?? [];
    expect(offered).toMatchObject({ isReference: true, inLegend: false });
    for (const point of offered?.points ?? []) expect(point.y).toBeCloseTo(5 * point.x, 6);
    const at = (rate: number) => measured?.points.find((point) => point.x === rate)?.y ?? 0;
    expect(at(100) / 500).toBeGreaterThan(0.95);
    expect(at(400) / 2000).toBeLessThan(0.95);
    expect(Math.max(...(offered?.points ?? []).map(({ y }) => y ?? 0))).toBeLessThanOrEqual(throughput?.y.to ?? 0);
  });

  test('shows what was dropped and failed, and nothing of it where there was none', () => {
    expect(errors?.y.title).toBe('Errors');
    expect(errors?.series.map(({ label, points }) => [label, points.map(({ y }) => (y ?? 0) > 0)])).toEqual([
      ['dropped', [false, false, false, false, true]],
      ['failed', [false, false, false, true, true]],
    ]);
    expect(chart(analysis, 'single-rates.login').panels).toHaveLength(2);
  });

  test('a target far above what was answered is said, not drawn', () => {
    const login = chart(analysis, 'single-rates.login');
    expect(login.panels[1]?.targets).toEqual([]);
    expect(login.subtitle).toContain('Not drawn: target >= 1,000/s');
    expect(throughput?.targets.map(({ value }) => value)).toEqual([1000]);
  });

  test('a single number of users is a row of a table and no line; several are', () => {
    const ids = allCharts(analysis).map(({ id }) => id);
    expect(ids).toEqual([
      'single-rates.login',
      'single-rates.crud',
      'single-distribution',
      'single-time-line',
      'single-views',
    ]);
    const [single] = ofTiers.tiers;
    const alone = {
      ...rateRunOfTiers(),
      trials: rateRunOfTiers().trials.filter(({ subject: name }) => name === 'single'),
    };
    const subjects = alone.subjects.slice(0, 1);
    expect(single?.scenarios[0]?.trials).toHaveLength(8);
    expect(chart(analyse({ ...alone, subjects }), 'single-throughput').panels[0]?.series[0]?.points).toHaveLength(2);
  });

  test('a rate that changes on the way has its row and no place on the curve', () => {
    const trials = run.trials.map((measured) => {
      const { load } = measured.trial.plan;
      if (load.model === 'closed' || load.arrivalRatePerS !== 400) return measured;
      const changes = [{ atS: 5, overS: 0, toRatePerS: 100 }];
      return {
        ...measured,
        trial: { ...measured.trial, plan: { ...measured.trial.plan, load: { ...load, changes } } },
      };
    });
    const changing = analyse({ ...run, trials });
    expect(chart(changing, 'single-rates.crud').panels[0]?.series[0]?.points).toHaveLength(4);
    const [, crud] = onlyTier(changing).scenarios;
    expect(crud && textOf(scenarioTables(crud)[0] ?? { caption: '', columns: [], rows: [] })).toContain(
      '400/s, to 100/s at 5 s | 1,8',
    );
    expect(JSON.parse(renderJson(changing)).tiers[0].scenarios[1].trials.at(-1).load.changes).toEqual([
      { atS: 5, overS: 0, toRatePerS: 100 },
    ]);
  });
});

describe('what became of the work', () => {
  test('each load says what was due, dropped and failed, and how', () => {
    const [login, crud] = tier.scenarios;
    if (login === undefined || crud === undefined) throw new Error('two scenarios were run');
    const [rates, users] = scenarioTables(login);
    expect(rates?.rows).toHaveLength(4);
    expect(users && textOf(users)).toMatch(/^100 \| 33\.3\/s/);
    const [table] = scenarioTables(crud);
    expect(table && textOf(table)).toMatch(
      /400\/s \| .* \| 4,033 \| 10\.2 % dropped × 374 http-error × 81 timeout × 107 \| no requests were sent up to 21 ms/,
    );
    const { trials } = JSON.parse(renderJson(analysis)).tiers[0].scenarios[1];
    expect(trials.at(-1)).toMatchObject({
      iterations: { intended: 4033, completed: 3659, dropped: 374 },
      failures: { 'http-error': 81, timeout: 107 },
    });
  });

  test('loads that were planned and not measured are told', () => {
    expect(tier.notes).toContain('crud: planned and not measured: 500/s and 1,000/s');
    expect(JSON.parse(renderJson(analysis)).tiers[0].notMeasured).toMatchObject([
      { scenario: 'crud', load: { arrivalRatePerS: 500 } },
      { scenario: 'crud', load: { arrivalRatePerS: 1000 } },
    ]);
  });

  test('a command that repeats a trial is told where there is one', () => {
    expect(textOf(repeatTable(tier))).toBe('crud | 100/s | k6 run results/synthetic/k6/6.ts');
    for (const text of [rendered(run).html, rendered(run).markdown]) expect(text).toContain('k6 run results/');
    expect(renderMarkdown(analyse(calmRateRun()), new Map())).not.toContain('by hand');
  });
});

describe('how far it came', () => {
  test('the highest rate within the target, with what the others did', () => {
    expect(textOf(carriedTable([tier]))).toBe(
      [
        'login | < 200 ms | 10/s at p95 106 ms | 20/s leaves it open with p95 159 ms',
        'crud | < 200 ms | 300/s at p95 58.1 ms with 0.362 % errors | 200/s leaves it open with p95 359 ms; 400/s is not sound',
      ].join('\n'),
    );
    expect(JSON.parse(renderJson(analysis)).tiers[0].scenarios[1].carried).toEqual([
      {
        target: 'latency-p95',
        arrivalRatePerS: 300,
        sequence: 9,
        next: { arrivalRatePerS: 400, sequence: 10, why: 'invalid' },
      },
    ]);
  });

  test('tiers of different ladders are told by it, and compared at the loads they share alone', () => {
    const { comparison } = ofTiers;
    expect(comparison?.inWords).toContain(
      'Within p95 < 200 ms of crud cached carried 480/s at p95 25.8 ms, the highest rate it was measured at; pooled 320/s at p95 142 ms; single 260/s at p95 157 ms.',
    );
    expect(comparison?.inWords).toContain(
      'Of crud only single was measured at 60/s, 150/s and 260/s, only pooled was measured at 80/s, 180/s, 320/s and 360/s, only cached was measured at 120/s, 400/s and 480/s: nothing is compared there.',
    );
    const [crud] = comparison?.comparison.scenarios ?? [];
    const table = crud && comparisonTable(crud);
    expect(table?.columns[0]?.title).toBe('Load');
    const loads = (table?.rows ?? []).filter((row) => row[0]?.repeated !== true).map((row) => row[0]?.text);
    expect(loads).toEqual(['100/s', '200/s', '300/s', '10 users', '50 users']);
    expect(JSON.parse(renderJson(ofTiers)).comparison.scenarios[0].alone[0]).toMatchObject({
      tier: 'single',
      loads: [{ arrivalRatePerS: 60 }, { arrivalRatePerS: 150 }, { arrivalRatePerS: 260 }],
    });
  });

  test('each tier has its own line over its own rates, and one over numbers of users', () => {
    const { panels } = chart(ofTiers, 'tiers.crud');
    const lines = panels[0]?.series.map(({ label, points }) => [label, points.length]);
    expect(lines?.slice(0, 3)).toEqual([
      ['single', 6],
      ['pooled', 6],
      ['cached', 6],
    ]);
    expect(lines?.[3]?.[0]).toBe('offered');
    expect(chart(ofTiers, 'tiers.crud.users').x.ticks.map(({ value }) => value)).toEqual([10, 50]);
  });
});

describe('facts', () => {
  const factsOf = (result: RunResult) =>
    new Map(factsTable(analyse(result)).rows.map(([fact, value]) => [fact?.text, value?.text]));

  test('rates, workers and what the generator itself can do', () => {
    const facts = factsOf(run);
    expect(facts.get('Arrival rates')).toBe('found by a probe, the documented ones among them (Poisson arrivals)');
    expect(facts.get('Concurrencies')).toBe('those the documents speak of');
    expect(facts.get('Generator')).toBe('1 thread');
    expect(facts.get('Calibration: the most it sends')).toBe('41,300/s with 50 virtual users, to an echo');
    expect(facts.get('Calibration: the least it reads')).toBe('p50 110 µs, p95 240 µs at 1,000/s, of an echo');
    expect(facts.get('Calibration: send lag')).toBe('p99 700 µs at 1,000/s');
    expect(JSON.parse(renderJson(analysis)).calibration).toEqual(run.facts.calibration);
  });

  test('given rates are named, and what was not made is not hidden', () => {
    const question = { ...run.question, arrivalRatesPerS: [500, 1000], concurrencies: [] };
    const settings = { ...run.facts.settings, workers: 2 };
    const facts = factsOf({ ...run, question, facts: { ...run.facts, settings, calibration: null } });
    expect(facts.get('Arrival rates')).toBe('500/s, 1,000/s (Poisson arrivals)');
    expect(facts.has('Concurrencies')).toBe(false);
    expect(facts.get('Generator')).toBe('2 threads');
    expect(facts.get('Calibration')).toBe('not made');
  });
});

test('how to read it speaks of the loads there were', () => {
  const [open, closed] = ['By arrival rate the load is open', 'By number of users the load is closed'];
  expect(rendered(run).html).toContain(open);
  expect(rendered(run).html).toContain(closed);
  expect(rendered(calmRateRun()).markdown).toContain(open);
  expect(rendered(calmRateRun()).markdown).not.toContain(closed);
});

test('the terminal tells rates, users, drops and how far it came in 80 columns', () => {
  const lines = rendered(run).terminal.trimEnd().split('\n');
  expect(Math.max(...lines.map((line) => [...line].length))).toBeLessThanOrEqual(80);
  expect(lines.length).toBeLessThanOrEqual(40);
  const text = lines.join('\n');
  expect(text).toMatch(/^scenario +at +throughput +p95 +p99 +errors +dropped$/m);
  expect(text).toMatch(/^crud +50\/s +264\/s /m);
  expect(text).toMatch(/^ +400\/s +1,811\/s +1\.01 s +1\.01 s +10\.2 % +374 +not sound$/m);
  expect(text).toMatch(/^ +100 users +33\.3\/s /m);
  expect(text).toContain('login carried 10/s at p95 106 ms (target < 200 ms); 20/s leaves it open with p95');
});

test.each([
  { room: 'one load', most: 2 + 2, shown: ['rate'] },
  { room: 'two', most: 2 + 4, shown: ['rate', 'users'] },
  { room: 'three', most: 2 + 6, shown: ['rate', 'rate', 'users'] },
])('with room for $room the tiers are compared at the loads that tell most', ({ most, shown }) => {
  const { comparison } = ofTiers;
  if (comparison === null) throw new Error('there is one tier only');
  const of = {
    ...comparison,
    comparison: { ...comparison.comparison, scenarios: comparison.comparison.scenarios.slice(0, 1) },
  };
  const { table } = compareInTerminal(ofTiers, of, 100, most);
  const loads = table.flatMap((line) =>
    / requests\/s /.test(line) ? [/ \d+ users? /.test(line) ? 'users' : 'rate'] : [],
  );
  expect(loads).toEqual(shown);
});

test('the same result gives the same bytes, also when it was read again', () => {
  const readAgain = (value: RunResult) =>
    JSON.parse(JSON.stringify(value), (_, each: unknown) =>
      each !== null && typeof each === 'object' && !Array.isArray(each)
        ? Object.fromEntries(Object.entries(each).toReversed())
        : each,
    ) as RunResult;
  expect(rendered(readAgain(run))).toEqual(rendered(run));
  const tiers = rateRunOfTiers();
  expect(rendered(JSON.parse(JSON.stringify(tiers)) as RunResult)).toEqual(rendered(tiers));
});

test.each(Object.entries(incompleteRuns(run)))('%s: what there is is told, and nothing there is not', (_, result) => {
  for (const text of Object.values(rendered(result)))
    expect(text).not.toMatch(/\bNaN\b|\bundefined\b|\bInfinity\b|\[object/);
});
