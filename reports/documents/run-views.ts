import { describeLoad } from '../../harness/core/load.ts';
import { formatNumber, formatRatio, formatSeconds } from '../../harness/core/units.ts';
import { isValidOrOverloaded } from '../../harness/judging/judged-trial.ts';
import { type HiddenLatency, hiddenLatency, isMisleading } from '../../harness/judging/latency-views.ts';
import type { ScenarioAnalysis, TierAnalysis } from '../analysis.ts';
import { viewNames, viewsChart } from '../charts/percentile-charts.ts';
import { type Block, type CellDraft, figures, head, right, table, tableBlocks } from '../document.ts';

type Viewed = ScenarioAnalysis['views'][number];

/** What a tool with coordinated omission would have read of the same trials. Empty where only one way is known. */
export function viewBlocks({ name, scenarios }: TierAnalysis): readonly Block[] {
  const viewed = scenarios.flatMap(({ views }) => views);
  const most = mostDifferent(viewed);
  if (most === undefined) return [];
  return [
    { kind: 'paragraph', text: viewsText(most, viewed) },
    ...figures([viewsChart(name, most.trial, most.views)]),
    ...tableBlocks(viewsTable(name, viewed)),
    {
      kind: 'paragraph',
      text: 'From the scheduled start is the latency that users had: a dropped or failed request counts as never answered. From the actual start, a request that waited to be sent looks fast. Ten closed-loop users send least while the system is slowest: a tool whose load is made in this way reads their latency (coordinated omission).',
    },
  ];
}

/** A late generator looks like a slow system: valid trials without a lag, and those that were only overloaded, come first. */
function mostDifferent(viewed: readonly Viewed[]): Viewed | undefined {
  return viewed.toSorted((one, other) => {
    const [first, second] = [rank(one), rank(other)];
    const differs = first.findIndex((each, index) => each !== second[index]);
    return differs === -1 ? 0 : (second[differs] ?? 0) - (first[differs] ?? 0);
  })[0];
}

/** The earlier number matters more. */
function rank(viewed: Viewed): readonly number[] {
  const hidden = hiddenLatency(viewed.views);
  return [Number(isTrusted(viewed)), Number(hidden !== null && isMisleading(hidden)), hidden?.times ?? 0];
}

/** The queue of an overloaded system is its own: a longer trial would show a larger difference. */
function isTrusted({ trial }: Viewed): boolean {
  return isValidOrOverloaded(trial) && trial.disturbance.lag.lagS === 0;
}

/** One sentence on the trial in which the readings differ most, or that they agree. */
function viewsText(viewed: Viewed, all: readonly Viewed[]): string {
  const { summary } = viewed.trial;
  const hidden = hiddenLatency(viewed.views);
  if (hidden === null) return 'No trial has enough samples for a percentile by more than one way of measuring.';
  const doubt = isTrusted(viewed) ? '' : ' The generator of this trial may have caused a part of it.';
  const place = `${summary.scenario} at ${describeLoad(summary.load)}`;
  if (!isMisleading(hidden)) {
    const which =
      isTrusted(viewed) && !all.every(isTrusted)
        ? 'The readings of the trials in which the generator kept up'
        : 'The readings';
    return `${which} agree. They differ most in ${place}: ${hidden.percentile} is ${formatSeconds(hidden.scheduledS)} from the scheduled start, and ${formatSeconds(hidden.readS)} ${reader(hidden)}.${doubt}`;
  }
  const read = `In ${place}, ${hidden.percentile} is ${formatSeconds(hidden.readS)} ${reader(hidden)}`;
  if (hidden.scheduledS === Number.POSITIVE_INFINITY) {
    return `${read}, while ${formatRatio(summary.errorRatio)} of the requests were dropped or failed, so that there is no ${hidden.percentile} from the scheduled start.${doubt}`;
  }
  return `${read}, ${formatNumber(hidden.times)} times less than the ${formatSeconds(hidden.scheduledS)} from the scheduled start.${doubt}`;
}

function reader({ by }: HiddenLatency): string {
  return by === 'closedLoop' ? 'as ten closed-loop users would have read it' : viewNames.sent;
}

function viewsTable(tier: string, viewed: readonly Viewed[]) {
  return table(
    `Latency of the trials of ${tier} by three ways of measuring`,
    [
      head('Scenario'),
      head('Arrival rate', 'right'),
      head('Latency'),
      right('p50'),
      right('p95'),
      right('p99'),
      right('Longest'),
    ],
    viewed.flatMap(({ trial: { summary, validity }, views }) =>
      (['scheduled', 'sent', 'closedLoop'] as const).flatMap((name): CellDraft[][] => {
        const view = views[name];
        if (view === null) return [];
        const repeated = name !== 'scheduled';
        return [
          [
            { text: summary.scenario, repeated },
            {
              text: describeLoad(summary.load),
              repeated,
              ...(validity.kind === 'invalid' && { detail: 'invalid' }),
            },
            { text: viewNames[name] },
            ...[view.p50S, view.p95S, view.p99S, view.longestS].map((latencyS) => ({ text: latencyText(latencyS) })),
          ],
        ];
      }),
    ),
  );
}

function latencyText(latencyS: number | null): string {
  if (latencyS === null) return '–';
  return latencyS === Number.POSITIVE_INFINITY ? 'never' : formatSeconds(latencyS);
}
