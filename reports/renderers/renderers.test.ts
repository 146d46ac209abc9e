import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type Block, type Document, head, left, right, table, type Why } from '../document.ts';
import { renderJson } from '../documents/registry.ts';
import { forTerminal } from '../text.ts';
import { renderHtml } from './html.ts';
import { renderMarkdown } from './markdown.ts';
import { renderTerminal } from './terminal.ts';

const slow: Why = { alike: 'slow', text: 'too slow', at: '100/s', level: 100 };
const few: Why = { alike: 'few', text: 'too few', at: '100/s', level: 100 };
const answer: Block = {
  kind: 'answer',
  answers: [{ about: '', statement: 'b sustained most.', because: 'CPU limited it.' }],
};
const figures: Block = {
  kind: 'table',
  table: table(
    'Figures',
    [head('Tier'), right('p95'), left('Verdict')],
    [
      [{ text: 'a' }, { text: '12 ms', detail: '10 to 14 ms' }, { text: 'met', verdict: 'met' }],
      [{ text: 'b', strong: true }, { text: '1 s' }, { text: 'missed', verdict: 'missed', why: [slow] }],
      [{ text: 'c' }, { text: '–' }, { text: 'inconclusive', verdict: 'inconclusive', why: [few, slow] }],
    ],
  ),
};

function documentOf(...blocks: readonly Block[]): Document {
  return { title: 'Title', subtitle: 'Today', blocks, footer: 'The end.' };
}

test('reasons have numbers in the order in which they are met, each once', () => {
  if (figures.kind !== 'table') throw new Error('it is a table');
  expect(figures.table.reasons).toEqual(['too slow', 'too few']);
  expect(figures.table.rows.map((row) => row[2]?.reasons)).toEqual([undefined, [1], [1, 2]]);
});

test('reasons that differ in figures share a number: those of the highest load are shown', () => {
  const slower: Why = { ...slow, text: 'slower', at: '300/s', level: 300 };
  const built = table('t', [left('')], [[{ text: 'a', why: [slower] }], [{ text: 'b', why: [slow] }]]);
  expect(built.reasons).toEqual(['slower (figures of 300/s)']);
  expect(built.rows.map(([cell]) => cell?.reasons)).toEqual([[1], [1]]);
});

describe('the terminal', () => {
  const width = 80;

  test('answer first, tables with numbered reasons, and the path last', () => {
    const lines = forTerminal(renderTerminal(documentOf(answer, figures), 'r.html', width), false)
      .trimEnd()
      .split('\n');
    expect(lines).toEqual([
      'b sustained most.',
      'CPU limited it.',
      '',
      'Tier                  p95  Verdict',
      'a     12 ms (10 to 14 ms)  ✓ met',
      'b                     1 s  ✕ missed [1]',
      'c                       –  ? inconclusive [1 2]',
      '[1] too slow',
      '[2] too few',
      '',
      'Report: r.html',
    ]);
  });

  test('a section that has nothing for a terminal has no heading', () => {
    const text = renderTerminal(
      documentOf(
        answer,
        { kind: 'heading', level: 2, text: 'Empty' },
        { kind: 'details', summary: 'More', isOpen: true, blocks: [figures] },
        { kind: 'heading', level: 2, text: 'Full' },
        figures,
      ),
      null,
      width,
    );
    expect(text).not.toContain('Empty');
    expect(text).not.toContain('More');
    expect(text).toContain('Full');
  });

  test.each([20, 40, 60, 120])('no line is wider than %i columns, and no more lines than a screen has', (width) => {
    const long: Block = { kind: 'list', items: Array.from({ length: 60 }, (_, item) => `item ${item} of a long list`) };
    const lines = forTerminal(renderTerminal(documentOf(answer, figures, long), null, width), false)
      .trimEnd()
      .split('\n');
    expect(Math.max(...lines.map((line) => [...line].length))).toBeLessThanOrEqual(width);
    expect(lines.length).toBeLessThanOrEqual(40);
    expect(lines.at(-1)).toMatch(/^… \d+ more/);
  });

  test('figures are cut last: words give way on a narrow terminal', () => {
    const wide: Block = {
      kind: 'table',
      table: table(
        't',
        [right('p95'), left('Why')],
        [[{ text: '1,234 ms' }, { text: 'many words that explain it all' }]],
      ),
    };
    const text = renderTerminal(documentOf(wide), null, 26);
    expect(text).toContain('1,234 ms');
    expect(text.split('\n').length).toBeGreaterThan(3);
  });

  test('a table that is too wide loses details, then the words of verdicts; then each row has lines of its own', () => {
    const wide: Block = {
      kind: 'table',
      table: table(
        't',
        [head('Target'), left('one'), left('other')],
        [
          [
            { text: 'p95 latency' },
            { text: 'missed', verdict: 'missed', detail: '300 ms', why: [slow] },
            { text: 'met', verdict: 'met', detail: '100 ms' },
          ],
        ],
      ),
    };
    const at = (columns: number) =>
      forTerminal(renderTerminal(documentOf(wide), null, columns), false)
        .trimEnd()
        .split('\n')
        .slice(0, -1);
    expect(at(80)).toEqual([
      'Target       one                    other',
      'p95 latency  ✕ missed (300 ms) [1]  ✓ met (100 ms)',
    ]);
    expect(at(35)).toEqual(['Target       one           other', 'p95 latency  ✕ missed [1]  ✓ met']);
    expect(at(26)).toEqual(['Target       one    other', 'p95 latency  ✕ [1]  ✓', '✕ missed, ✓ met']);
    expect(at(18)).toEqual(['p95 latency', '  one ✕ [1], other', '  ✓', '✕ missed, ✓ met']);
  });

  test('what is printed has colours or none; control characters of others are shown', () => {
    const text = renderTerminal(
      documentOf(answer, figures, { kind: 'paragraph', text: 'x\u001b[31m\u0000y' }),
      'r.html',
      width,
    );
    const plain = forTerminal(text, false);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the sequences in question.
    expect(forTerminal(text, true).replaceAll(/\u001b\[\d+m/g, '')).toBe(plain);
    expect(plain).toContain('x\\u001b[31m\\u0000y');
    expect(plain).not.toContain('\u001b');
    expect(forTerminal(text, true)).toContain('\u001b[1m');
  });
});

const attack = '<b>|[x](http://evil)_*`\u0007\nnext';
const hostile = documentOf(
  { kind: 'answer', answers: [{ about: '', statement: attack, because: attack }] },
  { kind: 'note', title: attack, text: attack },
  { kind: 'facts', caption: attack, rows: [[attack, attack]] },
  { kind: 'details', summary: attack, isOpen: false, blocks: [{ kind: 'paragraph', text: attack }] },
  {
    kind: 'table',
    table: table(
      attack,
      [left(attack)],
      [[{ text: attack, detail: attack, why: [{ alike: attack, text: attack, at: '', level: 0 }] }]],
    ),
  },
);

test('Markdown: nothing in a text becomes markup, a link or a cell', () => {
  const text = renderMarkdown(hostile, new Map());
  expect(text).not.toContain('<b>');
  expect(text).not.toContain('\u0007');
  expect(text).not.toMatch(/[^\\\\]\[x/);
  expect(text).not.toContain('http://');
  for (const row of text.split('\n').filter((line) => line.startsWith('|'))) {
    expect(row.replaceAll('\\|', '').split('|').length).toBeLessThanOrEqual(4);
  }
});

test('Markdown links the pictures it is given and describes the others', () => {
  const chart = {
    id: 'c',
    title: 'A chart',
    subtitle: '',
    alt: 'It rises.',
    x: { title: '', scale: 'linear', from: 0, to: 1, ticks: [] },
    panels: [],
    spans: [],
    moments: [],
  } as const;
  const document = documentOf({ kind: 'figure', chart });
  expect(renderMarkdown(document, new Map([['c', 'charts/c.png']]))).toContain('![It rises.](charts/c.png)');
  expect(renderMarkdown(document, new Map())).toContain('*A chart.* It rises.');
});

test('the page: nothing in a text becomes markup, and control characters are shown', () => {
  const page = renderHtml(hostile, 'void 0');
  expect(page).toContain('\\u0007');
  expect(page).not.toContain('\u0007');
  expect(page).not.toContain('<b>');
  expect(page).toContain('&lt;b&gt;');
});

test('JSON has the fields of its schema in its order, and no others', () => {
  const schema = z.object({ a: z.number(), b: z.object({ c: z.string(), d: z.number() }) });
  const value = { b: { d: 2, c: 'x', more: true }, a: 1 };
  expect(renderJson(value, schema)).toBe('{\n  "a": 1,\n  "b": {\n    "c": "x",\n    "d": 2\n  }\n}\n');
});
