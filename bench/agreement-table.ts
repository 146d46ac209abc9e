/** One trial of one engine. */
export interface AgreementTrial {
  readonly round: number;
  /** The system and the load: what all engines of a cell are given alike. */
  readonly system: string;
  readonly load: string;
  readonly engine: string;
  readonly throughputPerS: number;
  /** Null where there were too few answers for one. */
  readonly p95S: number | null;
  /** Why it is no evidence: the trial is invalid, or much of the figure comes from the engine itself. Empty when it is. */
  readonly notValid: readonly string[];
}

interface Agreement {
  readonly system: string;
  readonly load: string;
  readonly engine: string;
  readonly trials: number;
  readonly valid: number;
  /** Medians of the valid trials; of all where none is valid. */
  readonly throughputPerS: number;
  readonly p95S: number;
  /** Engine / reference: the median of the rounds in which both trials are valid. Null where there is no such round. */
  readonly throughputRatio: number | null;
  readonly p95Ratio: number | null;
  /** Null where no round gives evidence. */
  readonly agrees: boolean | null;
}

export const TOLERANCE = 0.1;

/** Every engine held against the reference, cell by cell, in the order of the trials. Rounds are compared one by one. */
export function agreements(trials: readonly AgreementTrial[], reference: string): readonly Agreement[] {
  const cells = Map.groupBy(trials, ({ system, load, engine }) => JSON.stringify([system, load, engine]));
  return [...cells.values()].flatMap((cell): Agreement[] => {
    const [first] = cell;
    if (first === undefined) return [];
    const { system, load, engine } = first;
    const valid = cell.filter(isValid);
    const reported = valid.length > 0 ? valid : cell;
    const pairs = valid.flatMap((trial) => {
      const other = trials.find(
        (one) => one.round === trial.round && one.system === system && one.load === load && one.engine === reference,
      );
      return other !== undefined && isValid(other) ? [{ trial, other }] : [];
    });
    const throughputRatio = median(pairs.map(({ trial, other }) => trial.throughputPerS / other.throughputPerS));
    const p95Ratio = median(
      pairs.flatMap(({ trial, other }) =>
        trial.p95S === null || other.p95S === null ? [] : [trial.p95S / other.p95S],
      ),
    );
    return [
      {
        system,
        load,
        engine,
        trials: cell.length,
        valid: valid.length,
        throughputPerS: median(reported.map(({ throughputPerS }) => throughputPerS)) ?? Number.NaN,
        p95S: median(reported.flatMap(({ p95S }) => (p95S === null ? [] : [p95S]))) ?? Number.NaN,
        throughputRatio,
        p95Ratio,
        agrees: throughputRatio === null || p95Ratio === null ? null : isNear(throughputRatio) && isNear(p95Ratio),
      },
    ];
  });
}

/** Markdown: the table, what it comes to, and why trials are not valid. */
export function describeAgreements(trials: readonly AgreementTrial[], reference: string): string {
  const rows = agreements(trials, reference);
  const others = rows.filter(({ engine }) => engine !== reference);
  const judged = others.filter(({ agrees }) => agrees !== null);
  const agreed = judged.filter(({ agrees }) => agrees === true);
  return [
    `| system | load | engine | requests/s | / ${reference} | p95 | / ${reference} | valid trials | within ${TOLERANCE * 100} % |`,
    '| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | --- |',
    ...rows.map((row) => `| ${cellsOf(row, reference).join(' | ')} |`),
    '',
    `${agreed.length} of ${judged.length} comparisons are within ${TOLERANCE * 100} %; ${others.length - judged.length} could not be made for want of valid trials.`,
    ...whyNotValid(trials),
  ].join('\n');
}

function cellsOf(row: Agreement, reference: string): readonly string[] {
  const isReference = row.engine === reference;
  const ratio = (value: number | null) => (isReference ? '' : (value?.toFixed(2) ?? '?'));
  const agrees = row.agrees === null ? 'not known' : row.agrees ? 'yes' : 'NO';
  return [
    row.system,
    row.load,
    row.engine,
    rounded(row.throughputPerS),
    ratio(row.throughputRatio),
    Number.isNaN(row.p95S) ? '?' : `${(row.p95S * 1000).toFixed(2)} ms`,
    ratio(row.p95Ratio),
    `${row.valid} of ${row.trials}`,
    isReference ? '' : agrees,
  ];
}

/** The first reason of each kind for each engine and load, with how often it was given. */
function whyNotValid(trials: readonly AgreementTrial[]): readonly string[] {
  const reasons = trials.flatMap(({ system, load, engine, notValid }) =>
    notValid.map((reason) => ({
      of: `${engine}, ${system}, ${load}: ${reason.replaceAll(/[\d.,]+/g, '#')}`,
      text: `${engine}, ${system}, ${load}: ${reason}`,
    })),
  );
  const kinds = [...Map.groupBy(reasons, ({ of }) => of).values()];
  if (kinds.length === 0) return [];
  return [
    '',
    'Not valid:',
    ...kinds.map((alike) => `- ${alike[0]?.text}${alike.length > 1 ? ` (${alike.length} times)` : ''}`),
  ];
}

const isValid = ({ notValid }: AgreementTrial): boolean => notValid.length === 0;
/** Either way: 10 % more than the one is as far as being 10 % less than the other. */
const isNear = (ratio: number): boolean => ratio <= 1 + TOLERANCE && 1 / ratio <= 1 + TOLERANCE;
const rounded = (value: number): string => (value < 100 ? value.toFixed(1) : Math.round(value).toLocaleString('en'));

function median(values: readonly number[]): number | null {
  const ascending = values.toSorted((left, right) => left - right);
  const middle = ascending.length / 2;
  const low = ascending[Math.ceil(middle) - 1];
  const high = ascending[Math.floor(middle)];
  return low === undefined || high === undefined ? null : (low + high) / 2;
}
