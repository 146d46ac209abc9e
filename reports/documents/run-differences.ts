import { metrics } from '../../harness/core/metrics.ts';
import { formatNumber, formatRatio, formatSeconds } from '../../harness/core/units.ts';
import {
  type Cause,
  type Quantity,
  SMALLEST_DIFFERENCE_RATIO,
  type TierDifference,
  type WhyOpen,
} from '../../harness/judging/tier-differences.ts';
import { type Block, type CellDraft, head, right, table, tableBlocks } from '../document.ts';
import { list } from '../text.ts';
import { limitedByText } from './run-limits.ts';
import { endTexts } from './run-rates.ts';
import { whySo } from './run-why.ts';

/** What changes from tier to tier: a sentence for each difference and for each that is none, and a table of the rest. */
export function differenceBlocks(
  differences: readonly TierDifference[],
  text = 'What changes from tier to tier',
): readonly Block[] {
  const items = differenceTexts(differences);
  const blocks: readonly Block[] = [
    ...(items.length === 0 ? [] : [{ kind: 'list' as const, items }]),
    ...tableBlocks(openTable(differences)),
  ];
  return blocks.length === 0 ? [] : [{ kind: 'heading', level: 2, text }, ...blocks];
}

/** A sentence for each difference, and for what is none. */
export function differenceTexts(differences: readonly TierDifference[]): readonly string[] {
  return [...differences.flatMap(differenceText), ...noDifferenceTexts(differences)];
}

/** `crud: a request takes 3.3 times the CPU of database on pooled as on single (2.9 to 3.6): 0.49 ms instead of ...` */
function differenceText(difference: TierDifference): readonly string[] {
  if (difference.verdict !== 'different') return [];
  const { scenario, before, tier, quantity, ratio, valueBefore, valueAfter, causes } = difference;
  const times = `${formatNumber(ratio.value)} times`;
  const interval = `(${formatNumber(ratio.low)} to ${formatNumber(ratio.high)})`;
  const because = causes.length === 0 ? '' : `, ${list(causes.map(causeText))}`;
  const what =
    quantity.code === 'sustained-rate'
      ? `${tier} sustains ${times} the rate of ${before} ${interval}: ${formatNumber(valueAfter)} instead of ${formatNumber(valueBefore)} iterations/s`
      : `a request takes ${times} the ${cpuText(quantity)} on ${tier} as on ${before} ${interval}: ${formatSeconds(valueAfter)} instead of ${formatSeconds(valueBefore)}`;
  return [`${scenario}: ${what}${because}.`];
}

function cpuText({ service }: Extract<Quantity, { code: 'cpu-per-request' }>): string {
  return service === null ? 'CPU of all services together' : `CPU of ${service}`;
}

function causeText(cause: Cause): string {
  switch (cause.code) {
    case 'limited-by':
      return `${cause.tier} is limited by ${limitedByText(cause.use)}`;
    case 'prepared-statements':
      return cause.kept
        ? `because statements stay prepared, which ${cause.pooler} did not keep`
        : `because ${cause.pooler} keeps no prepared statements, so that each is parsed and planned again`;
    case 'few-cache-hits':
      return `while the cache has ${formatRatio(cause.hitRatio)} of what is asked of it${cause.readsFollowWrites ? ', as each read follows a write' : ''}`;
    case 'cache-hits':
      return `because the cache has ${formatRatio(cause.hitRatio)} of what is asked of it`;
    case 'reads-at-replica':
      return `because ${formatRatio(cause.rowsRatio)} of the rows are read at the replica`;
    case 'other-work':
      return `with ${formatNumber(cause.after)} instead of ${formatNumber(cause.before)} ${metrics[cause.metric].label} for each request`;
  }
}

/** One for each scenario and pair of tiers. */
function noDifferenceTexts(differences: readonly TierDifference[]): readonly string[] {
  const same = differences.flatMap((each) => (each.verdict === 'no-difference' ? [each] : []));
  return [...Map.groupBy(same, ({ scenario, before, tier }) => JSON.stringify([scenario, before, tier])).values()].map(
    (own) => {
      const [first] = own;
      const what = own.map(({ quantity, ratio }) => {
        const name = quantity.code === 'sustained-rate' ? 'the sustained rate' : `the ${cpuText(quantity)}`;
        return `${name} (${formatNumber(ratio.low)} to ${formatNumber(ratio.high)} times)`;
      });
      return `${first?.scenario}: no difference of ${formatRatio(SMALLEST_DIFFERENCE_RATIO)} or more between ${first?.before} and ${first?.tier} in ${list(what)}.`;
    },
  );
}

/** A row for each interval, and one for all that have none for the same reason. */
function openTable(differences: readonly TierDifference[]) {
  const open = differences.flatMap((each) => (each.verdict === 'open' ? [each] : []));
  const pairOf = ({ scenario, before, tier }: TierDifference) => [scenario, before, tier];
  const groups = Map.groupBy(open, (each) =>
    JSON.stringify([pairOf(each), each.ratio === null ? each.why : each.quantity]),
  );
  return table(
    'Differences that are not decided',
    [head('Scenario'), head('From'), head('To'), head('What'), right('Times')],
    [...groups.values()].flatMap((own, index, all): CellDraft[][] => {
      const [first] = own;
      if (first === undefined) return [];
      const { scenario, before, tier, ratio, why } = first;
      const above = all[index - 1]?.[0];
      const repeated = above !== undefined && pairOf(above).join() === pairOf(first).join();
      const what = own.map(({ quantity }) =>
        quantity.code === 'sustained-rate' ? 'sustained rate' : cpuText(quantity),
      );
      return [
        [
          { text: scenario, repeated },
          { text: before, repeated },
          { text: tier, repeated },
          { text: list(what) },
          {
            text: ratio === null ? '–' : formatNumber(ratio.value),
            ...(ratio !== null && { detail: `${formatNumber(ratio.low)} to ${formatNumber(ratio.high)}` }),
            why: [whySo(whyOpenText(why))],
          },
        ],
      ];
    }),
  );
}

function whyOpenText(why: WhyOpen): string {
  switch (why.code) {
    case 'no-interval-of-rate':
      return `the sustained rate of ${why.tier} has no interval${endTexts[why.end] === '' ? '' : `: ${endTexts[why.end]}`}`;
    case 'too-few-trials':
      return `${why.tier} has fewer than three trials near its highest rate, so that there is no interval`;
    case 'interval-too-wide':
      return `the interval lies on both sides of ${formatRatio(SMALLEST_DIFFERENCE_RATIO)}: a longer search, or a quiet machine, decides it`;
  }
}
