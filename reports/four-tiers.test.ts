import { beforeAll, describe, expect, test, vi } from 'vitest';
import type { RunResult } from '../harness/core/run.ts';
import { overallVerdict } from '../harness/judging/judge.ts';
import { type Analysis, allCharts, analyse } from './analysis.ts';
import { comparisonTable, judgedNowhereTable, targetsByTierTable } from './comparison-tables.ts';
import { tierFactsTable } from './fact-tables.ts';
import { fourTierRun, troubledFourTierRun } from './fixtures/four-tier-run.ts';
import { renderHtml } from './html/page.ts';
import { renderJson } from './json.ts';
import { renderMarkdown } from './markdown.ts';
import { renderTerminal } from './terminal.ts';

// Histograms and pictures take their time on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const run = fourTierRun();
const analysis = analyse(run);
const troubled = analyse(troubledFourTierRun());
const look = { width: 100, color: false };

function comparisonOf({ comparison }: Analysis) {
  if (comparison === null) throw new Error('several tiers are compared');
  return comparison;
}

function textOf(table: ReturnType<typeof comparisonTable>): string {
  return table.rows
    .map((row) =>
      row.map(({ text, detail, badge }) => [text, detail, badge?.text].filter(Boolean).join(' ')).join(' | '),
    )
    .join('\n');
}

describe('four tiers side by side', () => {
  test('each tier has its row at each load, with figures, intervals, verdicts and what changed', () => {
    const [login, crud] = comparisonOf(analysis).comparison.scenarios;
    if (login === undefined || crud === undefined) throw new Error('two scenarios were run');
    expect(comparisonTable(crud).rows).toHaveLength(3 * 4);
    expect(textOf(comparisonTable(crud))).toMatch(
      /50 \| replicated \| 2,219\/s 2,\d+\/s to 2,\d+\/s met >= 1,000\/s \| \+34 % \(32 to 36\) from pooled \| 32\.5 ms .* met < 200 ms \| −26 %/,
    );
    const changes = comparisonTable(login).rows.map((row) => row[3]?.text);
    expect(new Set(changes)).toEqual(new Set(['–', 'no change beyond noise']));
    expect(textOf(comparisonTable(login))).toContain('missed < 200 ms');
  });

  test('a chart for each scenario has a line for each tier, in the colour of its place in the run', () => {
    const { charts } = comparisonOf(troubled);
    expect(charts.map(({ id }) => id)).toEqual(['tiers.login', 'tiers.crud']);
    for (const { panels } of charts) {
      expect(panels.map(({ targets }) => targets.map(({ value }) => value))).toEqual([[1000], [0.2]]);
      for (const { series } of panels) {
        expect(series.map(({ label, style }) => [label, style])).toEqual([
          ['single', 0],
          ['replicated', 2],
          ['cached', 3],
        ]);
      }
    }
  });

  test('what the charts of the comparison show is not drawn again for each tier', () => {
    const ids = allCharts(analysis).map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).not.toContain('single-throughput');
    expect(ids).toContain('single-time-line');
  });

  test('a fault is no measurement: no table, chart or verdict knows it', () => {
    const without = analyse({ ...run, trials: run.trials.filter(({ purpose }) => purpose !== 'fault') });
    const bare = ({ tiers, ...rest }: Analysis) => ({
      ...rest,
      tiers: tiers.map((tier) => ({ ...tier, faults: [], notes: [] })),
    });
    expect(bare(analysis)).toEqual(bare(without));
    expect(analysis.tiers.map(({ faults }) => faults.length)).toEqual([0, 0, 0, 1]);
    expect(analysis.tiers[3]?.notes).toContainEqual(
      expect.stringMatching(/^Fault of cache\/1: a request not answered within 2 s counts as a timeout/),
    );
    const ends = analysis.tiers[3]?.charts.map(({ x }) => x.to) ?? [];
    const [fault] = run.trials.filter(({ purpose }) => purpose === 'fault');
    const startS = (Date.parse(fault?.trial.startedAt ?? '') - Date.parse(run.facts.startedAt)) / 1000;
    expect(Math.max(...ends)).toBeLessThanOrEqual(startS);
  });

  test('targets stand against tiers, with those that were judged for none apart', () => {
    const { columns, rows } = targetsByTierTable(analysis.tiers);
    expect(columns.map(({ title }) => title)).toEqual([
      'Target',
      'Limit',
      'Scenario',
      'single',
      'pooled',
      'replicated',
      'cached',
    ]);
    const latency = rows.find((row) => row[0]?.text.startsWith('Response time') && row[2]?.text === 'login');
    expect(latency?.slice(3).map(({ text }) => text)).toEqual(['missed', 'missed', 'missed', 'missed']);
    expect(latency?.[3]?.detail).toBe('458 ms');
    expect(judgedNowhereTable(analysis.tiers).rows.map(([target]) => target?.text)).toEqual(['Page load time']);
  });

  test('facts tell limits, warm-up, throttling, steal, cache and what the provider noted', () => {
    const [, , , cached] = analysis.tiers;
    if (cached === undefined) throw new Error('there is a cached tier');
    const facts = new Map(tierFactsTable(cached).rows.map(([fact, value]) => [fact?.text, value?.text ?? '']));
    expect(facts.get('Service api')).toBe('2 instances, api 1.0, limited to 1 cpu and 512 MiB each');
    expect(facts.get('Service cache')).toBe('1 instance, cache 1.0, no limit enforced');
    expect(facts.get('Stopped by a CPU limit')).toMatch(/^api\/1 in \d+(\.\d)? % of the periods$/);
    expect(facts.get('Taken by the host (steal)')).toMatch(/^0\.\d+ %, at most 0\.\d+ %$/);
    expect(facts.get('Found in cache')).toMatch(/^80\.\d % of the API's cached reads \(80\.\d % in the first trial\)$/);
    expect(cached.notes).toContain('limits of api (512 MiB) are not enforced: control groups cannot be written');
    const markdown = renderMarkdown(analysis, new Map());
    expect(markdown).toContain('generator on CPU 0, system on CPU 1');
    expect(markdown).toContain('the CPUs of every service are 0.5 times those of the tier file');
    expect(markdown).toContain(
      '- **api**: api x 2, writer: writer-pooler, reader: reader-pooler, cache: cache, 1 cpu, 512 MiB',
    );
  });
});

describe('resources over time', () => {
  const charts = analysis.tiers.flatMap((tier) => tier.charts);
  const panelsOf = (id: string) => charts.find((chart) => chart.id === id)?.panels.map(({ y }) => y.title);

  test('only what has data is drawn, each kind in its panel', () => {
    expect(panelsOf('single-queues')).toEqual(['Waiting']);
    expect(panelsOf('cached-queues')).toEqual(['Waiting', 'Replica lag', 'Found in cache']);
    expect(panelsOf('cached-connections')).toEqual(['In use', 'Throttled']);
  });

  test('no chart has more lines than can be told apart; the others are told', () => {
    for (const { panels } of charts) {
      const styles = panels.flatMap(({ series }) =>
        series.filter(({ inLegend }) => inLegend).map(({ style }) => style),
      );
      expect(styles.length).toBeLessThanOrEqual(6);
      expect(new Set(styles).size).toBe(styles.length);
    }
    expect(charts.find(({ id }) => id === 'cached-time-line')?.subtitle).toMatch(/Not drawn: \d+ process/);
  });
});

describe('a run with a tier that was not run and one that ended early', () => {
  let rendered: Record<'html' | 'markdown' | 'terminal' | 'json', string>;
  beforeAll(() => {
    rendered = {
      html: renderHtml(troubled).replace(/<script[\s\S]*<\/script>/, ''),
      markdown: renderMarkdown(troubled, new Map()).replaceAll('\\', ''),
      terminal: renderTerminal(troubled, 'report.html', look),
      json: renderJson(troubled),
    };
  });

  test('every format says both with the reason, and never what there is not', () => {
    for (const text of Object.values(rendered)) {
      expect(text).toContain('pgbouncer is missing, which pooler needs');
      expect(text).toContain('replica/1 crashed: exit code 1');
      expect(text).toContain('no');
      expect(text).not.toMatch(/\bNaN\b|\bundefined\b|\bInfinity\b|\[object/);
    }
    expect(rendered.html).toContain('<strong>Ended early.</strong>');
    expect(rendered.markdown).toContain('> **Ended early.**');
  });

  test('the tier after the one that was not run is held against the one before it', () => {
    const [load] = comparisonOf(troubled).comparison.scenarios[1]?.loads ?? [];
    expect(load?.rows.map(({ tier, before }) => [tier, before])).toEqual([
      ['single', null],
      ['pooled', null],
      ['replicated', 'single'],
      ['cached', 'replicated'],
    ]);
    expect(rendered.markdown).toContain('cannot be said: replicated: ended early: replica/1 crashed');
  });

  test('the column of a tier that was not run says so, and its verdicts are not met', () => {
    for (const row of targetsByTierTable(troubled.tiers).rows) expect(row[4]?.text).toBe('not run');
    expect(overallVerdict(troubled.tiers.flatMap(({ targets }) => targets))).not.toBe('met');
  });
});

describe('the terminal', () => {
  const lines = renderTerminal(analysis, 'results/1/report.html', look).trimEnd().split('\n');

  test('fits a screen: a line for each tier, the figures side by side, the words, the path', () => {
    expect(lines.length).toBeLessThanOrEqual(40);
    expect(Math.max(...lines.map((line) => [...line].length))).toBeLessThanOrEqual(100);
    expect(lines.slice(0, 4).map((line) => line.split(' ')[0])).toEqual(['single', 'pooled', 'replicated', 'cached']);
    expect(lines.find((line) => line.includes('requests/s') && line.includes('+34 %'))).toMatch(
      /50 users {2}requests\/s {2}1,629\/s +1,655\/s = +2,219\/s \+34 % +1,945\/s −12 %$/,
    );
    expect(lines.some((line) => /p95 +2\.13 s! +2\.14 s! = /.test(line))).toBe(true);
    expect(lines.join(' ')).toContain('cached: cache/1 killed: 27 requests failed');
    expect(lines.join(' ')).toContain('waiting for a password hash in every tier.');
    expect(lines.at(-1)).toBe('Report: results/1/report.html');
  });

  test('with more loads and tiers than a screen has room for the table gives way', () => {
    const many: RunResult = {
      ...run,
      trials: run.trials.flatMap((measured) =>
        [1, 2, 3, 4].map((factor) => {
          const { load } = measured.trial.plan;
          const concurrency = load.model === 'closed' ? load.concurrency * factor : factor;
          const plan = { ...measured.trial.plan, load: { model: 'closed' as const, concurrency } };
          return { ...measured, trial: { ...measured.trial, plan } };
        }),
      ),
    };
    const text = renderTerminal(analyse(many), 'results/1/report.html', look).trimEnd().split('\n');
    expect(text.length).toBeLessThanOrEqual(40);
    expect(text.some((line) => line.includes('200 users  requests/s'))).toBe(true);
    expect(text.at(-1)).toBe('Report: results/1/report.html');
  });
});

test('the same result gives the same bytes, also when it was read again', () => {
  const again = (value: RunResult) => JSON.parse(JSON.stringify(value)) as RunResult;
  const render = (each: Analysis) => [renderHtml(each), renderMarkdown(each, new Map()), renderJson(each)];
  expect(render(analyse(again(run)))).toEqual(render(analysis));
});

test('one tier is compared with nothing', () => {
  const single = analyse({
    ...run,
    subjects: run.subjects.slice(0, 1),
    trials: run.trials.filter(({ subject }) => subject === 'single'),
  });
  expect(single.comparison).toBeNull();
  expect(renderHtml(single)).not.toContain('side by side');
  expect(allCharts(single).map(({ id }) => id)).toContain('single-throughput');
});
