import { describe, expect, test } from 'vitest';
import type { RunResult } from '../../harness/core/run.ts';
import { overallVerdict } from '../../harness/judging/judge.ts';
import {
  hostileRun,
  incompleteRuns,
  madeUpTierRun,
  pgbouncerMissing,
  troubledRun,
} from '../../test-support/made-up-run.ts';
import { madeUpRun, madeUpTrial } from '../../test-support/made-up-trial.ts';
import { analyse } from '../analysis.ts';
import { describeObstacle } from '../describe/notes.ts';
import type { Block, Table } from '../document.ts';
import { renderHtml } from '../renderers/html.ts';
import { renderMarkdown } from '../renderers/markdown.ts';
import { renderTerminal } from '../renderers/terminal.ts';
import { forTerminal } from '../text.ts';
import { reportOf } from './registry.ts';
import { runDocument } from './run.ts';

const run = madeUpTierRun();
const small = madeUpTierRun(['single'], { login: [10, 40], crud: [100], users: [] });
const blocks = runDocument(analyse(run)).blocks;

function tablesIn(all: readonly Block[]): readonly Table[] {
  return all.flatMap((block) =>
    block.kind === 'table' ? [block.table] : block.kind === 'details' ? tablesIn(block.blocks) : [],
  );
}

function rowsOf(found: Table | undefined): readonly (readonly string[])[] {
  return (found?.rows ?? []).map((row) => row.map(({ text }) => text));
}

function answers(result: RunResult): readonly string[] {
  const [first] = runDocument(analyse(result)).blocks;
  if (first?.kind !== 'answer') throw new Error('the first block is the answer');
  return first.answers.map(({ about, statement, because }) => `${about}: ${statement} ${because}`);
}

test('the order: answer, its table, differences, charts, tiers at each load, targets, and details folded', () => {
  const outline = blocks.map((block) => (block.kind === 'heading' ? `${block.level} ${block.text}` : block.kind));
  expect(outline.filter((each, index) => each !== outline[index - 1])).toEqual([
    'answer',
    'table',
    '2 What changes from tier to tier',
    'list',
    'table',
    '2 Throughput and latency',
    'figure',
    'details',
    '2 Targets',
    'paragraph',
    'table',
    'details',
    '2 Details',
    'details',
  ]);
});

describe('the answer', () => {
  test('names the tier that sustained most of each scenario, its p95, and what limited it', () => {
    const [login, crud] = answers(run);
    expect(login).toMatch(
      /^login: all tiers sustained the same load, 20 iterations\/s .*, with p95 [\d.]+ ms \(.*target < 200 ms\)\. .*The api.s CPU limits it \(90\.9 % of/,
    );
    expect(crud).toMatch(
      /^crud: cached sustained most, 400 iterations\/s .* with p95 .*The api.s CPU limits it \(100 % of.*At 600\/s .*Next: /,
    );
  });

  test('its table has a row for each scenario and tier; the best stand out', () => {
    const [table] = tablesIn(blocks);
    expect(rowsOf(table).map((row) => row.slice(0, 3))).toEqual([
      ...['single', 'pooled', 'replicated', 'cached'].map((tier) => ['login', tier, '20/s']),
      ['crud', 'single', '200/s'],
      ['crud', 'pooled', '200/s'],
      ['crud', 'replicated', '300/s'],
      ['crud', 'cached', '400/s'],
    ]);
    expect(table?.rows.filter((row) => row[1]?.strong === true).map((row) => row[1]?.text)).toEqual([
      'single',
      'pooled',
      'replicated',
      'cached',
      'cached',
    ]);
  });

  test('closed-loop loads have one too', () => {
    const closed = madeUpTierRun(['single', 'cached'], { login: [], crud: [], users: [1, 20, 200] });
    expect(answers(closed)[0]).toMatch(
      /^crud: cached sustained most|^crud: all tiers sustained the same load, \d+ users/,
    );
  });

  test.each([
    ['no higher load was measured', madeUpTierRun(['single'], { login: [10], crud: [], users: [] }), /not reached/],
    [
      'every load missed the target',
      madeUpTierRun(['single'], { login: [40], crud: [], users: [] }),
      /single sustained no measured load.*limits it/,
    ],
    ['nothing was measured', { ...small, trials: [] }, /No trial was measured/],
  ])('%s', (_, result, expected) => {
    expect(answers(result).join('\n')).toMatch(expected);
  });
});

describe('tables', () => {
  test('tiers stand side by side at the loads they share, with the change from the tier before', () => {
    const crud = tablesIn(blocks).find(({ caption }) => caption === 'crud');
    expect(crud?.columns.map(({ title }) => title).slice(2)).toEqual(['single', 'pooled', 'replicated', 'cached']);
    expect(
      rowsOf(crud)
        .map((row) => row.slice(0, 2))
        .slice(0, 2),
    ).toEqual([
      ['100/s', 'throughput'],
      ['100/s', 'p95'],
    ]);
    const details = crud?.rows.flatMap((row) => row.slice(3).map(({ detail }) => detail));
    expect(details).toContain('no change');
    expect(details?.some((detail) => /^[+−]\d+ % \(/.test(detail ?? ''))).toBe(true);
  });

  test('no cell repeats a reason: cells name its number, and each reason stands once', () => {
    for (const { rows, reasons } of tablesIn(runDocument(analyse(troubledRun(run))).blocks)) {
      expect(new Set(reasons).size).toBe(reasons.length);
      for (const { text, detail = '' } of rows.flat()) {
        for (const reason of reasons) expect(`${text} ${detail}`).not.toContain(reason);
      }
    }
  });

  test('a target has a column for each tier, and those judged nowhere stand apart', () => {
    const targets = tablesIn(blocks).find(({ caption }) => caption === 'Targets');
    expect(
      rowsOf(targets)
        .find((row) => row[0]?.startsWith('Response time') && row[2] === 'login')
        ?.slice(3),
    ).toEqual(Array(4).fill('missed'));
    const nowhere = tablesIn(blocks).find(({ caption }) => caption === 'Targets that were not judged');
    expect(rowsOf(nowhere).map(([target]) => target)).toEqual(['Page load']);
  });
});

describe('a run with a tier that was not run and one that ended early', () => {
  const troubled = analyse(troubledRun(run));
  const document = runDocument(troubled);

  test('both are said, with the reason, and nothing of them is met', () => {
    expect(document.blocks.filter(({ kind }) => kind === 'note')).toEqual([
      { kind: 'note', title: 'replicated ended early', text: 'replica/1 crashed: exit code 1.' },
    ]);
    const [table] = tablesIn(document.blocks);
    expect(table?.reasons).toContain(describeObstacle(pgbouncerMissing));
    const targets = tablesIn(document.blocks).find(({ caption }) => caption === 'Targets');
    for (const row of rowsOf(targets)) expect(row[4]).toBe('not run');
    expect(overallVerdict(troubled.tiers.flatMap((tier) => tier.targets))).not.toBe('met');
  });
});

test('a fault is no measurement: tables, charts and verdicts are the same without it', () => {
  const without = analyse({ ...run, trials: run.trials.filter(({ purpose }) => purpose !== 'fault') });
  const outline = (all: readonly Block[]) => all.filter(({ kind }) => kind !== 'details');
  expect(outline(runDocument(without).blocks)).toEqual(outline(blocks));
});

const runs = Object.entries({
  'four tiers': run,
  'in trouble': troubledRun(run),
  hostile: hostileRun(small),
  'one tier': small,
  ...incompleteRuns(small),
});

describe.each(runs)('%s', (_, result) => {
  const { document } = reportOf(result);

  test('every format can be made, says nothing that is not there, and is the same when read again', () => {
    const render = (report: ReturnType<typeof reportOf>) => [
      renderHtml(report.document, 'void 0'),
      renderMarkdown(report.document, new Map()),
      report.json(),
      renderTerminal(report.document, 'r.html', 100),
    ];
    const texts = render(reportOf(result));
    for (const text of texts) expect(text).not.toMatch(/\bNaN\b|\bundefined\b|\bInfinity\b|\[object/);
    expect(render(reportOf(readAgain(result)))).toEqual(texts);
  });

  test.each([40, 60, 120])('the terminal has no more than 40 lines of %i columns', (width) => {
    const lines = forTerminal(renderTerminal(document, 'r.html', width), false)
      .trimEnd()
      .split('\n');
    expect(lines.length).toBeLessThanOrEqual(40);
    expect(Math.max(...lines.map((line) => [...line].length))).toBeLessThanOrEqual(width);
  });
});

/** As the results folder gives it back: other objects, keys in another order but for those that a person chose. */
function readAgain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value), (key, each: unknown) =>
    !['settings', 'connectsTo', 'values', 'amounts'].includes(key) &&
    each !== null &&
    typeof each === 'object' &&
    !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).toReversed())
      : each,
  ) as T;
}

test('a run that failed says what and the next step as sentences', () => {
  const status = {
    state: 'failed',
    endedAt: '2026-11-21T08:10:00.000Z',
    code: 'URL_NOT_REACHABLE',
    what: 'no answer within 10 s',
    nextStep: 'Start the server.',
  } as const;
  const document = runDocument(analyse({ ...madeUpRun([madeUpTrial()], []), status }));
  const [note] = document.blocks.filter(({ kind }) => kind === 'note');
  expect(note).toMatchObject({ text: expect.stringContaining('no answer within 10 s. Start the server.') });
});

test('a report of four times the trials takes no more than about four times the work', () => {
  const ofRates = (count: number) => {
    const crud = Array.from({ length: count }, (_, index) => 10 + (index * 400) / count);
    return madeUpTierRun(['single'], { login: [], crud, users: [] });
  };
  const [few, many] = [ofRates(25), ofRates(100)];
  const cpuOf = (result: RunResult) => {
    const before = process.cpuUsage();
    reportOf({ ...result, answers: [] });
    const { user } = process.cpuUsage(before);
    return user;
  };
  cpuOf(few);
  expect(cpuOf(many) / cpuOf(few)).toBeLessThan(8);
}, 60_000);
