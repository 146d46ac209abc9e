import type { AssumptionId } from '../../harness/core/plan.ts';
import { formatNumber, formatRate, formatRatio, formatSeconds } from '../../harness/core/units.ts';
import { type Swing, sizeOf } from '../../harness/models/monte-carlo.ts';
import { type InputId, UNKNOWN_DEMAND } from '../../harness/models/plan-worlds.ts';
import { tornadoChart } from '../charts/plan-charts.ts';
import { type Block, type CellDraft, figures, head, left, right, type Table, table } from '../document.ts';
import type { Format } from '../figures.ts';
import type { Planned, PlanQuestion } from '../plan.ts';
import type { Regret, TierWithPlan } from '../plan-choice.ts';
import { list, plural } from '../text.ts';
import { assumptionWords, chanceText, money, rangeText } from './plan-tables.ts';

/** How sure a plan is: worlds, what moves the answer, what to measure next, and what to buy where demand is not known. */

const MOST_BARS = 8;

/** What is compared: money a month where there are prices, else CPUs. */
export function costWords({ prices }: Pick<PlanQuestion, 'prices'>): {
  readonly name: string;
  readonly format: Format;
} {
  return prices === null
    ? { name: 'CPUs', format: (value) => `${formatNumber(value)} CPUs` }
    : { name: `${prices.currency} a month`, format: (value) => money({ low: value, high: value }, prices.currency) };
}

export function doubtBlocks(
  { tier, outcome }: TierWithPlan,
  regret: Regret | null,
  question: PlanQuestion,
  repeat: string,
): readonly Block[] {
  const { inWorlds } = outcome;
  const cost = costWords(question);
  const bars = inWorlds.swings.slice(0, MOST_BARS).filter((swing) => sizeOf(swing) > 1e-3 * inWorlds.cost.value);
  const rows = bars.map((swing) => ({ swing, ...inputText(swing.input, outcome, question) }));
  const instances = Object.entries(inWorlds.instances).map(
    ([name, estimate]) => `${rangeText(estimate, formatNumber)} instances of ${name}`,
  );
  return [
    { kind: 'heading', level: 2, text: 'How sure it is' },
    {
      kind: 'paragraph',
      text: `In ${formatNumber(inWorlds.worlds)} worlds, in which everything measured and assumed varies within its interval, the peak is ${rangeText(inWorlds.peakPerS, formatRate)} (95 % of them).${instances.length === 0 ? '' : ` They need ${list(instances)}.`} The plan of ${tier} carries the peak within the targets in ${chanceText(inWorlds.chance)}, with its headroom used up. What each world needs costs ${rangeText(inWorlds.cost, cost.format)}.`,
    },
    ...(rows.length === 0
      ? []
      : [
          ...figures([
            tornadoChart(
              rows.map(({ swing, short, low, high }) => ({ label: short, ...swing, lowText: low, highText: high })),
              inWorlds.likelyCost,
              cost,
            ),
          ]),
          { kind: 'table', table: swingsTable(rows, cost) } as const,
        ]),
    ...nextBlocks(bars, repeat),
    ...(regret === null
      ? []
      : [
          { kind: 'heading', level: 3, text: 'What to buy where the peak is not known' } as const,
          { kind: 'table', table: regretTable(regret, question) } as const,
          { kind: 'paragraph', text: regretNote(question) } as const,
        ]),
  ];
}

interface Row {
  readonly swing: Swing<InputId>;
  readonly name: string;
  readonly short: string;
  readonly low: string;
  readonly high: string;
  readonly source: string;
}

function swingsTable(rows: readonly Row[], cost: { readonly name: string; readonly format: Format }): Table {
  return table(
    'What moves the answer most',
    [head('Input'), left('From'), left('To'), right('At the lower end'), right('At the upper end'), left('Source')],
    rows.map(({ swing, name, low, high, source }): CellDraft[] => [
      { text: name },
      { text: low },
      { text: high },
      { text: cost.format(swing.atLow) },
      { text: cost.format(swing.atHigh) },
      { text: source },
    ]),
  );
}

/** An input in words, its ends, and where it is from. */
function inputText(
  input: InputId,
  { model, load, sustainedPerS }: Planned,
  { workload, prices, scenario }: PlanQuestion,
): Omit<Row, 'swing'> {
  if (input === 'sustained') {
    const { low, high } = model.sustainedPerS;
    const ends = { low: formatRate(low), high: formatRate(high) };
    return { name: 'Sustained rate of the run', short: 'sustained rate', ...ends, source: 'measured' };
  }
  if (input === 'model') {
    const { low, high } = model.modelError;
    const name = `Bottleneck law at ${formatNumber(load.peakPerS / sustainedPerS.low)} times the measured rate`;
    return { name, short: 'model', low: formatRatio(low), high: formatRatio(high), source: 'modelled (docs/plan.md)' };
  }
  if (input === 'price') {
    return { name: 'Prices', short: 'prices', low: 'lower ends', high: 'upper ends', source: prices?.source ?? '' };
  }
  if (input === 'amount') {
    const { low, high } = workload.amount;
    return { name: 'Users or rate', short: 'load', low: formatNumber(low), high: formatNumber(high), source: 'you' };
  }
  const service = serviceOf(input);
  if (service !== null) {
    const found = model.services.find(({ name }) => name === service);
    const demand = found?.demand ?? UNKNOWN_DEMAND;
    const text = (ratio: number) => formatSeconds(ratio * (found?.cpuS ?? 0));
    return {
      name: `CPU of a request of ${scenario}: ${service}`,
      short: `CPU of ${service}`,
      low: text(demand.low),
      high: text(demand.high),
      source: demand === UNKNOWN_DEMAND ? 'measured; ± 20 % is assumed, as trials are too few' : 'measured',
    };
  }
  const id = input as AssumptionId;
  const { format, ...names } = assumptionWords[id];
  const { low, high } = workload[id];
  return {
    ...names,
    low: format(low),
    high: format(high),
    source: workload.given.includes(id) ? 'you' : 'usual: assumed',
  };
}

function serviceOf(input: InputId): string | null {
  return input.startsWith('demand:') ? input.slice('demand:'.length) : null;
}

/** The measurement that would narrow the answer most, and the look-up that would. */
function nextBlocks(swings: readonly Swing<InputId>[], repeat: string): readonly Block[] {
  const measured = swings.find(({ input }) => input === 'sustained' || input === 'model' || serviceOf(input) !== null);
  const assumed = swings.find(({ input }) => input in lookUpText);
  const items = [
    ...(assumed === undefined ? [] : [lookUpText[assumed.input as keyof typeof lookUpText]]),
    ...(measured === undefined ? [] : [measureText(measured.input, repeat)]),
  ];
  if (items.length === 0) return [];
  return [
    { kind: 'heading', level: 3, text: 'Measure this next' },
    { kind: 'list', items },
  ];
}

function measureText(input: InputId, repeat: string): string {
  if (input === 'model')
    return `How the tier scales, with more instances and a higher rate: ${repeat} --sweep api.instances=1,2,3`;
  const service = serviceOf(input);
  return service === null
    ? `The sustained rate, more precisely: ${repeat} --precision 2% --search-time 900`
    : `The demand of ${service}, in longer trials near its saturation, three at least: ${repeat} --duration 30`;
}

const lookUpText = {
  amount: 'How many users there are.',
  dailyShareRatio: 'How many of the users of a month come on a day: count accounts in the access log of both.',
  sessionsPerUser: 'How many sessions a user has on a day: count them in the access log, or in analytics.',
  requestsPerSession: 'How many requests a session has: requests over sessions of the access log.',
  peakFactor: 'How much higher the busiest minute of a week is than its mean: the access log says.',
  thinkS: 'How long users wait between two requests: the access log says.',
  growthRatio: 'How much the load grows before the plan is made again.',
  cpuFactor: 'How fast the planned CPUs are: run the same command on the planned machine.',
  cacheLifetimeS: 'How long entries of the cache live.',
};

/** What each choice costs more than the best one, where the peak is as low, as likely or as high as it may be. */
function regretTable({ peaksPerS, choices }: Regret, question: PlanQuestion): Table {
  const cost = costWords(question);
  const names = ['low', 'likely', 'high'];
  return table(
    'What to buy where the peak is not known',
    [
      head('Plan'),
      left('For a peak of'),
      right('Costs'),
      ...peaksPerS.map((peak, index) => right(`Regret if ${names[index] ?? ''}: ${formatRate(peak)}`)),
    ],
    choices.slice(0, MOST_BARS).map(({ choice, regrets }, index): CellDraft[] => [
      {
        text: choice.tier,
        strong: index === 0,
        detail: list(choice.instances.map(({ name, instances }) => `${plural(instances, 'instance')} of ${name}`)),
      },
      { text: formatRate(choice.plannedForPerS), detail: index === 0 ? 'least largest regret' : '' },
      { text: cost.format(choice.cost) },
      ...regrets.map((regret) => ({ text: regret < 0.005 ? '–' : cost.format(regret) })),
    ]),
  );
}

function regretNote({ workload }: PlanQuestion): string {
  return `Regret: what is paid more than the best choice would cost, and ${formatNumber(workload.shortageCost)} times what it would cost to carry the share of the load that it cannot take (shortageCost). ${formatRatio(workload.headroomRatio)} of each service is used at most in what is bought.`;
}
