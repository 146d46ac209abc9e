import { formatNumber, formatRate, formatRatio, formatSeconds } from '../../harness/core/units.ts';
import type { ServicePlan } from '../../harness/models/capacity-plan.ts';
import {
  type Answer,
  type Block,
  type CellDraft,
  type Document,
  type Fact,
  head,
  left,
  right,
  table,
} from '../document.ts';
import { dateTime } from '../figures.ts';
import { type PlannedTier, type PlanOutcome, type PlanQuestion, suffices } from '../plan.ts';
import { list, plural } from '../text.ts';

type Planned = Extract<PlanOutcome, { readonly kind: 'planned' }>;

export interface PlanSource {
  readonly runId: string;
  readonly startedAt: string;
}

/** What `tierbench plan` says: which tier with how many instances carries the load, what is saturated next, and why. */
export function planDocument(tiers: readonly PlannedTier[], question: PlanQuestion, source: PlanSource): Document {
  return {
    title: 'Capacity plan',
    subtitle: `${wantedText(question)} of ${question.scenario}, from run ${source.runId} of ${dateTime(source.startedAt)}`,
    blocks: [
      { kind: 'answer', answers: [answerOf(tiers, question)] },
      ...notesOf(tiers),
      ...carryingFirst(tiers).flatMap(tierBlocks),
      { kind: 'facts', caption: 'Assumptions', rows: assumptions(question) },
    ],
    footer: 'Demands are measured; the numbers of instances follow from the bottleneck law (docs/models.md).',
  };
}

function wantedText({ wanted }: PlanQuestion): string {
  switch (wanted.kind) {
    case 'rate':
      return `${formatNumber(wanted.peakPerS)} requests/s at the peak`;
    case 'users':
      return `${formatNumber(wanted.dailyUsers)} users a day`;
    case 'concurrent':
      return `${formatNumber(wanted.users)} users at once`;
  }
}

function answerOf(tiers: readonly PlannedTier[], question: PlanQuestion): Answer {
  const carrying = tiers.filter(suffices);
  const [first] = carrying;
  if (first?.outcome.kind === 'planned') {
    const { plan } = first.outcome;
    const cheapest = carrying.toSorted((one, other) => cpusOf(one) - cpusOf(other))[0];
    const other =
      cheapest === undefined || cheapest.tier === first.tier
        ? ''
        : ` Fewest CPUs has ${cheapest.tier} (${formatNumber(cpusOf(cheapest))}).`;
    return {
      about: '',
      statement: `${first.tier} carries ${wantedText(question)}${loadText(first.outcome, question)} with ${instancesText(plan.services)}.`,
      because: `${plan.next === null ? '' : `Next to be saturated is ${plan.next.name}, at ${formatRatio(plan.next.utilizationRatio)} of its capacity. `}It has ${formatNumber(plan.cpus)} CPUs.${other}${beyondText(first.outcome)}`,
    };
  }
  const planned = tiers.flatMap(({ tier, outcome }) => (outcome.kind === 'planned' ? [{ tier, outcome }] : []));
  const best = planned.toSorted((one, other) => other.outcome.plan.limitPerS - one.outcome.plan.limitPerS)[0];
  return {
    about: '',
    statement: `No tier that was measured carries ${wantedText(question)}.`,
    because:
      best === undefined
        ? 'None has both demands and a sustained rate for this scenario.'
        : `The most is ${formatRate(best.outcome.plan.limitPerS)}, by ${best.tier}: ${obstacles(best.outcome).join('; ')}.`,
  };
}

/** ` (2,083/s, 10,476 users at once)`, without what was asked for. */
function loadText({ peakPerS, activeUsers }: Planned, { wanted }: PlanQuestion): string {
  const texts = [
    ...(wanted.kind === 'rate' ? [] : [`${formatNumber(peakPerS)} requests/s at the peak`]),
    ...(wanted.kind === 'concurrent' ? [] : [`${plural(Math.round(activeUsers), 'user')} at once`]),
  ];
  return ` (${texts.join(', ')})`;
}

/** A plan for more than was measured rests on the model. */
function beyondText({ peakPerS, sustainedPerS }: Planned): string {
  const times = peakPerS / sustainedPerS.low;
  return times <= 1
    ? ''
    : ` The plan is for ${formatNumber(times)} times what was measured: a model, not a measurement.`;
}

function cpusOf({ outcome }: PlannedTier): number {
  return outcome.kind === 'planned' ? outcome.plan.cpus : Number.POSITIVE_INFINITY;
}

function instancesText(services: readonly ServicePlan[]): string {
  const scaled = services.filter(({ scales }) => scales);
  if (scaled.length === 0) return 'one instance of each service';
  const texts = scaled.map((service) => {
    const { instances, name } = service;
    const range = service.atLeast === service.instances ? '' : ` (${rangeText(service)})`;
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
    ...connections.map(
      ({ service, sum, limit }) => `${service} would get ${sum} connections and accepts ${formatNumber(limit)}`,
    ),
  ];
}

/** What a reader asks for first. */
function carryingFirst(tiers: readonly PlannedTier[]): readonly PlannedTier[] {
  return [...tiers.filter(suffices), ...tiers.filter((tier) => !suffices(tier))];
}

function notesOf(tiers: readonly PlannedTier[]): readonly Block[] {
  const without = tiers.flatMap(({ tier, outcome }) =>
    outcome.kind === 'planned' && !outcome.demandsHaveIntervals ? [tier] : [],
  );
  if (without.length === 0) return [];
  const text = `Demands of ${list(without)} are those of fewer than three trials: how far they are off is not known.`;
  return [{ kind: 'note', title: 'Narrow evidence', text }];
}

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
    { kind: 'table', table: servicesTable(tier, outcome.plan.services) },
  ];
}

const noPlanText = {
  'no-demands': 'no probe saw what a request of the scenario costs its services',
  'no-sustained-rate': 'no sustained rate was confirmed for the scenario',
  'no-tier': 'the tier did not run',
} as const;

function servicesTable(tier: string, services: readonly ServicePlan[]) {
  return table(
    `Services of ${tier}`,
    [
      head('Service'),
      right('Instances'),
      right('Needed'),
      right('Carries each'),
      right('At the peak'),
      right('CPUs'),
      left(''),
    ],
    services.map((service): CellDraft[] => [
      { text: service.name },
      { text: formatNumber(service.instances), strong: service.scales },
      { text: service.scales ? rangeText(service) : '' },
      { text: Number.isFinite(service.capacityPerS.low) ? formatRate(service.capacityPerS.low) : 'not limited' },
      { text: formatRatio(service.utilizationRatio) },
      { text: service.cpus === null ? 'not limited' : formatNumber(service.cpus) },
      { text: service.scales ? '' : 'one only' },
    ]),
  );
}

/** `8 to 9`: what the better and the worse end of the measurements need. */
function rangeText({ atLeast, instances }: ServicePlan): string {
  return atLeast === instances ? formatNumber(instances) : `${formatNumber(atLeast)} to ${formatNumber(instances)}`;
}

function assumptions({
  wanted,
  thinkS,
  growthRatio,
  headroomRatio,
  failures,
  cpuFactor,
}: PlanQuestion): readonly Fact[] {
  return [
    ...(wanted.kind === 'users'
      ? ([
          ['Sessions a user and day', formatNumber(wanted.sessionsPerUser)],
          ['Requests a session', formatNumber(wanted.requestsPerSession)],
          ['Peak over mean', formatNumber(wanted.peakFactor)],
        ] as const)
      : []),
    ['Think time', formatSeconds(thinkS)],
    ['Growth', formatRatio(growthRatio)],
    ['Used at most at the peak', formatRatio(headroomRatio)],
    ['Instances that may fail', formatNumber(failures)],
    ['CPU of the planned machines over this one', `${formatNumber(cpuFactor.low)} to ${formatNumber(cpuFactor.high)}`],
  ];
}

/** The JSON of `tierbench plan --json`: SI units. */
export function planReport(tiers: readonly PlannedTier[], question: PlanQuestion, source: PlanSource): string {
  return `${JSON.stringify({ schemaVersion: 1, ...source, question, tiers }, null, 2)}\n`;
}
