import type { Target } from '../harness/core/target.ts';
import { type Estimate, formatNumber, formatQuantity, formatRate, formatRatio } from '../harness/core/units.ts';
import { perMillionRequests } from '../harness/models/cost.ts';
import type { Analysis } from './analysis.ts';
import { autoscalingOf } from './autoscaled-day.ts';
import { carries, fits, type Planned, type PlanQuestion, planAtRate, planTiers } from './plan.ts';
import { list, plural } from './text.ts';

/** A figure of the documents that no trial shows by itself, judged by a plan from a run. */
export interface JudgedClaim {
  readonly target: Target;
  readonly verdict: 'met' | 'missed' | 'inconclusive';
  /** The tier that it rests on; null where it rests on none. */
  readonly tier: string | null;
  /** How the verdict follows, in words. */
  readonly calculation: string;
}

type Judged = Omit<JudgedClaim, 'target'>;

interface OfTier {
  readonly tier: string;
  readonly outcome: Planned;
}

interface Evidence {
  /** In the order of the run. */
  readonly tiers: readonly OfTier[];
  readonly question: PlanQuestion;
  readonly all: readonly Target[];
}

const MILLION = 1_000_000;
/** Requests/s at the peak for each user of a day, by the defaults of a workload: 3 sessions, 20 requests, peak factor 3. */
const RATE_OF_USER = (3 * 20 * 3) / 86_400;

/** Every target that a model judges, by plans like that of `question`, which is for a million users of a day. */
export function judgeClaims(
  analysis: Analysis,
  targets: readonly Target[],
  question: PlanQuestion,
): readonly JudgedClaim[] {
  const tiers = planTiers(analysis, question).flatMap(({ tier, outcome }) =>
    outcome.kind === 'planned' ? [{ tier, outcome }] : [],
  );
  const evidence = { tiers, question, all: targets };
  return targets
    .filter(({ judged }) => judged.by === 'model')
    .map((target) => ({ target, ...judge(target, evidence) }));
}

function judge(target: Target, evidence: Evidence): Judged {
  const { unit, id } = target;
  if (unit === 'USD/month') return judgeCost(target, evidence);
  if (evidence.tiers.length === 0) return open('no tier of the run has both a sustained rate and demands');
  if (unit === 'bytes') return judgeSize(target, evidence);
  if (unit === 'users') return judgeUsers(target, evidence);
  if (unit === 'pods') return judgePods(target, evidence);
  if (unit === 'servers') return judgeServers(target, evidence);
  if (unit === 'ratio')
    return id.includes('pool') ? judgePooling(target, evidence) : judgeAutoscaling(target, evidence);
  return target.judged.by === 'model' && target.judged.model === 'usl'
    ? judgeInstance(target, evidence)
    : judgeLoad(target, evidence);
}

function open(calculation: string, tier: string | null = null): Judged {
  return { verdict: 'inconclusive', tier, calculation };
}

/** Met where the whole interval keeps the figure, missed where none of it does. */
function against({ comparison, value }: Target, { low, high }: Pick<Estimate, 'low' | 'high'>): Judged['verdict'] {
  const [from, to] = typeof value === 'number' ? boundsOf(comparison, value) : value;
  if (low >= from && high <= to) return 'met';
  return high < from || low > to ? 'missed' : 'inconclusive';
}

function boundsOf(comparison: Target['comparison'], value: number): readonly [number, number] {
  if (comparison === '=') return [value, value];
  return comparison.startsWith('>') ? [value, Number.POSITIVE_INFINITY] : [0, value];
}

function ofKind({ outcome }: OfTier, kind: string) {
  const names = outcome.planned.services.filter((each) => each.kind === kind).map(({ name }) => name);
  return outcome.plan.services.find(({ name }) => names.includes(name));
}

/** The tier whose instance of the API carries most; of those that have several where there are such. */
function bestInstance({ tiers: all }: Pick<Evidence, 'tiers'>) {
  const scaling = all.filter((own) => ofKind(own, 'api')?.scales === true);
  const tiers = scaling.length > 0 ? scaling : all;
  return tiers
    .flatMap((own) => {
      const api = ofKind(own, 'api');
      const capacity = api?.capacityPerS;
      return api === undefined || capacity === undefined || !Number.isFinite(capacity.low)
        ? []
        : [{ own, api, capacity }];
    })
    .toSorted((one, other) => other.capacity.low - one.capacity.low)[0];
}

function instanceText({ own, capacity }: NonNullable<ReturnType<typeof bestInstance>>): string {
  const { resources } = own.outcome.planned.services.find(({ kind }) => kind === 'api') ?? {};
  const size = resources?.cpus === undefined ? '' : ` with ${plural(resources.cpus, 'CPU')}`;
  return `an instance of the API of ${own.tier}${size} carries ${formatNumber(capacity.low)} to ${formatRate(capacity.high)} here`;
}

/** A figure that one instance must reach; that it carries more than a range is no miss. */
function judgeInstance(target: Target, evidence: Evidence): Judged {
  const best = bestInstance(evidence);
  if (best === undefined) return open('no tier limits its API, so that nothing says what an instance carries');
  const { capacity } = best;
  const least = typeof target.value === 'number' ? target.value : target.value[0];
  const verdict = capacity.low >= least ? 'met' : capacity.high < least ? 'missed' : 'inconclusive';
  const times = least / capacity.low;
  return {
    verdict,
    tier: best.own.tier,
    calculation: `${instanceText(best)}${verdict === 'met' ? '' : `: ${formatRate(least)} would take ${formatNumber(times)} times as much CPU`}`,
  };
}

/** Both ends: with all that was measured at its worse end, and at its better one. */
function atRate({ outcome }: OfTier, question: PlanQuestion, peakPerS: number) {
  const { costs, withinTargets } = outcome;
  const worse = planAtRate(outcome, outcome.planned, question, peakPerS);
  const better = planAtRate(
    {
      ...outcome,
      costs: costs.map((cost) => ({ ...cost, cpuS: { low: cost.cpuS.low, high: cost.cpuS.low } })),
      withinTargets: { low: withinTargets.high, high: withinTargets.high },
    },
    outcome.planned,
    question,
    peakPerS,
  );
  return { worse, better };
}

function carrying(own: OfTier, question: PlanQuestion, peakPerS: number): Judged {
  const { worse, better } = atRate(own, question, peakPerS);
  const verdict = carries(worse) ? 'met' : carries(better) ? 'inconclusive' : 'missed';
  const instances = worse.plan.services
    .filter(({ scales }) => scales)
    .map(({ name, instances: count }) => `${plural(count, 'instance')} of ${name}`);
  const refused = [
    ...worse.plan.services
      .filter((each) => !each.carries)
      .map(({ name, needsCpus }) =>
        needsCpus === null
          ? `${name} is used up: its main thread has one CPU`
          : `${name} would need ${plural(Number(needsCpus.toPrecision(2)), 'CPU')}`,
      ),
    ...worse.connections
      .filter((each) => !fits(each))
      .map(({ service, sum, limit }) => `${service} would get ${sum} connections and accepts ${formatNumber(limit)}`),
  ];
  const reached = worse.connections.filter(fits).map(({ service, total }) => `${total} connections reach ${service}`);
  return {
    verdict,
    tier: own.tier,
    calculation: `${formatRate(peakPerS)} on ${own.tier} take ${list(instances) || 'one instance of each service'}${[...refused, ...reached].map((text) => `; ${text}`).join('')}`,
  };
}

const rank = { met: 0, inconclusive: 1, missed: 2 } as const;

/** By the tier that fares best, the first of equals. */
function byAnyTier({ tiers, question }: Evidence, peakPerS: number): Judged {
  const [best] = tiers
    .map((own) => ({ own, judged: carrying(own, question, peakPerS) }))
    .toSorted(
      (one, other) =>
        rank[one.judged.verdict] - rank[other.judged.verdict] ||
        (one.judged.verdict === 'met' ? 0 : other.own.outcome.plan.limitPerS - one.own.outcome.plan.limitPerS),
    );
  return best?.judged ?? open('no tier was planned');
}

function judgeLoad(target: Target, evidence: Evidence): Judged {
  return byAnyTier(evidence, typeof target.value === 'number' ? target.value : target.value[1]);
}

/** Instances of the API for the rate, without headroom; and what else the tier would need at that rate. */
function judgePods(target: Target, evidence: Evidence): Judged {
  const best = bestInstance(evidence);
  const ratePerS = target.appliesTo.arrivalRatePerS;
  if (best === undefined || ratePerS === undefined) return open('no tier limits its API');
  const { capacity } = best;
  const needed = { low: Math.ceil(ratePerS / capacity.high), high: Math.ceil(ratePerS / capacity.low) };
  const { question } = evidence;
  const most = typeof target.value === 'number' ? target.value : target.value[1];
  // So many pods are documented as enough, whatever the comparison: what they carry is what is asked.
  const ofMostPerS = { low: most * capacity.low, high: most * capacity.high };
  const verdict = ofMostPerS.low >= ratePerS ? 'met' : ofMostPerS.high < ratePerS ? 'missed' : 'inconclusive';
  const rest = carrying(best.own, question, ratePerS).calculation;
  return {
    verdict,
    tier: best.own.tier,
    calculation: `${instanceText(best)}: ${formatRate(ratePerS)} take ${formatNumber(needed.low)} to ${plural(needed.high, 'pod')} if they scale in proportion, which one database does not: ${rest}`,
  };
}

/** What the documents deploy for so many users. */
const tierOfUsers: readonly (readonly [pattern: RegExp, tiers: readonly string[]])[] = [
  [/phase-1|phase-2-users$|phase-3-threshold|short-term/u, ['single']],
  [/taskflow-medium-term/u, ['pooled']],
  [/taskflow-long-term/u, ['replicated']],
];

function judgeUsers(target: Target, evidence: Evidence): Judged {
  const users = typeof target.value === 'number' ? target.value : target.value[1];
  // lsf-auth puts a cloud server into phase 2, scalability-strategy several instances with Redis.
  const names =
    target.id === 'scalability-strategy-phase-2-users'
      ? []
      : (tierOfUsers.find(([pattern]) => pattern.test(target.id))?.[1] ?? []);
  const meant = evidence.tiers.filter(({ tier }) => names.includes(tier));
  if (names.length > 0 && meant.length === 0) return open(`the run has no plan of ${list(names, 'or')}`);
  const judged = byAnyTier(meant.length === 0 ? evidence : { ...evidence, tiers: meant }, users * RATE_OF_USER);
  return {
    ...judged,
    calculation: `${formatQuantity(users, 'users')} a day with 3 sessions of 20 requests and a peak of 3 times the mean: ${judged.calculation}`,
  };
}

/** One server of that kind carries the users. */
function judgeServers(target: Target, evidence: Evidence): Judged {
  const kind = target.id.includes('cache') ? 'cache' : 'primary';
  const users = target.appliesTo.users ?? MILLION;
  const peakPerS = users * RATE_OF_USER;
  const found = evidence.tiers.flatMap((own) => {
    const { worse, better } = atRate(own, evidence.question, peakPerS);
    const names = own.outcome.planned.services.filter((each) => each.kind === kind).map(({ name }) => name);
    const [one, other] = [worse, better].map(({ plan }) => plan.services.find(({ name }) => names.includes(name)));
    return one === undefined || other === undefined ? [] : [{ own, one, other }];
  });
  const best = found.toSorted((left, right) => left.one.utilizationRatio - right.one.utilizationRatio)[0];
  if (best === undefined) return open(`the run planned no tier with a ${kind}`);
  const { own, one, other } = best;
  return {
    verdict: one.carries ? 'met' : other.carries ? 'inconclusive' : 'missed',
    tier: own.tier,
    calculation: `at ${formatRate(peakPerS)} one ${one.name} of ${own.tier} is used to ${formatRatio(other.utilizationRatio)} to ${formatRatio(one.utilizationRatio)} of what it carries, and ${formatRatio(evidence.question.workload.headroomRatio)} may be`,
  };
}

/** A cache that is paid for must hold what a million users put there. */
function judgeSize(target: Target, { tiers }: Evidence): Judged {
  const limit = typeof target.value === 'number' ? target.value : target.value[1];
  if (!target.id.includes('cache'))
    return open('what a user leaves in the database is not measured by a run of minutes');
  for (const { tier, outcome } of tiers) {
    const need = outcome.resources.find(({ code }) => code === 'cache-memory');
    if (need === undefined) continue;
    const { low, high } = need.estimate;
    return {
      verdict: high <= limit ? 'met' : low > limit ? 'missed' : 'inconclusive',
      tier,
      calculation: `the cache of ${tier} takes ${formatQuantity(low, 'bytes')} to ${formatQuantity(high, 'bytes')} for 1,000,000 users a day, and has ${formatQuantity(limit, 'bytes')}`,
    };
  }
  return open('no tier of the run has a cache whose memory was measured');
}

/** A total is the sum of its parts; the parts are prices, which no system shows. */
function judgeCost(target: Target, { all, tiers }: Evidence): Judged {
  const amount = typeof target.value === 'number' ? target.value : target.value[1];
  const perMillion = costPerMillion(amount, tiers);
  if (target.id.endsWith('-cost-total')) {
    const prefix = target.id.slice(0, -'total'.length);
    const parts = all.filter(
      ({ id, unit, value }) =>
        unit === 'USD/month' && id.startsWith(prefix) && !/total|free/u.test(id) && typeof value === 'number',
    );
    const values = parts.map(({ value }) => Number(value));
    const total = values.reduce((sum, value) => sum + value, 0);
    return {
      verdict: against(target, { low: total, high: total }),
      tier: null,
      calculation: `${values.map(formatNumber).join(' + ')} = ${formatNumber(total)} USD a month; ${perMillion}`,
    };
  }
  return open(`a price of somebody else, which no run shows; ${perMillion}`);
}

function costPerMillion(amount: number, tiers: readonly OfTier[]): string {
  const best = tiers.toSorted((one, other) => other.outcome.sustainedPerS.low - one.outcome.sustainedPerS.low)[0];
  if (best === undefined) return 'and no tier of the run has a sustained rate to divide it by';
  const { low } = best.outcome.sustainedPerS;
  const cost = perMillionRequests(amount, low);
  return `at the ${formatRate(low)} that ${best.tier} sustained all month it is ${formatNumber(Number(cost.toPrecision(2)))} USD for a million requests`;
}

function judgeAutoscaling(target: Target, evidence: Evidence): Judged {
  const best = bestInstance(evidence);
  if (best === undefined) return open('no tier limits its API');
  // So many instances that whole ones hardly matter, and so few that they do.
  const savings = [5, 10, 20, 40].map((instances) => {
    const { savingRatio } = autoscalingOf(
      {
        peakPerS: instances * best.capacity.low * 0.8,
        capacityPerS: best.capacity.low,
        minimum: 2,
        targetUtilizationRatio: 0.8,
      },
      null,
    );
    return savingRatio;
  });
  const interval = { low: Math.min(...savings), high: Math.max(...savings) };
  const least = typeof target.value === 'number' ? target.value : target.value[0];
  return {
    // That more is saved is no miss.
    verdict: interval.low >= least ? 'met' : interval.high < least ? 'missed' : 'inconclusive',
    tier: best.own.tier,
    calculation: `over a usual day (assumed) with 5 to 40 instances at its peak, an autoscaler saves ${formatRatio(interval.low)} to ${formatRatio(interval.high)} of the instance hours of the peak; of a day without a quiet night it saves less`,
  };
}

/** What reaches the database, of what the API opens. */
function judgePooling(target: Target, { tiers }: Evidence): Judged {
  for (const { tier, outcome } of tiers) {
    const pooler = outcome.planned.services.find(({ kind }) => kind === 'pooler');
    const primary = outcome.planned.services.find(({ kind }) => kind === 'primary');
    const opened = outcome.connections.find(({ service }) => service === pooler?.name);
    const reached = outcome.connections.find(({ service }) => service === primary?.name);
    if (opened === undefined || reached === undefined) continue;
    const saved = 1 - reached.total / opened.total;
    const least = typeof target.value === 'number' ? target.value : target.value[0];
    return {
      verdict: saved >= least ? 'met' : 'missed',
      tier,
      calculation: `in the plan of ${tier} for 1,000,000 users a day the pooler gets ${opened.sum} connections, the database ${reached.sum}: ${formatRatio(saved)} fewer`,
    };
  }
  return open('the run planned no tier with a pooler');
}
