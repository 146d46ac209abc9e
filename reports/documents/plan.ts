import { isExact, middle, type Workload } from '../../harness/core/plan.ts';
import { formatNumber, formatRate, formatRatio, formatSeconds } from '../../harness/core/units.ts';
import type { ServicePlan } from '../../harness/models/capacity-plan.ts';
import { type Answer, type Block, type Document, tableBlocks } from '../document.ts';
import { dateTime } from '../figures.ts';
import { fits, type PlannedTier, type PlanOutcome, type PlanQuestion, suffices } from '../plan.ts';
import { list, plural } from '../text.ts';
import { assumptionsTable, costTable, money, neededText, overviewTable, servicesTable } from './plan-tables.ts';

type Planned = Extract<PlanOutcome, { readonly kind: 'planned' }>;

export interface PlanSource {
  readonly runId: string;
  readonly startedAt: string;
}

/** What `tierbench plan` says: which tier with how many instances carries the load, what it costs, and why. */
export function planDocument(tiers: readonly PlannedTier[], question: PlanQuestion, source: PlanSource): Document {
  const first = tiers.find(suffices);
  return {
    title: 'Capacity plan',
    subtitle: `${wantedText(question.workload)} of ${question.scenario}, from run ${source.runId} of ${dateTime(source.startedAt)}`,
    blocks: [
      { kind: 'answer', answers: [answerOf(tiers, question)] },
      ...notesOf(tiers, question),
      ...tableBlocks(overviewTable(tiers)),
      ...(first?.outcome.kind === 'planned' ? [{ kind: 'drawing', tier: first.outcome.planned } as const] : []),
      ...carryingFirst(tiers).flatMap(tierBlocks),
      { kind: 'heading', level: 2, text: 'Assumptions' },
      { kind: 'table', table: assumptionsTable(question) },
    ],
    footer: 'Demands are measured; the numbers of instances follow from the bottleneck law (docs/plan.md).',
  };
}

function wantedText({ kind, amount }: Workload): string {
  const text = isExact(amount)
    ? formatNumber(amount.low)
    : `${formatNumber(amount.low)} to ${formatNumber(amount.high)}`;
  const what = {
    'daily-users': 'users a day',
    'monthly-users': 'users a month',
    'concurrent-users': 'users at once',
    'peak-rate': 'requests/s at the peak',
  };
  return `${text} ${what[kind]}`;
}

/** In two sentences: which tier with how many instances, and what it costs; what is saturated next. */
function answerOf(tiers: readonly PlannedTier[], { workload }: PlanQuestion): Answer {
  const carrying = tiers.filter(suffices);
  const [first] = carrying;
  if (first?.outcome.kind === 'planned') {
    const { plan, cost } = first.outcome;
    const costs =
      cost === null ? '' : `, for ${atLeastText(cost.withoutPrice)}${money(cost.total, cost.currency)} a month`;
    return {
      about: '',
      statement: `${first.tier} carries ${wantedText(workload)}${loadText(first.outcome, workload)} with ${instancesText(plan.services)}${costs}.`,
      because: `${plan.next === null ? '' : `Next to be saturated is ${plan.next.name}, at ${formatRatio(plan.next.utilizationRatio)} of its capacity. `}It has ${plural(plan.cpus, 'CPU')}.${cheapestText(carrying, first)}${beyondText(first.outcome)}`,
    };
  }
  const planned = tiers.flatMap(({ tier, outcome }) => (outcome.kind === 'planned' ? [{ tier, outcome }] : []));
  const best = planned.toSorted((one, other) => other.outcome.plan.limitPerS - one.outcome.plan.limitPerS)[0];
  return {
    about: '',
    statement: `No tier that was measured carries ${wantedText(workload)}.`,
    because:
      best === undefined
        ? 'None has both demands and a sustained rate for this scenario.'
        : `The most is ${formatRate(best.outcome.plan.limitPerS)}, by ${best.tier}: ${obstacles(best.outcome).join('; ')}.`,
  };
}

/** Prices that do not name every service make a lower end. */
function atLeastText(withoutPrice: readonly string[]): string {
  return withoutPrice.length === 0 ? '' : 'at least ';
}

/** By price where there is one, else by CPUs; empty where the first tier is it. */
function cheapestText(carrying: readonly PlannedTier[], first: PlannedTier): string {
  const [cheapest] = carrying.toSorted((one, other) => sizeOf(one) - sizeOf(other));
  if (cheapest?.outcome.kind !== 'planned' || cheapest.tier === first.tier) return '';
  const { cost, plan } = cheapest.outcome;
  return cost === null
    ? ` Fewest CPUs has ${cheapest.tier} (${formatNumber(plan.cpus)}).`
    : ` The cheapest is ${cheapest.tier} (${money(cost.total, cost.currency)} a month).`;
}

function sizeOf({ outcome }: PlannedTier): number {
  if (outcome.kind !== 'planned') return Number.POSITIVE_INFINITY;
  return outcome.cost === null ? outcome.plan.cpus : middle(outcome.cost.total);
}

/** ` (2,083/s, 10,476 users at once)`, without what was asked for. */
function loadText({ load: { peakPerS }, activeUsers }: Planned, { kind }: Workload): string {
  const texts = [
    ...(kind === 'peak-rate' ? [] : [`${formatNumber(peakPerS)} requests/s at the peak`]),
    ...(kind === 'concurrent-users' ? [] : [`${plural(Math.round(activeUsers), 'user')} at once`]),
  ];
  return ` (${texts.join(', ')})`;
}

/** A plan for more than was measured rests on the model. */
function beyondText({ load: { peakPerS }, sustainedPerS }: Planned): string {
  const times = peakPerS / sustainedPerS.low;
  return times <= 1
    ? ''
    : ` The plan is for ${formatNumber(times)} times what was measured: a model, not a measurement.`;
}

function instancesText(services: readonly ServicePlan[]): string {
  const scaled = services.filter(({ scales }) => scales);
  if (scaled.length === 0) return 'one instance of each service';
  const texts = scaled.map((service) => {
    const { instances, name } = service;
    const range = service.atLeast === service.instances ? '' : ` (${neededText(service)})`;
    return `${plural(instances, 'instance')}${range} of ${name}`;
  });
  return list(texts);
}

/** Why a tier does not carry the load. */
function obstacles({ plan, connections }: Planned): readonly string[] {
  return [
    ...plan.services
      .filter(({ carries }) => !carries)
      .map(({ name, utilizationRatio, needsCpus }) =>
        needsCpus === null
          ? `${name} would be at ${formatRatio(utilizationRatio)}, and its main thread uses one CPU`
          : `${name} would be at ${formatRatio(utilizationRatio)} and needs ${formatNumber(needsCpus)} CPUs`,
      ),
    ...connections
      .filter((each) => !fits(each))
      .map(({ service, sum, limit }) => `${service} would get ${sum} connections and accepts ${formatNumber(limit)}`),
  ];
}

/** What a reader asks for first. */
function carryingFirst(tiers: readonly PlannedTier[]): readonly PlannedTier[] {
  return [...tiers.filter(suffices), ...tiers.filter((tier) => !suffices(tier))];
}

function notesOf(tiers: readonly PlannedTier[], { prices, workload: { cpuFactor } }: PlanQuestion): readonly Block[] {
  const planned = tiers.flatMap(({ tier, outcome }) => (outcome.kind === 'planned' ? [{ tier, outcome }] : []));
  const without = planned.filter(({ outcome }) => !outcome.demandsHaveIntervals).map(({ tier }) => tier);
  const unpriced = [...new Set(planned.flatMap(({ outcome }) => outcome.cost?.withoutPrice ?? []))];
  const note = (title: string, text: string): Block => ({ kind: 'note', title, text });
  return [
    ...(without.length === 0
      ? []
      : [
          note(
            'Narrow evidence',
            `Demands of ${list(without)} are those of fewer than three trials: how far they are off is not known.`,
          ),
        ]),
    ...(prices === null || unpriced.length === 0
      ? []
      : [
          note(
            'Prices are missing',
            `${prices.source} (${prices.date}) says no price of ${list(unpriced)}: what has one costs more, and tiers with them look cheaper than they are.`,
          ),
        ]),
    ...(cpuFactor.low === 1 && cpuFactor.high === 1 ? [] : [note('One factor for all CPUs', oneFactorText)]),
  ];
}

/** Measured once on two machines, with the same app and scenarios. */
const oneFactorText =
  'A request of the scenario crud cost the API 0.65 ms of CPU on two busy cores and 0.19 ms on a machine with 16 free ones, 3.4 times less; a password hash took 70 ms and 80 ms there. The factor is applied to all of the CPU of a request: where logging in has a large share of it, do not go above 1.';

function tierBlocks({ tier, outcome }: PlannedTier): readonly Block[] {
  const heading: Block = { kind: 'heading', level: 2, text: tier };
  if (outcome.kind === 'no-plan') {
    return [heading, { kind: 'paragraph', text: `No plan: ${noPlanText[outcome.why]}.` }];
  }
  const why = obstacles(outcome);
  const { low, high } = outcome.sustainedPerS;
  const response =
    outcome.meanResponseS === null
      ? ''
      : ` Mean response time of the plan by mean value analysis: ${formatSeconds(outcome.meanResponseS)}.`;
  return [
    heading,
    {
      kind: 'paragraph',
      text: `${why.length === 0 ? 'Carries it.' : `Does not carry it: ${why.join('; ')}.`} Measured: ${high === null ? `${formatRate(low)} and more` : `${formatRate(low)} to ${formatRate(high)}`}.${response}`,
    },
    { kind: 'table', table: servicesTable(tier, outcome) },
    ...tableBlocks(costTable(tier, outcome)),
  ];
}

const noPlanText = {
  'no-demands': 'no probe saw what a request of the scenario costs its services',
  'no-sustained-rate': 'no sustained rate was confirmed for the scenario',
  'no-tier': 'the tier did not run',
} as const;

/** The JSON of `tierbench plan --json`: SI units. */
export function planReport(tiers: readonly PlannedTier[], question: PlanQuestion, source: PlanSource): string {
  return `${JSON.stringify({ schemaVersion: 1, ...source, question, tiers }, null, 2)}\n`;
}
