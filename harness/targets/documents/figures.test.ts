import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Target } from '../../core/target.ts';
import { parseTargets, readTargets } from '../../files/target-file.ts';
import { checkSchema, closedObject, readYamlFile } from '../../files/yaml-file.ts';

/** The documents are not part of tierbench, so a list of their figures stands for them (figures.yaml). */

const figuresSchema = closedObject({
  reasons: z.record(z.string(), z.string()),
  figures: z.record(
    z.string(),
    z.record(
      z.string(),
      z.array(
        closedObject({
          line: z.int().min(1),
          figure: z.string().min(1),
          about: z.string().min(1),
          targets: z.array(z.string()).min(1).optional(),
          noTarget: z.string().optional(),
        }),
      ),
    ),
  ),
});
type Figures = z.output<typeof figuresSchema>;
interface Figure {
  readonly document: string;
  readonly section: string;
  readonly line: number;
  readonly figure: string;
  readonly targets?: readonly string[] | undefined;
  readonly noTarget?: string | undefined;
}

function flatten({ figures }: Figures): Figure[] {
  return Object.entries(figures).flatMap(([document, sections]) =>
    Object.entries(sections).flatMap(([section, rows]) => rows.map((row) => ({ ...row, document, section }))),
  );
}

/** What does not fit between the documents' figures and the targets; empty when all does. */
function gaps(figures: readonly Figure[], reasons: readonly string[], targets: readonly Target[]): string[] {
  const byId = new Map(targets.map((target) => [target.id, target]));
  const ofFigures = figures.flatMap(({ document, line, figure, targets: ids, noTarget }) => {
    const name = `${document}:${line} "${figure}"`;
    if ((ids === undefined) === (noTarget === undefined)) return [`${name} needs targets or a reason why it is none`];
    if (noTarget !== undefined) return reasons.includes(noTarget) ? [] : [`${name}: unknown reason '${noTarget}'`];
    return (ids ?? []).flatMap((id) => {
      const source = byId.get(id)?.source.document;
      if (source === undefined) return [`${name} names the unknown target ${id}`];
      return source === document ? [] : [`${name} names ${id}, a target of ${source}`];
    });
  });
  const ofTargets = targets.flatMap((target) => {
    const own = figures.filter(({ targets: ids }) => ids?.includes(target.id));
    if (own.length === 0) return [`${target.id} holds no figure of the documents`];
    const sections = target.source.section.split('; ');
    return [
      ...sections
        .filter((section) => !own.some((figure) => figure.section === section))
        .map((section) => `${target.id} has no figure in section "${section}"`),
      ...[target.value]
        .flat()
        .filter((end) => !own.some(({ figure }) => says(figure, end)))
        .map((end) => `${target.id} is ${end} ${target.unit}, which none of its figures says`),
      ...(target.id.startsWith(`${target.source.document}-`) ? [] : [`${target.id} lacks its document's name`]),
    ];
  });
  return [...ofFigures, ...ofTargets];
}

const numbersInWords: Record<string, number> = {
  free: 0,
  zero: 0,
  'zero-downtime': 0,
  'single read replica': 1,
  '-i max': 1,
  'multiple databases': 2,
  daily: 86_400,
};
/** From how figures are written to SI: milli, percent, thousands, minutes, hours, mebibytes and so on. */
const scales = [1, 1e-3, 1e-2, 60, 3600, 1e3, 1e6, 1e9, 2 ** 20, 2 ** 30];

/** Does the written figure hold this value, whatever its unit? `5k–10k` says 5000. It catches slips, not every error. */
function says(figure: string, value: number): boolean {
  const inWords = numbersInWords[figure.toLowerCase()];
  // "requests/minute" says the length of its window without a number.
  const numbers = [...(figure.match(/\d+(?:,\d{3})*(?:\.\d+)?/gu) ?? []), ...(/\/minute/u.test(figure) ? ['1'] : [])];
  return (
    inWords === value ||
    numbers.some((number) =>
      scales.some((scale) => Math.abs(Number(number.replaceAll(',', '')) * scale - value) <= value * 1e-9),
    )
  );
}

let reasons: readonly string[];
let figures: readonly Figure[];
let targets: readonly Target[];

beforeAll(async () => {
  const path = fileURLToPath(new URL('./figures.yaml', import.meta.url));
  const file = await readYamlFile(path, { kind: 'figures', invalid: 'TARGET_FILE_INVALID' });
  const { value, problems } = checkSchema(file, figuresSchema);
  expect([...file.problems, ...problems]).toEqual([]);
  if (value === undefined) throw new Error('unreachable');
  reasons = Object.keys(value.reasons);
  figures = flatten(value);
  targets = await readTargets();
});

test('every figure of the five documents is a target or has a reason why it is none', () => {
  expect(new Set(figures.map(({ document }) => document)).size).toBe(5);
  expect(figures.length).toBeGreaterThan(200);
  expect(gaps(figures, reasons, targets)).toEqual([]);
});

test('each reason is used', () => {
  expect(new Set(figures.flatMap(({ noTarget }) => noTarget ?? []))).toEqual(new Set(reasons));
});

describe('the check above fails', () => {
  test('when a figure has neither', () => {
    const more = { document: 'taskflow', section: 'Observability', line: 70, figure: '99.9 %' };
    expect(gaps([...figures, more], reasons, targets)).toEqual([
      'taskflow:70 "99.9 %" needs targets or a reason why it is none',
    ]);
  });

  test('when a target is removed', () => {
    const fewer = targets.filter(({ id }) => id !== 'taskflow-access-token-ttl');
    expect(gaps(figures, reasons, fewer)).toEqual([
      'taskflow:30 "15 min" names the unknown target taskflow-access-token-ttl',
      'taskflow:95 "15m" names the unknown target taskflow-access-token-ttl',
    ]);
  });

  test('when a target is of no figure', () => {
    const fewer = figures.filter(({ figure }) => figure !== '< 0.1%');
    expect(gaps(fewer, reasons, targets)).toEqual([
      'scalability-strategy-error-ratio holds no figure of the documents',
    ]);
  });

  test('when a value is mistyped', () => {
    const wrong = targets.map((target) => (target.id === 'lsf-auth-throughput' ? { ...target, value: 100 } : target));
    expect(gaps(figures, reasons, wrong)).toEqual([
      'lsf-auth-throughput is 100 requests/s, which none of its figures says',
    ]);
  });

  test('when two targets have one id', () => {
    const target = 'title: T\n    section: S\n    value: 1 s\n    judged: { not-yet: later. }\n';
    expect(() => parseTargets(`document: d\ntargets:\n  d-a:\n    ${target}  d-a:\n    ${target}`, 'd.yaml')).toThrow(
      expect.objectContaining({ code: 'TARGET_FILE_INVALID' }),
    );
  });
});

test('the figures that are measured are exactly these', () => {
  const measured = targets.flatMap(({ id, judged, comparison, value, unit }) =>
    judged.by === 'measured' ? [[id, judged.metric, `${comparison} ${value} ${unit}`]] : [],
  );
  expect(measured).toEqual([
    ['authflow-local-throughput', 'throughput', '>= 500 requests/s'],
    ['lsf-auth-logins-at-once', 'concurrency', '>= 100 users'],
    ['lsf-auth-tasks', 'data-size', '>= 1000 tasks'],
    ['lsf-auth-throughput', 'throughput', '>= 1000 requests/s'],
    ['scalability-strategy-latency-p95', 'latency-p95', '< 0.2 s'],
    ['scalability-strategy-error-ratio', 'error-ratio', '< 0.001 ratio'],
    ['scalability-strategy-concurrent-users', 'concurrency', '>= 1000 users'],
  ]);
});
