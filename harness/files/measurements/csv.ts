import { nearestWord } from '../../core/closest-match.ts';
import type { Problem } from '../../core/errors.ts';
import type { ConcurrencyPoint, RatePoint } from '../../core/measured-curve.ts';
import { parseIn } from '../../core/units.ts';
import { shorten } from '../written-value.ts';

/** What a file holds, and everything that is wrong with it. */
export interface ReadPoints {
  readonly concurrency: readonly ConcurrencyPoint[];
  readonly rate: readonly RatePoint[];
  readonly problems: readonly Problem[];
}

/** A column by the names people give it. Values are SI, or in the unit that the name or the value itself has. */
const columns = {
  concurrency: ['concurrency', 'n', 'users', 'vus', 'connections', 'instances', 'threads'],
  throughput: ['throughput', 'x', 'rps', 'tps', 'requests_per_second', 'requests/s'],
  latency: ['latency', 'mean_latency', 'r'],
  rate: ['rate', 'arrival_rate', 'offered_rate'],
  p95: ['p95', 'p95_latency', 'latency_p95'],
} as const;
type ColumnName = keyof typeof columns;
const columnNames = Object.keys(columns) as ColumnName[];

const secondsIn: Readonly<Record<string, number>> = { s: 1, ms: 1e-3, us: 1e-6, µs: 1e-6 };
/** What is neither a measurement nor close to one. */
const [SMALLEST, LARGEST] = [1e-9, 1e12];
/** A latency without a unit is in seconds. Longer ones are most likely milliseconds. */
const LONGEST_WITHOUT_UNIT_S = 60;
/** Throughput times mean latency is at most the concurrency (Little's law). So much more is another unit. */
const LITTLE_IS_WRONG = 50;

interface Column {
  readonly index: number;
  readonly name: ColumnName;
  /** Of the header; null where it has none. */
  readonly unitS: number | null;
}

interface Row {
  readonly line: number;
  readonly cells: readonly string[];
}

/** `concurrency,throughput[,latency]` or `rate,p95` with a header; `,`, `;` or tabs between values, `#` before remarks. */
export function readCsv(text: string, path: string): ReadPoints {
  const lines = text
    .split(/\r\n|\n|\r/u)
    .map((content, index) => ({ line: index + 1, content }))
    .filter(({ content }) => content.trim() !== '' && !content.trimStart().startsWith('#'));
  const [first, ...others] = lines;
  const problem = (line: number, what: string, nextStep?: string): Problem => ({
    file: path,
    line,
    what,
    ...(nextStep !== undefined && { nextStep }),
  });
  const failed = (problems: readonly Problem[]): ReadPoints => ({ concurrency: [], rate: [], problems });
  if (first === undefined) return failed([problem(1, 'the file has no header', HEADERS)]);
  const separator = ['\t', ';', ','].find((each) => first.content.includes(each)) ?? ',';
  const cellsOf = (content: string) => content.split(separator).map((cell) => cell.trim().replace(/^"(.*)"$/u, '$1'));
  const header = cellsOf(first.content);
  const found = header.map((name, index) => columnOf(name, index));
  const known = found.filter((column) => column !== null);
  const has = (name: ColumnName) => known.some((column) => column.name === name);
  const repeated = known.filter(({ name, index }) => known.some((other) => other.name === name && other.index < index));
  const misspelt = header.flatMap((name, index) => {
    const nearest = found[index] === null ? nearestWord(name.toLowerCase(), columnNames) : undefined;
    const isMeant = columnNames.some((each) => each === nearest && !has(each));
    return isMeant ? [problem(first.line, `unknown column '${shorten(name)}'`, `Did you mean '${nearest}'?`)] : [];
  });
  const headerProblems = [
    ...misspelt,
    ...repeated.map(({ name }) => problem(first.line, `the column ${name} stands twice`, 'Leave one of them out.')),
  ];
  const isConcurrency = has('concurrency') && has('throughput');
  const isRate = has('rate') && has('p95');
  if (isConcurrency === isRate && misspelt.length === 0) {
    const what = isRate ? 'has columns of both kinds' : `has no columns that can be used: '${shorten(first.content)}'`;
    headerProblems.push(problem(first.line, `the header ${what}`, HEADERS));
  }
  if (isConcurrency === isRate || repeated.length > 0) return failed(headerProblems);
  const used = known.filter(({ name }) =>
    isRate ? name === 'rate' || name === 'p95' : name !== 'rate' && name !== 'p95',
  );

  const rows = others.map(({ line, content }): Row => ({ line, cells: cellsOf(content) }));
  const problems: Problem[] = [...headerProblems];
  if (rows.length === 0) problems.push(problem(first.line, 'there are no measurements below the header'));
  const complete = rows.filter(({ line, cells }) => {
    if (cells.length === header.length) return true;
    const counts = `has ${cells.length} ${cells.length === 1 ? 'value' : 'values'}, but the header has ${header.length}`;
    problems.push(problem(line, counts, 'Write numbers without separators between thousands.'));
    return false;
  });
  const values = complete.map(({ line, cells }) => {
    const row: Partial<Record<ColumnName, number>> = {};
    for (const column of used) {
      const parsed = parseCell(cells[column.index] ?? '', column);
      if (typeof parsed === 'number') row[column.name] = parsed;
      else problems.push(problem(line, `${column.name} ${parsed.what}`, parsed.nextStep));
    }
    return { line, row };
  });
  for (const column of used.filter(({ name }) => name === 'latency' || name === 'p95')) {
    problems.push(...unitProblems(column, complete, (line, what, nextStep) => problem(line, what, nextStep)));
  }
  const points = values.map(({ row }) => row);
  if (problems.length === 0 && isConcurrency && contradictsLittle(points)) {
    const what = 'throughput times latency is far more than the concurrency: latency is in another unit';
    problems.push(problem(first.line, what, 'Name the column latency_ms.'));
  }
  if (problems.length > 0) return failed(problems);
  return {
    concurrency: points.flatMap(({ concurrency, throughput, latency }) =>
      concurrency === undefined || throughput === undefined
        ? []
        : [{ concurrency, throughputPerS: throughput, latencyS: latency ?? null }],
    ),
    rate: points.flatMap(({ rate, p95 }) =>
      rate === undefined || p95 === undefined ? [] : [{ ratePerS: rate, p95S: p95 }],
    ),
    problems: [],
  };
}

const HEADERS =
  'Begin with a header: concurrency,throughput or concurrency,throughput,latency_ms or rate,p95_ms. Or name the output of k6, autocannon, wrk, oha, vegeta or hey.';

/** `latency_ms`, `p95 (s)`, `Throughput` */
function columnOf(written: string, index: number): Column | null {
  const plain = written.toLowerCase().replaceAll(/[\s-]+/gu, '_');
  const [, base = plain, unit] = /^(.*?)_?[([]?(ms|us|µs|s)[)\]]?$/u.exec(plain) ?? [];
  const named = (word: string) => columnNames.find((name) => columns[name].some((each) => each === word));
  const own = named(plain);
  if (own !== undefined) return { index, name: own, unitS: null };
  const name = named(base);
  if (name === undefined || (name !== 'latency' && name !== 'p95')) return null;
  return { index, name, unitS: secondsIn[unit ?? ''] ?? null };
}

const plainNumber = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/iu;

/** The value in SI units, or what is wrong with it. */
function parseCell(cell: string, { name, unitS }: Column): number | { what: string; nextStep?: string } {
  const isTime = name === 'latency' || name === 'p95';
  const wrong = `is '${shorten(cell)}', which is not a number`;
  if (cell === '') return { what: 'is missing', nextStep: 'Give a value, or remove the line.' };
  let value: number;
  if (plainNumber.test(cell)) value = Number(cell) * (isTime ? (unitS ?? 1) : 1);
  else {
    const parsed = isTime || /\/s$/u.test(cell) ? parseIn(cell, isTime ? 's' : 'requests/s') : { problem: wrong };
    if ('problem' in parsed) {
      return /^\d+,\d+$/u.test(cell) ? { what: wrong, nextStep: 'Write decimals with a point.' } : { what: wrong };
    }
    value = parsed.value;
  }
  if (!(value > 0)) return { what: `must be above 0, but is ${shorten(cell)}` };
  if (value < SMALLEST || value > LARGEST) return { what: `is ${shorten(cell)}, which nothing measures` };
  return value;
}

/** Some values with a unit and some without, or values that cannot be in seconds. */
function unitProblems(
  { name, index, unitS }: Column,
  rows: readonly Row[],
  problem: (line: number, what: string, nextStep: string) => Problem,
): readonly Problem[] {
  if (unitS !== null) return [];
  const nextStep = `Write the unit into the header: ${name}_ms or ${name}_s.`;
  const bare = rows.filter(({ cells }) => plainNumber.test(cells[index] ?? ''));
  const [first] = bare;
  if (first === undefined) return [];
  const withUnit = rows.find(({ cells }) => /\d\s*[a-zµ]+$/iu.test(cells[index] ?? ''));
  if (withUnit !== undefined) {
    return bare.map(({ line }) => problem(line, `${name} has no unit, but line ${withUnit.line} has one`, nextStep));
  }
  const longest = Math.max(...bare.map(({ cells }) => Number(cells[index])));
  return longest > LONGEST_WITHOUT_UNIT_S
    ? [problem(first.line, `${name} has no unit and would be up to ${longest} s`, nextStep)]
    : [];
}

function contradictsLittle(points: readonly Partial<Record<ColumnName, number>>[]): boolean {
  const ratios = points.flatMap(({ concurrency = 0, throughput = 0, latency }) =>
    latency === undefined ? [] : [(throughput * latency) / concurrency],
  );
  const middle = ratios.toSorted((one, other) => one - other)[Math.floor(ratios.length / 2)];
  return middle !== undefined && middle > LITTLE_IS_WRONG;
}
