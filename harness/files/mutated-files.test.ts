import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parse, parseDocument, stringify } from 'yaml';
import { TierbenchError } from '../core/errors.ts';
import { parsePrices } from './price-file.ts';
import { parseTargets } from './target-file.ts';
import { parseTier } from './tier-file.ts';
import { parseWorkload } from './workload-file.ts';

const timeout = 60_000;

/** Whatever is done to a file, the message says where and what, and nobody sees anything else thrown. */

const harness = fileURLToPath(new URL('..', import.meta.url));
const texts = (pattern: string) =>
  globSync(pattern, { cwd: harness }).map((file) => readFileSync(`${harness}${file}`, 'utf8'));
const tiers = texts('tiers/*.yaml');
const targets = texts('targets/*.yaml');
const prices = texts('prices/*.yaml');
const workloads = [
  'dailyUsers: 1000..2000\nsessionsPerDay: 3\nrequestsPerSession: 20\nthinkTime: 3..7 s\ngrowth: 20 %\nheadroom: 25 %\nfailures: 1\nlargestInstanceCpus: 4\n',
  `monthlyUsers: 1e6\ndailyShare: 10..30 %\npageViewsPerSession: 5\nrequestsPerPageView: 3\nsessionLength: 10 min\ndayCurve: [${'1, '.repeat(23)}2]\n`,
];

const junk = fc.constantFrom(
  ...['\t', '\n', ' ', ':', ': ', '- ', '[', ']', '{', '}', '&a ', '*a', '*', '!', '!!set ', '|', '>', '#', '"', "'"],
  ...[
    '%',
    '@',
    '`',
    ',',
    '?',
    '? ',
    '---\n',
    '...\n',
    '<<: ',
    '\0',
    '\u001b',
    '\uFEFF',
    '\uD800',
    '😀',
    '~',
    '.inf',
    '.nan',
  ],
  ...[
    '-1',
    '0x',
    '1e999',
    '__proto__',
    'constructor',
    'null',
    'true',
    '512',
    '500m',
    '200 ms',
    '=',
    '%YAML 1.1\n---\n',
  ],
);
const mutation = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  remove: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(12)),
  insert: fc.oneof({ weight: 3, arbitrary: junk }, fc.string({ maxLength: 8 }), fc.constant('')),
});

function mutated(text: string, mutations: readonly { at: number; remove: number; insert: string }[]): string {
  return mutations.reduce((current, { at, remove, insert }) => {
    const start = Math.floor(at * current.length);
    return current.slice(0, start) + insert + current.slice(start + remove);
  }, text);
}

function readsOrExplains(read: (text: string, path: string) => unknown, code: string, text: string): void {
  try {
    read(text, 'mutated.yaml');
  } catch (error) {
    if (!(error instanceof TierbenchError)) throw error;
    expect(error.code).toBe(code);
    expect(error.problems.length).toBeGreaterThan(0);
    for (const { file, line = 0, column = 0, what } of error.problems) {
      expect(file).toBe('mutated.yaml');
      expect(what).not.toMatch(/undefined|\[object|NaN|\n/u);
      expect(line).toBeGreaterThanOrEqual(1);
      expect(line).toBeLessThanOrEqual(text.split('\n').length);
      expect(column).toBeGreaterThanOrEqual(1);
    }
  }
}

test.each([
  ['tier', tiers, parseTier, 'TIER_FILE_INVALID'],
  ['target', targets, parseTargets, 'TARGET_FILE_INVALID'],
  ['price', prices, parsePrices, 'PRICE_FILE_INVALID'],
  ['workload', workloads, parseWorkload, 'WORKLOAD_FILE_INVALID'],
] as const)(
  'a mutated %s file is read or explained',
  (_, originals, read, code) => {
    fc.assert(
      fc.property(
        fc.constantFrom(...originals),
        fc.array(mutation, { minLength: 1, maxLength: 4 }),
        (text, mutations) =>
          // Part of a long file is enough, and quicker to read a few hundred times.
          readsOrExplains(read, code, mutated(text.slice(0, 3000), mutations)),
      ),
      { numRuns: 200 },
    );
  },
  timeout,
);

/** Values of any shape in the places of a tier or a target. */
const anything = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom('api', 'db', 'primary', '200 ms', 1, -1, [], {}, ['1 s', '2 s']),
);
const object = (keys: readonly string[]) => fc.dictionary(fc.oneof(fc.constantFrom(...keys), fc.string()), anything);

test(
  'values of any shape in a tier file are read or explained',
  () => {
    const service = object(['kind', 'instances', 'settings', 'resources', 'connectsTo']);
    const tier = fc.record({
      name: anything,
      entry: anything,
      services: fc.dictionary(fc.constantFrom('api', 'db'), service),
    });
    fc.assert(fc.property(tier, (value) => readsOrExplains(parseTier, 'TIER_FILE_INVALID', stringify(value))));
  },
  timeout,
);

/** Every setting and connection of every built-in tier, so that each rule for one of them meets values nobody meant. */
const places = tiers.flatMap((text) =>
  Object.entries((parse(text) as { services: Record<string, Record<string, object>> }).services).flatMap(
    ([service, parts]) =>
      ['settings', 'connectsTo', 'resources'].flatMap((part) =>
        Object.keys(parts[part] ?? {}).map((key) => ({ text, path: ['services', service, part, key] })),
      ),
  ),
);

test(
  'a setting, connection or resource of any value in a built-in tier is read or explained',
  () => {
    const names = fc.constantFrom(
      'api',
      'pooler',
      'database',
      'replica',
      'balancer',
      'cache',
      '0',
      '-1',
      '1e9',
      '45 s',
    );
    fc.assert(
      fc.property(fc.constantFrom(...places), fc.oneof(anything, names, fc.string()), ({ text, path }, value) => {
        const document = parseDocument(text);
        document.setIn(path, value);
        readsOrExplains(parseTier, 'TIER_FILE_INVALID', String(document));
      }),
    );
  },
  timeout,
);

test(
  'values of any shape in a target file are read or explained',
  () => {
    const target = object(['title', 'section', 'comparison', 'value', 'appliesTo', 'judged', 'contradictions', 'note']);
    const file = fc.record({ document: anything, targets: fc.dictionary(fc.constantFrom('a', 'b', 'c'), target) });
    fc.assert(fc.property(file, (value) => readsOrExplains(parseTargets, 'TARGET_FILE_INVALID', stringify(value))));
  },
  timeout,
);

test.each([
  ['workload', parseWorkload, 'WORKLOAD_FILE_INVALID', ['dailyUsers', 'peakRate', 'thinkTime', 'dayCurve', 'headroom']],
  [
    'price',
    parsePrices,
    'PRICE_FILE_INVALID',
    ['currency', 'date', 'source', 'cpuHour', 'instanceMonth', 'fixedMonth'],
  ],
] as const)(
  'values of any shape in a %s file are read or explained',
  (_, read, code, keys) => {
    fc.assert(fc.property(object(keys), (value) => readsOrExplains(read, code, stringify(value))));
  },
  timeout,
);
