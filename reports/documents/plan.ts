import { isExact, type Workload } from '../../harness/core/plan.ts';
import { type Estimate, formatNumber, formatRate, formatRatio, formatSeconds } from '../../harness/core/units.ts';
import type { Analysis } from '../analysis.ts';
import { costChart, planLatencyChart } from '../charts/plan-charts.ts';
import { type Answer, type Block, type Document, details, figures, tableBlocks } from '../document.ts';
import { dateTime } from '../figures.ts';
import { fits, type Planned, type PlannedTier, type PlanQuestion, unchangedTiers } from '../plan.ts';
import type { BreakEven, CapacityPlan, TierWithPlan } from '../plan-choice.ts';
import { sweepCurves } from '../sweep.ts';
import { list, plural } from '../text.ts';
import { heldOutBlocks } from './held-out.ts';
import { autoscalingBlocks } from './plan-autoscaling.ts';
import { costWords, doubtBlocks } from './plan-doubts.ts';
import {
  assumptionsTable,
  atLeastText,
  chanceText,
  costTable,
  cpusBefore,
  money,
  neededText,
  overviewTable,
  resourcesTable,
  servicesTable,
} from './plan-tables.ts';
import { faultBlocks } from './run-faults.ts';
import { limitSentence } from './run-limits.ts';

/** What `tierbench plan` says: which tier with how many instances carries the load, what it costs, how sure that is, and why; `command` makes it again. */
export function planDocument(
  plan: CapacityPlan,
  analysis: Analysis,
  question: PlanQuestion,
  command: string,
): Document {
  const { tiers, regret } = plan;
  const { runId, startedAt, machine } = analysis.facts;
  const shown = plan.first ?? nearest(tiers);
  const { scenario } = question;
  const others = tiers.filter(({ tier }) => tier !== shown?.tier);
  const heldOut = heldOutBlocks(sweepCurves(analysis).filter((curve) => curve.scenario === scenario));
  return {
    title: 'Capacity plan',
    subtitle: `${wantedText(question.workload)} of ${scenario}, from run ${runId} of ${dateTime(startedAt)}`,
    blocks: [
      { kind: 'answer', answers: [answerOf(plan, question)] },
      ...notesOf(tiers, question),
      { kind: 'heading', level: 2, text: 'The tiers' },
      ...tableBlocks(overviewTable(tiers)),
      ...(shown === null
        ? []
        : [
            ...tierBlocks(shown),
            ...doubtBlocks(shown, regret, question, measureCommand(shown.tier, scenario)),
            ...costBlocks(plan, shown.outcome, question),
            ...autoscalingBlocks(shown, question.workload),
            ...evidenceBlocks(shown, analysis, scenario),
          ]),
      ...(heldOut.length === 0 ? [] : [{ kind: 'heading', level: 2, text: 'Predicted beside measured' } as const]),
      ...heldOut,
      ...(others.length === 0 ? [] : [{ kind: 'heading', level: 2, text: 'The other tiers' } as const]),
      ...others.flatMap((tier) => details(tier.tier, otherBlocks(tier))),
      { kind: 'heading', level: 2, text: 'Assumptions' },
      { kind: 'table', table: assumptionsTable(question) },
      { kind: 'heading', level: 2, text: 'How to repeat it' },
      {
        kind: 'list',
        items: [
          `The plan: ${command}`,
          `The measurements: ${measureCommand('', scenario)}, on ${machine.cpuModel} with ${plural(machine.cpus, 'CPU')}`,
        ],
      },
    ],
    footer: 'Demands are measured; the numbers of instances follow from the bottleneck law (docs/plan.md).',
  };
}

function measureCommand(tier: string, scenario: string): string {
  return `tierbench run${tier === '' ? '' : ` --tier ${tier}`} --scenario ${scenario}`;
}

/** Of those that do not carry it, the one that carries most. */
function nearest(tiers: readonly PlannedTier[]): TierWithPlan | null {
  const planned = tiers.flatMap(({ tier, outcome }) => (outcome.kind === 'planned' ? [{ tier, outcome }] : []));
  return planned.toSorted((one, other) => other.outcome.plan.limitPerS - one.outcome.plan.limitPerS)[0] ?? null;
}

function wantedText({ kind, amount }: Workload): string {
  const text = isExact(amount)
    ? formatNumber(amount.low)
    : `${formatNumber(amount.low)} to ${formatNumber(amount.high)}`;
  return `${text} ${unitNames[kind]}`;
}

const unitNames = {
  'daily-users': 'users a day',
  'monthly-users': 'users a month',
  'concurrent-users': 'users at once',
  'peak-rate': 'requests/s at the peak',
} as const;

/** In two sentences: which tier with how many instances, and what it costs; how sure that is, and what is saturated next. */
function answerOf({ tiers, first, cheapest }: CapacityPlan, { workload }: PlanQuestion): Answer {
  const wanted = wantedText(workload);
  if (first !== null) {
    const { plan, cost, inWorlds } = first.outcome;
    const costs =
      cost === null
        ? ''
        : `, for ${atLeastText(cost.withoutPrice)}${money(cost.total, cost.currency)} a month${neededCostText(inWorlds.cost, cost.currency)}`;
    const parts = [
      `It carries the peak in ${chanceText(inWorlds.chance)} worlds that the measurements and assumptions allow`,
      ...(plan.next === null
        ? []
        : [`next to be saturated is ${plan.next.name}, at ${formatRatio(plan.next.utilizationRatio)} of its capacity`]),
      ...(cost === null ? [`it has ${plural(plan.cpus, 'CPU')}`] : []),
      ...cheapestText(cheapest, first),
      ...beyondText(first.outcome),
    ];
    return {
      about: '',
      statement: `${first.tier} carries ${wanted}${loadText(first.outcome, workload)} with ${instancesText(first.outcome)}${costs}.`,
      because: `${parts.join('; ')}.`,
    };
  }
  const best = nearest(tiers);
  return {
    about: '',
    statement: `No tier that was measured carries ${wanted}${best === null ? '' : loadText(best.outcome, workload)}.`,
    because:
      best === null
        ? 'None has both demands and a sustained rate for this scenario.'
        : `The most is ${formatRate(best.outcome.plan.limitPerS)}, by ${best.tier}: ${obstacles(best.outcome).join('; ')}.`,
  };
}

/** ` (USD 1,200 to 2,100)`: what the worlds need. */
function neededCostText({ low, high }: Estimate, currency: string): string {
  return low === high ? '' : ` (${money({ low, high }, currency)})`;
}

/** By price where there is one, else by CPUs; none where the first tier is it. */
function cheapestText(cheapest: TierWithPlan | null, first: TierWithPlan): readonly string[] {
  if (cheapest === null || cheapest.tier === first.tier) return [];
  const { cost, plan } = cheapest.outcome;
  return [
    cost === null
      ? `fewest CPUs has ${cheapest.tier} (${formatNumber(plan.cpus)})`
      : `the cheapest is ${cheapest.tier} (${atLeastText(cost.withoutPrice)}${money(cost.total, cost.currency)} a month)`,
  ];
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
function beyondText({ load: { peakPerS }, sustainedPerS }: Planned): readonly string[] {
  const times = peakPerS / sustainedPerS.low;
  return times <= 1 ? [] : [`it is for ${formatNumber(times)} times the measured rate, by a model`];
}

function instancesText(outcome: Planned): string {
  const { services } = outcome.plan;
  const scaled = services.filter(({ scales }) => scales);
  const texts = scaled.map(({ name, instances }) => {
    const needed = neededText(name, outcome);
    const range = needed === formatNumber(instances) ? '' : ` (${needed})`;
    return `${plural(instances, 'instance')}${range} of ${name}`;
  });
  const larger = services.flatMap((service) => {
    const measuredCpus = cpusBefore(service, outcome);
    return measuredCpus === null
      ? []
      : [`${plural(service.cpusOfOne ?? 0, 'CPU')} instead of ${formatNumber(measuredCpus)} for ${service.name}`];
  });
  return list([...(texts.length === 0 ? ['one instance of each service'] : texts), ...larger]);
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

function tierBlocks({ tier, outcome }: TierWithPlan): readonly Block[] {
  return [
    { kind: 'heading', level: 2, text: `The plan of ${tier}` },
    { kind: 'paragraph', text: verdictText(outcome) },
    { kind: 'drawing', tier: outcome.planned },
    ...tablesOf(tier, outcome),
  ];
}

function otherBlocks({ tier, outcome }: PlannedTier): readonly Block[] {
  if (outcome.kind === 'no-plan') return [{ kind: 'paragraph', text: `No plan: ${noPlanText[outcome.why]}.` }];
  return [{ kind: 'paragraph', text: verdictText(outcome) }, ...tablesOf(tier, outcome)];
}

function tablesOf(tier: string, outcome: Planned): readonly Block[] {
  return [servicesTable(tier, outcome), resourcesTable(tier, outcome), costTable(tier, outcome)].flatMap(tableBlocks);
}

function verdictText(outcome: Planned): string {
  const why = obstacles(outcome);
  const { low, high } = outcome.sustainedPerS;
  const response =
    outcome.meanResponseS === null
      ? ''
      : ` Mean response time of the plan by mean value analysis: ${formatSeconds(outcome.meanResponseS)}.`;
  const verdict = why.length === 0 ? 'Carries it.' : `Does not carry it: ${why.join('; ')}.`;
  return `${verdict} ${failuresText(outcome)} Measured: ${high === null ? `${formatRate(low)} and more` : `${formatRate(low)} to ${formatRate(high)}`}.${response}`;
}

/** Which services may lose instances at the peak: the others stop the tier. */
function failuresText({ plan: { services }, model: { workload } }: Planned): string {
  const spare = services.filter(({ scales }) => scales && workload.failures > 0).map(({ name }) => name);
  const alone = services.filter(({ scales }) => !scales).map(({ name }) => name);
  const kept =
    spare.length === 0
      ? ''
      : `It carries the peak with ${plural(workload.failures, 'instance')} less of ${list(spare)}; `;
  return `${kept}${kept === '' ? 'There' : 'there'} is one instance of ${list(alone)}, so that none of them may fail.`;
}

/** What each tier costs at other loads, and where another becomes the cheapest. */
function costBlocks(plan: CapacityPlan, outcome: Planned, question: PlanQuestion): readonly Block[] {
  const { kind, amount } = question.workload;
  const isRate = kind === 'peak-rate';
  const unit = {
    name: isRate ? 'requests/s at the peak' : unitNames[kind],
    perRequestRate: isRate ? 1 : (amount.low + amount.high) / 2 / outcome.load.peakPerS,
  };
  const chart = costChart(plan, unit, costWords(question));
  if (chart === null) return [];
  const at = ({ peakPerS }: BreakEven) => {
    const rate = `${formatRate(peakPerS)} at the peak`;
    return isRate
      ? rate
      : `${formatNumber(Number((peakPerS * unit.perRequestRate).toPrecision(3)))} ${unit.name} (${rate})`;
  };
  return [
    { kind: 'heading', level: 2, text: 'Other loads' },
    ...figures([chart]),
    {
      kind: 'list',
      items:
        plan.breakEvens.length === 0
          ? ['One tier is the cheapest at all of these loads.']
          : plan.breakEvens.map((each) => `From ${at(each)} on ${changeText(each)}.`),
    },
  ];
}

function changeText({ below, above, belowEnds }: BreakEven): string {
  if (above === null) return 'no tier that was measured carries the load';
  if (below === null) return `${above} carries it`;
  return belowEnds
    ? `${below} carries no more, and ${above} is the cheapest that does`
    : `${above} is cheaper than ${below}`;
}

/** What the plan rests on: the measured curve with the bracket of the search, and what limited it. */
function evidenceBlocks({ tier, outcome }: TierWithPlan, analysis: Analysis, scenario: string): readonly Block[] {
  const of = unchangedTiers(analysis.tiers).find((each) => each.tier === tier)?.of;
  const own = of?.scenarios.find(({ name }) => name === scenario);
  const { limit, demands } = outcome;
  return [
    { kind: 'heading', level: 2, text: 'Evidence' },
    ...figures([planLatencyChart(tier, outcome, own?.trials ?? [], own?.searched?.goals ?? [])]),
    {
      kind: 'paragraph',
      text: `${limit === null ? 'No rate above the sustained one was measured' : `Above the sustained rate ${limitSentence(limit)}`}. Demands are those of ${plural(demands.trials, 'trial')} at ${formatRate(demands.takenAtPerS[0])} to ${formatRate(demands.takenAtPerS[1])}.`,
    },
    ...(of === undefined ? [] : faultBlocks(of)),
  ];
}

const noPlanText = {
  'no-demands': 'no probe saw what a request of the scenario costs its services',
  'no-sustained-rate': 'no sustained rate was confirmed for the scenario',
  'no-tier': 'the tier did not run',
} as const;

/** The JSON of `tierbench plan --json`: SI units. */
export function planReport(plan: CapacityPlan, { facts }: Analysis, question: PlanQuestion): string {
  const { runId, startedAt } = facts;
  const tiers = plan.tiers.map(({ tier, outcome }) => {
    if (outcome.kind === 'no-plan') return { tier, outcome };
    // What these are calculated from is in the results of the run.
    const { model: _model, demands: _demands, costs: _costs, limit: _limit, ...rest } = outcome;
    return { tier, outcome: rest };
  });
  const [first, cheapest] = [plan.first, plan.cheapest].map((each) => each?.tier ?? null);
  const report = { schemaVersion: 2, runId, startedAt, question, ...plan, tiers, first, cheapest };
  return `${JSON.stringify(report, null, 2)}\n`;
}
