import { formatNumber, formatRate } from '../../harness/core/units.ts';
import type { Analysis } from '../analysis.ts';
import { sweepChart } from '../charts/sweep-charts.ts';
import { type Answer, type Block, type CellDraft, figures, head, left, right, type Table, table } from '../document.ts';
import { estimateInterval, estimateWithInterval } from '../figures.ts';
import { type SweepCurve, type SweepPoint, sweepCurves } from '../sweep.ts';
import { list } from '../text.ts';
import { heldOutBlocks } from './held-out.ts';
import { limitTexts } from './run-limits.ts';
import { endTexts } from './run-rates.ts';

/** What a sweep found: capacity over resources, and resources over load. */
export interface SweepParts {
  readonly answers: readonly Answer[];
  readonly blocks: readonly Block[];
}

export function sweepParts(analysis: Analysis): SweepParts {
  const curves = sweepCurves(analysis);
  if (curves.length === 0) return { answers: [], blocks: [] };
  const predicted = heldOutBlocks(curves);
  return {
    answers: curves.map(answerOf),
    blocks: [
      ...curves.flatMap((curve): Block[] => [
        { kind: 'heading', level: 2, text: `${curve.scenario} over ${curve.setting}${besideText(curve)}` },
        { kind: 'table', table: capacityTable(curve) },
        ...figures([sweepChart(curve)]),
        ...(curve.demand.length === 0 ? [] : [{ kind: 'table' as const, table: demandTable(curve) }]),
        ...lawBlocks(curve),
      ]),
      ...(predicted.length === 0
        ? []
        : [{ kind: 'heading' as const, level: 2 as const, text: 'Predicted beside measured' }, ...predicted]),
    ],
  };
}

function besideText({ tier, beside }: SweepCurve): string {
  return ` of ${tier}${beside === '' ? '' : `, with ${beside}`}`;
}

function answerOf(curve: SweepCurve): Answer {
  const { scenario, setting, points } = curve;
  const measured = points.flatMap(({ value, ratePerS }) => (ratePerS === null ? [] : [{ value, ratePerS }]));
  const [first] = measured;
  const last = measured.at(-1);
  const about = scenario;
  if (first === undefined || last === undefined) {
    return {
      about,
      statement: `no value of ${setting} has an interval of what it sustains${besideText(curve)}.`,
      because: '',
    };
  }
  const texts = measured.map(({ value, ratePerS }) => `${estimateWithInterval(ratePerS, formatNumber)} with ${value}`);
  const best = measured.toSorted((one, other) => other.ratePerS.value - one.ratePerS.value)[0] ?? last;
  const times = best.ratePerS.value / first.ratePerS.value;
  return {
    about,
    statement: `over ${setting}${besideText(curve)} the sustained rate in iterations/s is ${list(texts)}.`,
    because:
      best === first
        ? `No value sustains more than ${first.value}.`
        : `${best.value} sustains ${formatNumber(times)} times as much as ${first.value}.`,
  };
}

function capacityTable({ setting, points }: SweepCurve): Table {
  return table(
    `Capacity: what each value of ${setting} sustains, in iterations/s`,
    [head(setting), right('Sustained'), right('Interval'), left('Limited by')],
    points.map((point): CellDraft[] => [
      { text: String(point.value), ...(point.isOwn && { detail: 'as in the tier file' }) },
      { text: sustainedText(point) },
      { text: intervalText(point) },
      { text: limitText(point) },
    ]),
  );
}

function sustainedText({ ratePerS, searched, known }: SweepPoint): string {
  if (ratePerS !== null) return formatNumber(ratePerS.value);
  if (known !== null) return 'not measured';
  if (searched === null) return 'not known';
  const { lowPerS, highPerS } = searched;
  if (lowPerS !== null) return `at least ${formatNumber(lowPerS)}`;
  return highPerS === null ? 'not known' : `less than ${formatNumber(highPerS)}`;
}

function intervalText({ ratePerS, known, searched }: SweepPoint): string {
  if (ratePerS !== null) return estimateInterval(ratePerS, formatNumber);
  if (known !== null) return `${formatNumber(known.lowPerS)} to ${formatNumber(known.highPerS)}, as its neighbours say`;
  return searched === null ? '–' : endTexts[searched.end];
}

function limitText({ searched }: SweepPoint): string {
  const above = searched?.above ?? null;
  return above === null ? '–' : (limitTexts(above.limit)[0] ?? 'not known');
}

function demandTable({ setting, demand }: SweepCurve): Table {
  return table(
    `Demand: the least ${setting} for each load`,
    [head('Iterations/s', 'right'), right('Sustained by'), right('At least')],
    demand.map(({ ratePerS, atLeast, enough }): CellDraft[] => [
      { text: formatNumber(ratePerS) },
      { text: enough === null ? 'more than was measured' : String(enough) },
      { text: atLeast === null ? '–' : String(atLeast) },
    ]),
  );
}

/** The law is one of instances: of other settings it says nothing. */
function lawBlocks({ fit, points }: SweepCurve): readonly Block[] {
  if (fit === null) return [];
  const { lambdaPerS, sigma, kappa, peak } = fit;
  const most = Math.max(...points.map(({ number }) => number ?? 0));
  const coherency =
    kappa === null
      ? 'coherency κ is not identified from three values'
      : `coherency κ ${estimateWithInterval(kappa, formatNumber)}`;
  const highest =
    peak.kind === 'identified'
      ? `The highest rate is at ${estimateWithInterval(peak.estimate, formatNumber)} instances.`
      : `A highest number of instances is not identified: it is at least ${formatNumber(peak.atLeast)}, and ${formatNumber(most)} were measured.`;
  return [
    {
      kind: 'paragraph',
      text: `Universal Scalability Law through these values: one instance ${estimateWithInterval(lambdaPerS, formatRate)}, contention σ ${estimateWithInterval(sigma, formatNumber)}, ${coherency}. ${highest}`,
    },
  ];
}
