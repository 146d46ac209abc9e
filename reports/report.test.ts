import { describe, expect, test } from 'vitest';
import type { RunResult } from '../harness/core/run.ts';
import { analyse } from './analysis.ts';
import { evidenceText } from './figures.ts';
import { hostileRun, incompleteRuns } from './fixtures/incomplete-runs.ts';
import { syntheticRun } from './fixtures/synthetic-run.ts';
import { renderHtml } from './html/page.ts';
import { renderJson } from './json.ts';
import { renderMarkdown } from './markdown.ts';
import { renderTerminal } from './terminal.ts';

const complete = syntheticRun();
const small = syntheticRun(['single'], [1, 10]);
const terminal = { width: 100, color: false };

function renderAll(result: RunResult) {
  const analysis = analyse(result);
  return {
    html: renderHtml(analysis),
    markdown: renderMarkdown(analysis, new Map()),
    json: renderJson(analysis),
    terminal: renderTerminal(analysis, 'results/1/report.html', terminal),
  };
}

/** As the results folder gives it back: other objects, keys in another order. */
function readAgain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value), (_, each: unknown) =>
    each !== null && typeof each === 'object' && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).toReversed())
      : each,
  ) as T;
}

test('the same result gives the same bytes, also when it was read again', () => {
  const first = renderAll(small);
  expect(renderAll(small)).toEqual(first);
  expect(renderAll(readAgain(small))).toEqual(first);
});

describe('a complete run', () => {
  const rendered = renderAll(complete);
  const analysis = analyse(complete);
  const { targets } = analysis.tiers[0] ?? { targets: [] };

  test.each(['html', 'markdown'] as const)(
    '%s shows verdict, value, interval, limit and source of each target',
    (format) => {
      const text = rendered[format]
        .replaceAll('&lt;', '<')
        .replaceAll('&gt;', '>')
        .replaceAll(/<\/?span[^>]*>|\\/g, '');
      for (const part of ['442 ms', '415 ms to 533 ms', '< 200 ms', 'scalability-strategy.md, Metrics to Track']) {
        expect(text).toContain(part);
      }
      for (const { target, evidence } of targets) {
        expect(text).toContain(target.title);
        expect(text).toContain(evidenceText(evidence).replaceAll('&', '&amp;'));
      }
    },
  );

  test('markdown links the pictures it is given and tells the others in words', () => {
    const markdown = renderMarkdown(analysis, new Map([['single-latency', 'charts/single-latency.png']]));
    expect(markdown).toContain('](charts/single-latency.png)');
    expect(markdown).toContain('*Throughput against concurrency · single.* Line chart of throughput over concurrency.');
  });

  test('the terminal names what was busy, as a fact', () => {
    expect(rendered.terminal).toContain('login at concurrency 100: api/1 used 195 % of a core');
    expect(rendered.terminal).toContain('Report: results/1/report.html');
  });

  test('what the run was allowed to use of its machine is told', () => {
    expect(rendered.html).toContain('2 cores, of which this run may use 1.5');
    expect(rendered.markdown).toContain('2 cores, of which this run may use 1.5');
  });

  test('what queued is told where it was sampled', () => {
    const trials = complete.trials.map((each) => ({
      ...each,
      samples: [
        ...each.samples,
        { atS: 1, source: 'api/1', metric: 'pool-waiting' as const, value: 12 },
        { atS: 2, source: 'api/1', metric: 'pool-waiting' as const, value: 14 },
        { atS: 1, source: 'machine', metric: 'machine-utilization' as const, value: 0.97 },
      ],
    }));
    const [first] = analyse({ ...complete, trials }).tiers[0]?.busiest ?? [];
    expect(first).toContain('and the machine 97 % of all its cores; api/1 had 13 waiting for a database connection');
  });

  test('each figure of report.json is in its unit and with its interval', () => {
    const { tiers } = JSON.parse(rendered.json);
    const judged = tiers[0].targets.find(
      (each: { id: string; scenario: string }) => each.id === 'latency-p95' && each.scenario === 'login',
    );
    expect(judged).toMatchObject({ verdict: 'missed', limit: '< 200 ms', bound: 0.2, unit: 's' });
    expect(judged.value.low).toBeLessThan(judged.value.value);
    expect(judged.value.high).toBeGreaterThan(judged.value.value);
    expect(judged.value.value).toBeGreaterThan(0.4);
  });
});

describe('a run that did not go as planned', () => {
  const expected: Record<string, readonly string[]> = {
    'killed before the first trial': ['it was killed', 'No tier was run'],
    'killed during the run': ['it was killed', 'crud: no trial was measured.'],
    interrupted: [
      'This run was interrupted',
      'crud, concurrency 1: stopped after 3.2 s',
      'browse: no trial was measured.',
    ],
    failed: ['APP_DIED', 'The API ended with exit code 137. Read its log in api-1.log.'],
    'zero trials': ['No trial was measured, so no target could be judged by one.'],
    'a tier that was not run': [
      'This tier was not run here: no container engine',
      'Not run: no container engine was found',
    ],
    'facts of the tier never stored': ['The run ended before the facts of this tier were stored.'],
    'only unsound trials': ['login: no trial is sound, so no figure of it can be trusted.'],
    'no samples': ['login, concurrency 1: no probe gave samples, so what was busy is not known.'],
    'nothing succeeded': ['too few samples', 'refused × 50'],
    'too few answers for any percentile': ['too few samples'],
    'no targets': ['None of the targets could be judged.'],
    'no intervals': ['too few samples'],
  };
  const runs = Object.entries(incompleteRuns(small));

  test('each kind has its words here', () => expect(runs.map(([name]) => name)).toEqual(Object.keys(expected)));

  test.each(runs)('%s is rendered and said in words', (name, result) => {
    const { html, markdown, terminal: lines, json } = renderAll(result);
    for (const words of expected[name] ?? []) {
      expect(html).toContain(words);
      if (words !== 'No tier was run') expect(markdown.replaceAll('\\', '')).toContain(words);
    }
    for (const text of [html.replace(/<script[\s\S]*<\/script>/, ''), markdown, lines, json]) {
      expect(text).not.toMatch(/\bNaN\b|\bundefined\b|\bInfinity\b|\[object/);
    }
    expect(html).toContain('</html>');
  });

  test('a verdict is never met by unsound trials', () => {
    const unsound = incompleteRuns(small)['only unsound trials'];
    const judged = unsound === undefined ? [] : analyse(unsound).tiers.flatMap(({ targets }) => targets);
    const measured = judged.filter(({ target }) => target.judged.by === 'measured');
    expect(measured.length).toBeGreaterThan(5);
    expect(measured.filter(({ verdict }) => verdict.kind === 'met')).toEqual([]);
  });
});

describe('names and messages that try to be markup', () => {
  const hostile = renderAll(hostileRun(small));

  test('the page has no element but its own', () => {
    const body = hostile.html.slice(hostile.html.indexOf('<body>'));
    expect(body).toContain('&lt;img src=x');
    expect(body).not.toContain('<img');
    expect(body.match(/<script/g)).toHaveLength(3);
    expect(body.match(/<\/script/g)).toHaveLength(3);
  });

  test('Markdown has no markup, link or cell but its own', () => {
    expect(hostile.markdown).not.toContain('<img');
    expect(hostile.markdown).not.toContain('<script');
    expect(hostile.markdown).not.toMatch(/(?<!\\)\]\(javascript/);
    const rows = hostile.markdown.split('\n').filter((line) => line.startsWith('| **'));
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows) expect(row.match(/(?<!\\)\|/g)).toHaveLength(8);
  });

  test('the terminal gets no control characters', () => {
    const title = '\u001b]0;hacked\u0007';
    const trials = small.trials.map((each) => ({
      ...each,
      notes: [{ code: 'probe-failed', probe: title, times: 1, detail: title } as const],
    }));
    const text = renderTerminal(analyse({ ...small, trials }), null, terminal);
    expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  });
});
