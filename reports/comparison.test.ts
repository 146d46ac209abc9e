import { describe, expect, test } from 'vitest';
import type { RunResult } from '../harness/core/run.ts';
import { madeUpRun, madeUpTarget, madeUpTier, madeUpTrial } from '../test-support/made-up-trial.ts';
import { compareGroups } from './comparison.ts';
import { compareDocument, compareReport } from './documents/compare.ts';
import { renderMarkdown } from './renderers/markdown.ts';

interface MadeUp {
  readonly scenario?: string;
  readonly sustainedPerS?: number;
  readonly latencyS?: number;
  readonly changes?: Parameters<typeof madeUpRun>[2];
  readonly targets?: Parameters<typeof madeUpRun>[1];
}

/** A run of one tier that searched, and measured one load. */
function run({
  scenario = 'crud',
  sustainedPerS = 200,
  latencyS = 0.02,
  changes = {},
  targets = [],
}: MadeUp = {}): RunResult {
  const load = { model: 'open', arrivalRatePerS: 100, arrivals: 'poisson' } as const;
  // Latencies vary a little from request to request and second to second, as they do.
  const latency = (request: number, second = 0) => latencyS * (0.9 + 0.2 * ((request * 0.618 + second * 0.37) % 1));
  const trial = madeUpTrial({ scenario, load, latencyS: latency, okPerS: 100, measuredS: 20 });
  const made = madeUpRun([trial], targets, changes);
  const sustainedRate = {
    valuePerS: sustainedPerS,
    lowPerS: 0.98 * sustainedPerS,
    highPerS: 1.02 * sustainedPerS,
    end: 'precise',
    binding: null,
    shape: null,
    monotone: true,
  } as const;
  const scenarios = [{ scenario, sustainedRate, sustained: [] }];
  return { ...made, answers: [{ subject: made.subjects[0]?.id ?? '', scenarios }] };
}

function compare(after: MadeUp, before: MadeUp = {}) {
  const [pair] = compareGroups([
    { name: 'A', results: [run(before)] },
    { name: 'B', results: [run(after)] },
  ]);
  if (pair === undefined) throw new Error('two results make a pair');
  return pair;
}

const rates = ({ figures }: ReturnType<typeof compare>) =>
  figures.filter(({ quantity }) => quantity.code === 'sustained-rate');
const p95Of = ({ loads }: ReturnType<typeof compare>) => loads[0]?.scenario.loads[0]?.rows[1]?.p95;

test('the same is not worse, and has no difference', () => {
  const pair = compare({});
  expect(pair).toMatchObject({ verdict: 'met', differences: [] });
  expect(rates(pair)).toMatchObject([{ verdict: 'no-difference', before: 'A', tier: 'B' }]);
  expect(p95Of(pair)?.kind).toBe('unclear');
});

test('less that is sustained, or a higher latency at the same load, is worse', () => {
  const fewer = compare({ sustainedPerS: 150 });
  expect(fewer.verdict).toBe('missed');
  expect(rates(fewer)).toMatchObject([{ verdict: 'different', ratio: { value: 0.75 } }]);
  const slower = compare({ latencyS: 0.03 });
  expect(slower.verdict).toBe('missed');
  expect(p95Of(slower)).toMatchObject({ kind: 'changed' });
  expect(compare({ sustainedPerS: 300, latencyS: 0.01 }).verdict).toBe('met');
});

describe('what may not be compared', () => {
  const target = madeUpTarget({ id: 'p95', value: 0.1, judged: { by: 'measured', metric: 'latency-p95' } });

  test('sustained rates by other targets', () => {
    const pair = compare({ sustainedPerS: 100, targets: [target] }, { targets: [{ ...target, value: 0.2 }] });
    expect(pair.differences).toMatchObject([{ code: 'targets', effect: 'rates', before: 'p95 < 0.2' }]);
    expect(rates(pair)).toEqual([]);
    expect(p95Of(pair)?.kind).toBe('unclear');
  });

  test('latencies of another load engine', () => {
    const pair = compare({ changes: { settings: { engine: 'k6' } } });
    expect(pair).toMatchObject({ loads: [], figures: [], verdict: 'inconclusive' });
  });

  test('another mix of the scenario mixed', () => {
    const mixed = (crud: number) => ({ scenario: 'mixed', changes: { settings: { mix: { crud, login: 1 } } } });
    const pair = compare(mixed(1), mixed(2));
    expect(pair.differences).toMatchObject([{ code: 'mix', effect: 'all', before: 'crud=2,login=1' }]);
    expect(pair).toMatchObject({ loads: [], figures: [] });
  });
});

test('a setting, a version and an amount of data are named, and figures are compared', () => {
  const [service] = madeUpTier.services;
  if (service === undefined) throw new Error('the tier has a service');
  const tier = { ...madeUpTier, services: [{ ...service, settings: { ...service.settings, EXTRA: 1 } }] };
  const pair = compare({
    changes: { tier: { tier, data: { values: {}, amounts: { users: 100, tasks: 1 } } }, settings: { seed: 8 } },
  });
  expect(pair.differences.map(({ code, detail, effect }) => [code, detail, effect])).toEqual(
    expect.arrayContaining([
      ['seed', '', 'none'],
      ['setting', `${service.name}.EXTRA`, 'explains'],
      ['data', 'tasks', 'explains'],
    ]),
  );
  expect(rates(pair)).toHaveLength(1);
});

test('with repeats each start is one observation', () => {
  const group = (name: string, ...sustained: readonly number[]) => {
    const [first = 0, ...others] = sustained;
    const results = [run({ sustainedPerS: first }), ...others.map((sustainedPerS) => run({ sustainedPerS }))] as const;
    return { name, results };
  };
  const [close, far] = [group('B', 200, 230, 180), group('C', 120, 125, 118)];
  const pairs = compareGroups([group('A', 190, 220, 210), close, far]);
  expect(pairs.map(rates)).toMatchObject([[{ verdict: 'open' }], [{ verdict: 'different' }]]);
  expect(pairs.map(({ loads }) => loads)).toEqual([[], []]);
});

test('tiers of other names are compared where each result has one', () => {
  const pooled = { tier: { id: 'pooled', tier: { ...madeUpTier, name: 'pooled' } } };
  const pair = compareGroups([
    { name: 'A', results: [run()] },
    { name: 'B', results: [run({ changes: pooled })] },
  ])[0];
  expect(pair?.tiers).toEqual([['single', 'pooled']]);
});

test('the document begins with the answer, and the JSON has every figure', () => {
  const pair = compare({ sustainedPerS: 150 });
  const document = compareDocument([pair]);
  expect(document.blocks[0]).toMatchObject({ kind: 'answer', answers: [{ statement: 'B is worse than A.' }] });
  expect(renderMarkdown(document, new Map())).toContain('sustains 0.75 times the rate');
  expect(JSON.parse(compareReport([pair])).pairs[0]).toMatchObject({ verdict: 'missed', before: { name: 'A' } });
});
