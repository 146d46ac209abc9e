import { type AssumptionId, assumptionIds, isExact, type Range } from '../../harness/core/plan.ts';
import { formatBytes, formatNumber, formatRate, formatRatio, formatSeconds } from '../../harness/core/units.ts';
import type { ServicePlan, TierPlan } from '../../harness/models/capacity-plan.ts';
import { peakAssumptions } from '../../harness/models/workload.ts';
import { type CellDraft, head, left, right, type Table, table } from '../document.ts';
import type { Format } from '../figures.ts';
import { fits, type Planned, type PlannedTier, type PlanQuestion, suffices } from '../plan.ts';
import type { ResourceNeed } from '../plan-resources.ts';
import { plural } from '../text.ts';

/** `USD 950`, `USD 950 to 1,200`; whole numbers from 10 on. */
export function money({ low, high }: Range, currency: string): string {
  const text = (value: number) => formatNumber(value < 10 ? value : Math.round(value));
  return `${currency} ${text(low)}${text(low) === text(high) ? '' : ` to ${text(high)}`}`;
}

export function rangeText(range: Range, format: Format): string {
  const [low, high] = [format(range.low), format(range.high)];
  return low === high ? low : `${low} to ${high}`;
}

/** `74 of 100`; the ends are named as such. */
export function chanceText(chance: number): string {
  if (chance > 0.995) return chance === 1 ? 'all' : 'more than 99 of 100';
  return chance < 0.005 ? 'none' : `${formatNumber(Math.round(100 * chance))} of 100`;
}

/** `5 to 14`: what 95 % of the worlds need. */
export function neededText(name: string, { inWorlds }: Planned): string {
  const needed = inWorlds.instances[name];
  return needed === undefined ? '' : rangeText(needed, formatNumber);
}

/** A row for each tier: what a reader with a budget compares. */
export function overviewTable(tiers: readonly PlannedTier[]): Table {
  const planned = tiers.flatMap((each) => (each.outcome.kind === 'planned' ? [{ each, ...each.outcome }] : []));
  const hasCost = planned.some(({ cost }) => cost !== null);
  const columns = [head('Tier'), left('Carries it'), left('Instances')];
  const costColumns = hasCost ? [right('A month'), right('A million requests')] : [];
  return table(
    'Tiers',
    [...columns, ...costColumns, left('Saturated next')],
    planned.map(({ each, plan, planned: tier, cost, inWorlds }): CellDraft[] => {
      const memory = tier.services.map(({ instances, resources }) => (resources.memoryBytes ?? 0) * instances);
      return [
        { text: each.tier },
        {
          text: suffices(each) ? 'yes' : 'no',
          strong: suffices(each),
          detail: `in ${chanceText(inWorlds.chance)} worlds`,
        },
        {
          text: instancesOf(plan),
          detail: `${plural(plan.cpus, 'CPU')}, ${formatBytes(memory.reduce((total, bytes) => total + bytes, 0))}`,
        },
        ...(hasCost
          ? [
              {
                text: cost === null ? '' : `${atLeastText(cost.withoutPrice)}${money(cost.total, cost.currency)}`,
                detail: cost === null ? '' : `needed: ${money(inWorlds.cost, cost.currency)}`,
              },
              {
                text: cost === null ? '' : money(cost.perMillion.atMean, cost.currency),
                detail: cost === null ? '' : `${money(cost.perMillion.atCapacity, cost.currency)} at its capacity`,
              },
            ]
          : []),
        { text: plan.next === null ? '' : `${plan.next.name} (${formatRatio(plan.next.utilizationRatio)})` },
      ];
    }),
  );
}

/** `4 api, 1 of each other service` */
function instancesOf({ services }: TierPlan): string {
  const scaling = services.filter(({ scales }) => scales);
  const texts = scaling.map(({ name, instances }) => `${formatNumber(instances)} ${name}`);
  return [...texts, `1 of each ${texts.length === 0 ? '' : 'other '}service`].join(', ');
}

export function servicesTable(tier: string, outcome: Planned): Table {
  const { plan, connections, planned, resources } = outcome;
  return table(
    `Services of ${tier}`,
    [
      head('Service'),
      right('Instances'),
      right('Needed (95 %)'),
      right('Carries each'),
      right('At the peak'),
      right('CPUs'),
      right('Memory'),
      left('Connections'),
    ],
    plan.services.map((service): CellDraft[] => {
      const { name, scales, instances, capacityPerS, utilizationRatio, cpus } = service;
      const memoryBytes = planned.services.find((each) => each.name === name)?.resources.memoryBytes;
      const seen = resources.find((each) => each.code === 'memory-seen' && each.service === name);
      const sum = connections.find((each) => each.service === name);
      const measuredCpus = cpusBefore(service, outcome);
      return [
        { text: name },
        { text: formatNumber(instances), strong: scales },
        { text: scales ? neededText(name, outcome) : 'one only' },
        { text: Number.isFinite(capacityPerS.low) ? formatRate(capacityPerS.low) : 'not limited' },
        { text: formatRatio(utilizationRatio) },
        {
          text: cpus === null ? 'not limited' : formatNumber(cpus),
          strong: measuredCpus !== null,
          detail: measuredCpus === null ? '' : `measured with ${formatNumber(measuredCpus)}`,
        },
        {
          text: memoryBytes === undefined ? 'not limited' : formatBytes(memoryBytes * instances),
          detail: seen === undefined ? '' : `${formatBytes(seen.estimate.value)} of one seen`,
        },
        sum === undefined
          ? { text: '' }
          : {
              text: `${formatNumber(sum.total)} of ${formatNumber(sum.limit)}`,
              detail: sum.sum,
              ...(!fits(sum) && { verdict: 'missed' as const }),
            },
      ];
    }),
  );
}

/** What one instance had when it was measured, where the plan gives it more; else null. */
export function cpusBefore({ name, cpusOfOne }: ServicePlan, { costs }: Pick<Planned, 'costs'>): number | null {
  const measured = costs.find((each) => each.name === name)?.cpus ?? null;
  return measured === null || measured === cpusOfOne ? null : measured;
}

/** Prices that do not name every service make a lower end. */
export function atLeastText(withoutPrice: readonly string[]): string {
  return withoutPrice.length === 0 ? '' : 'at least ';
}

const needNames: Readonly<
  Record<Exclude<ResourceNeed['code'], 'memory-seen'>, readonly [name: string, format: Format]>
> = {
  'network-at-peak': ['Bodies of responses at the peak', (value) => `${formatBytes(value)}/s`],
  'network-month': ['Bodies of responses in a month', formatBytes],
  'log-day': ['Write-ahead log of a day', formatBytes],
  'rows-written-day': ['Rows written in a day', formatNumber],
  'cache-memory': ['Memory for entries of the cache', formatBytes],
  'cache-entry': ['One entry of the cache', formatBytes],
  'reads-at-replicas': ['Rows read at replicas, of all', formatRatio],
  replicas: ['Replicas of this size', formatNumber],
};

/** What the tier needs besides CPUs; no rows where nothing was seen. */
export function resourcesTable(tier: string, { resources }: Planned): Table {
  return table(
    `What ${tier} needs besides`,
    [head('Need'), left('Service'), right('Likely'), right('95 % of the worlds'), left('Source')],
    resources.flatMap(({ code, service, estimate, source }): CellDraft[][] => {
      if (code === 'memory-seen') return [];
      const [name, format] = needNames[code];
      const sources = source === 'modelled' ? 'modelled, from what a request was measured to need' : source;
      const interval = estimate.low === estimate.high ? '' : rangeText(estimate, format);
      return [
        [
          { text: name },
          { text: service ?? '' },
          { text: format(estimate.value) },
          { text: interval },
          { text: sources },
        ],
      ];
    }),
  );
}

/** What a month of a tier is made of; no rows without prices. */
export function costTable(tier: string, { cost }: Planned): Table {
  return table(
    `A month of ${tier}`,
    [head('Item'), right('A month')],
    cost === null
      ? []
      : [
          ...cost.items.map(({ name, month }): CellDraft[] => [{ text: name }, { text: money(month, cost.currency) }]),
          ...cost.withoutPrice.map((name): CellDraft[] => [{ text: name }, { text: 'no price' }]),
          [
            { text: 'total', strong: true },
            { text: money(cost.total, cost.currency), strong: true },
          ],
        ],
  );
}

interface AssumptionWords {
  readonly name: string;
  /** For a chart. */
  readonly short: string;
  readonly format: Format;
}

export const assumptionWords: Readonly<Record<AssumptionId, AssumptionWords>> = {
  dailyShareRatio: { name: 'Users of a month who come on a day', short: 'share of a day', format: formatRatio },
  sessionsPerUser: { name: 'Sessions of a user on a day', short: 'sessions', format: formatNumber },
  requestsPerSession: { name: 'Requests of a session', short: 'requests', format: formatNumber },
  peakFactor: { name: 'Rate of the busiest time over the mean of the day', short: 'peak factor', format: formatNumber },
  thinkS: { name: 'Time between two requests of a user', short: 'think time', format: formatSeconds },
  growthRatio: { name: 'Growth', short: 'growth', format: formatRatio },
  cpuFactor: { name: 'Speed of the planned CPUs over those of the run', short: 'CPU factor', format: formatNumber },
  cacheLifetimeS: { name: 'Lifetime of an entry of the cache', short: 'cache lifetime', format: formatSeconds },
};

/** What the plan rests on and nobody measured, and who says so. */
export function assumptionsTable({ workload, prices }: PlanQuestion): Table {
  const { kind, headroomRatio, failures, largestCpus, given } = workload;
  const used = new Set<AssumptionId>([...peakAssumptions[kind], 'peakFactor', 'thinkS', 'growthRatio', 'cpuFactor']);
  const rows = assumptionIds
    .filter((id) => used.has(id))
    .map((id): CellDraft[] => {
      const { name, format } = assumptionWords[id];
      return [
        { text: name },
        { text: rangeText(workload[id], format), ...(!isExact(workload[id]) && { detail: 'planned for the middle' }) },
        { text: given.includes(id) ? 'you' : 'usual: assumed' },
      ];
    });
  return table(
    'Assumptions',
    [head('Assumption'), left('Value'), left('Source')],
    [
      ...rows,
      [{ text: 'Used at most at the peak' }, { text: formatRatio(headroomRatio) }, { text: 'rule of the plan' }],
      [{ text: 'Instances that may fail' }, { text: formatNumber(failures) }, { text: 'rule of the plan' }],
      [
        { text: 'CPUs of the largest instance' },
        {
          text: formatNumber(largestCpus),
          detail: 'for services of one instance; more CPUs are assumed to be used as well as those measured',
        },
        { text: 'rule of the plan' },
      ],
      ...(prices === null
        ? []
        : [[{ text: 'Prices' }, { text: `${prices.currency}, ${prices.date}` }, { text: prices.source }]]),
    ],
  );
}
