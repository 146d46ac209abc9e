import { loadLevel } from '../../harness/core/load.ts';
import { metrics } from '../../harness/core/metrics.ts';
import type { Target } from '../../harness/core/target.ts';
import {
  formatBound,
  formatBytes,
  formatNumber,
  formatRate,
  formatRatio,
  formatSeconds,
} from '../../harness/core/units.ts';
import type { Demands } from '../../harness/judging/demands.ts';
import type { SearchedRate, TierAnalysis } from '../analysis.ts';
import { type Answer, type CellDraft, head, left, right, type Table, table } from '../document.ts';
import { estimateInterval } from '../figures.ts';
import { list } from '../text.ts';
import { limitSentence as describeLimit, limitTexts, nothingSustained } from './run-limits.ts';

/** The sustained rate of each tier and scenario that was searched: what it is, what limits it, what a request costs. */

interface OfTier {
  readonly tier: string;
  readonly searched: SearchedRate;
  readonly demands: Demands | null;
}

interface Question {
  readonly scenario: string;
  /** In the order of the run. */
  readonly tiers: readonly OfTier[];
}

function questionsOf(tiers: readonly TierAnalysis[]): readonly Question[] {
  const all = tiers.flatMap(({ name: tier, scenarios }) =>
    scenarios.flatMap(({ name: scenario, searched, demands }) =>
      searched === null ? [] : [{ scenario, tier, searched, demands }],
    ),
  );
  return [...Map.groupBy(all, ({ scenario }) => scenario)].map(([scenario, own]) => ({ scenario, tiers: own }));
}

/** One for each scenario: the tier that sustains most, what limits it and what a request costs there. */
export function rateAnswers(tiers: readonly TierAnalysis[]): readonly Answer[] {
  return questionsOf(tiers).map((question): Answer => {
    const [best, second] = question.tiers
      .filter(({ searched }) => levelOf(searched) > 0)
      .toSorted((one, other) => levelOf(other.searched) - levelOf(one.searched));
    const about = question.scenario;
    if (best === undefined) return { about, ...noneSustained(question) };
    const { searched, demands } = best;
    const within = goalsText(searched.goals);
    const isOverlapping = second !== undefined && (second.searched.highPerS ?? 0) >= (searched.lowPerS ?? 0);
    const next =
      second === undefined
        ? []
        : [
            `Next: ${second.tier} with ${rateText(second.searched)}${isOverlapping ? ', which may be no difference' : ''}.`,
          ];
    return {
      about,
      statement: `${best.tier} sustains ${question.tiers.length > 1 ? 'most, ' : ''}${rateText(searched)}${requestsText(best)}${within === '' ? '' : `, within ${within}`}.`,
      because: [limitSentence(best), costSentence(demands), ...next].filter((text) => text !== '').join(' '),
    };
  });
}

function noneSustained({ tiers }: Question): Omit<Answer, 'about'> {
  const names = tiers.map(({ tier }) => tier);
  const [missed] = tiers.filter(({ searched }) => searched.highPerS !== null);
  const within = goalsText((missed ?? tiers[0])?.searched.goals ?? []);
  if (missed === undefined) {
    const ends = list([...new Set(tiers.map(({ searched }) => whyEnded(searched)))]);
    return nothingSustained(names, within, { undecided: ends === '' ? '' : `The search ended: ${ends}.` });
  }
  const load = `${formatRate(missed.searched.highPerS ?? 0)}`;
  return nothingSustained(names, within, { missed: { tier: missed.tier, load, limit: limitSentence(missed) } });
}

function levelOf({ valuePerS, lowPerS }: SearchedRate): number {
  return valuePerS ?? lowPerS ?? 0;
}

/** `310 iterations/s (295 to 322)`, `at least 310 iterations/s`. */
function rateText({ valuePerS, lowPerS, highPerS }: SearchedRate): string {
  if (valuePerS !== null) {
    return `${formatNumber(valuePerS)} iterations/s (${formatNumber(lowPerS ?? 0)} to ${formatNumber(highPerS ?? 0)})`;
  }
  if (lowPerS !== null && highPerS === null) return `at least ${formatNumber(lowPerS)} iterations/s`;
  if (lowPerS !== null) return `${formatNumber(lowPerS)} to ${formatNumber(highPerS ?? 0)} iterations/s`;
  return highPerS === null ? 'not known' : `less than ${formatNumber(highPerS)} iterations/s`;
}

function requestsText({ searched, demands }: OfTier): string {
  const perIteration = demands?.requestsPerIteration ?? 1;
  return perIteration < 1.5 ? '' : `, ${formatNumber(perIteration * levelOf(searched))} requests/s`;
}

/** `p95 < 200 ms and errors < 0.1 %` */
function goalsText(goals: readonly Target[]): string {
  const texts = goals.map((target) => {
    const { judged } = target;
    const metric = judged.by === 'measured' ? judged.metric : '';
    return `${metric === 'error-ratio' ? 'errors' : metric.replace('latency-', '')} ${formatBound(target)}`;
  });
  return list([...new Set(texts)]);
}

export const endTexts = {
  precise: '',
  budget: 'the time for the search was used up',
  'lowest-missed': 'even the lowest rate misses a target',
  'highest-met': 'even the highest rate meets the targets',
  'generator-limit': 'the load generator was at its limit',
  'machine-limit': 'other processes, or the host, took the CPU',
  'invalid-trials': 'trial after trial was invalid',
  stopped: 'the run was stopped',
} as const satisfies Readonly<Record<SearchedRate['end'], string>>;

function whyEnded({ end }: SearchedRate): string {
  return endTexts[end];
}

function limitSentence({ searched: { above, highPerS, end }, demands }: OfTier): string {
  if (above === null || highPerS === null) {
    return end === 'precise' ? '' : `No higher rate was decided: ${endTexts[end]}.`;
  }
  const at = `At ${formatRate(loadLevel(above.trial.summary.load))}`;
  const without = demands?.expected.here[1];
  const more =
    without === undefined || demands === null
      ? ''
      : ` Without it expect at most ${formatNumber(without.atMostPerS / demands.requestsPerIteration)} iterations/s, by ${without.station}.`;
  return `${at} ${describeLimit(above.limit)}.${more}`;
}

/** `A request costs 1.12 ms of api, 0.29 ms of database CPU.` */
function costSentence(demands: Demands | null): string {
  if (demands === null) return '';
  return `A request costs ${list(demands.services.map(({ service, cpuS }) => `${formatSeconds(cpuS)} of ${service}`))} CPU.`;
}

/** A row for each scenario and tier. */
export function ratesTable(tiers: readonly TierAnalysis[]): Table {
  const questions = questionsOf(tiers);
  const hasSeveral = tiers.length > 1;
  return table(
    'The highest arrival rate of each tier within its targets, in iterations/s',
    [
      head('Scenario'),
      ...(hasSeveral ? [head('Tier')] : []),
      right('Sustained'),
      right('p95 below it'),
      left('Limited by'),
      right('Expected at most'),
    ],
    questions.flatMap(({ scenario, tiers: own }) =>
      own.map((each, index): CellDraft[] => [
        { text: scenario, repeated: index > 0 },
        ...(hasSeveral ? [{ text: each.tier }] : []),
        sustainedCell(each),
        p95Cell(each.searched),
        limitCell(each.searched),
        expectedCell(each.demands),
      ]),
    ),
  );
}

function sustainedCell({ searched }: OfTier): CellDraft {
  const { valuePerS, lowPerS, highPerS, monotone } = searched;
  const why = whyEnded(searched);
  const detail = [
    ...(valuePerS === null ? [] : [`${formatNumber(lowPerS ?? 0)} to ${formatNumber(highPerS ?? 0)}`]),
    ...(searched.end === 'precise' || searched.end === 'budget' ? [] : [why]),
    ...(monotone ? [] : ['lower rates miss too: not monotone']),
  ];
  const text = valuePerS === null ? rateText(searched).replace(' iterations/s', '') : formatNumber(valuePerS);
  return { text, ...(detail.length > 0 && { detail: detail.join('; ') }) };
}

function p95Cell({ at }: SearchedRate): CellDraft {
  const p95 = at?.summary.latency.p95S ?? null;
  if (at === null || p95 === null) return { text: '–' };
  return {
    text: formatSeconds(p95.value),
    detail: `${estimateInterval(p95, formatSeconds)} at ${formatNumber(loadLevel(at.summary.load))}/s`,
  };
}

function limitCell({ above }: SearchedRate): CellDraft {
  if (above === null) return { text: 'not reached' };
  const [first = 'not known', ...others] = limitTexts(above.limit);
  const { latency, errorRatio } = above.trial.summary;
  const seen = [
    ...(latency.p95S === null ? [] : [`p95 ${formatSeconds(latency.p95S.value)}`]),
    ...(errorRatio === 0 ? [] : [`${formatRatio(errorRatio)} errors`]),
  ];
  const at = `at ${formatNumber(loadLevel(above.trial.summary.load))}/s${seen.length === 0 ? '' : `: ${seen.join(', ')}`}`;
  return { text: first, detail: [...others, at].join('; ') };
}

/** By the bottleneck law, as the tier runs here; and at the sizes of its file, where it names any. */
function expectedCell(demands: Demands | null): CellDraft {
  const [here] = demands?.expected.here ?? [];
  if (demands === null || here === undefined) return { text: '–' };
  const [sized] = demands.expected.atTierSizes;
  const perIteration = (requestsPerS: number) => formatNumber(requestsPerS / demands.requestsPerIteration);
  const detail = [
    `by ${here.station}`,
    ...(sized === undefined ? [] : [`${perIteration(sized.atMostPerS)} at the sizes of its file, by ${sized.station}`]),
  ];
  return { text: perIteration(here.atMostPerS), detail: detail.join('; ') };
}

/** A row for each scenario and tier; a column for each service that any of them has. */
export function demandsTable(tiers: readonly TierAnalysis[]): Table {
  const rows = tiers.flatMap(({ name: tier, scenarios }) =>
    scenarios.flatMap(({ name: scenario, demands }) => (demands === null ? [] : [{ tier, scenario, demands }])),
  );
  const services = [...new Set(rows.flatMap(({ demands }) => demands.services.map(({ service }) => service)))];
  const ordered = [...Map.groupBy(rows, ({ scenario }) => scenario).values()].flat();
  return table(
    'CPU time of each service for one request, near the sustained rate',
    [
      head('Scenario'),
      head('Tier'),
      right('Requests/s'),
      ...services.map((name) => right(name)),
      left('Beside CPU, for one request'),
    ],
    ordered.map(({ tier, scenario, demands }, index): CellDraft[] => [
      { text: scenario, repeated: ordered[index - 1]?.scenario === scenario },
      { text: tier },
      { text: demands.takenAtPerS.map((rate) => formatNumber(rate)).join(' to ') },
      ...services.map((name): CellDraft => {
        const found = demands.services.find(({ service }) => service === name);
        if (found === undefined) return { text: '–' };
        const { interval } = found;
        return {
          text: formatSeconds(found.cpuS),
          ...(interval !== null && { detail: `${formatSeconds(interval.lowS)} to ${formatSeconds(interval.highS)}` }),
        };
      }),
      { text: list(besidesCpu(demands)) || '–' },
    ]),
  );
}

/** What tells tiers apart at a glance; report.json has all. */
const shownAmounts = new Set(['statements', 'rows-written', 'wal-bytes', 'commands']);

/** A row for each step, or several that nothing tells apart; a column for each service of the tier. */
export function stepsTable({ name, stepDemands }: TierAnalysis): Table {
  const services = [...new Set(stepDemands.map(({ service }) => service))];
  const rows = Map.groupBy(stepDemands, ({ steps }) => list(steps));
  return table(
    `CPU time of each service for one request of a step on ${name}, as far as the scenarios tell`,
    [head('Step'), ...services.map((service) => right(service))],
    [...rows].map(([steps, own]): CellDraft[] => [
      { text: steps },
      ...services.map((service): CellDraft => {
        const cpuS = own.find((each) => each.service === service)?.cpuS ?? null;
        if (cpuS === null) return { text: 'not known' };
        return { text: formatSeconds(cpuS.value), detail: estimateInterval(cpuS, formatSeconds) };
      }),
    ]),
  );
}

function besidesCpu(demands: Demands): readonly string[] {
  const { rowsReadAtReplicasRatio: ratio, connections, responseBytes } = demands;
  return [
    ...(responseBytes === null ? [] : [`${formatBytes(responseBytes)} of responses`]),
    ...amountsText(demands),
    ...hitsText(demands),
    ...(ratio === null ? [] : [`${formatRatio(ratio)} of the rows read at replicas`]),
    ...connections
      .filter(({ metric }) => metric === 'pool-in-use' || metric === 'servers-active')
      .map(({ service, metric, mean }) => `${formatNumber(mean)} ${metrics[metric].label} in use (${service})`),
  ];
}

function amountsText({ amounts }: Demands): readonly string[] {
  return amounts
    .filter(({ metric }) => shownAmounts.has(metric))
    .map(({ service, metric, perRequest }) => `${formatNumber(perRequest)} ${metrics[metric].label} (${service})`);
}

function hitsText({ hitRatios }: Demands): readonly string[] {
  return hitRatios
    .filter(({ metric }) => metric !== 'blocks-hit')
    .map(({ service, ratio }) => `${formatRatio(ratio)} cache hits (${service})`);
}
