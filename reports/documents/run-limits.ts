import { metrics } from '../../harness/core/metrics.ts';
import { formatBytes, formatNumber, formatRatio, formatSeconds } from '../../harness/core/units.ts';
import type { Bottleneck, BottleneckUnknown } from '../../harness/judging/bottleneck.ts';
import type { Contribution } from '../../harness/judging/contributions.ts';
import type { Queue, Utilization } from '../../harness/judging/resource-use.ts';
import type { Limit } from '../analysis.ts';
import type { Answer } from '../document.ts';

/** What limited a load, in words; the first that was saturated, and what is next to it. */
export function limitTexts(limit: Limit): readonly string[] {
  if ('unknown' in limit) return [unknownText(limit)];
  const { first, next } = limit;
  if (first === null) {
    return [next === null ? 'nothing that was observed' : `nothing that was observed; most used: ${useText(next)}`];
  }
  if (next === null || !isSaturated(next)) return [useText(first)];
  return [useText(first), next.source === first.source ? whatOf(next) : useText(next)];
}

/**
 * The answer where nothing met the targets, for rates that were searched and loads that were given.
 * @param within such as `p95 < 200 ms`; empty where no target applies.
 */
export function nothingSustained(
  tiers: readonly string[],
  within: string,
  why:
    | { readonly missed: { readonly tier: string; readonly load: string; readonly limit: string } }
    | { readonly undecided: string },
): Omit<Answer, 'about'> {
  const targets = within === '' ? '' : ` within ${within}`;
  if ('undecided' in why) {
    const because = `No valid trial decides it. ${why.undecided}`.trim();
    return { statement: `what is sustained${targets} is not known.`, because };
  }
  const { tier, load, limit } = why.missed;
  return {
    statement: `${tiers.length === 1 ? `${tier} sustained no` : 'no tier sustained a'} measured load${targets}.`,
    because: `${tier} missed the target at ${load}. ${limit}`.trim(),
  };
}

/** First and next in one sentence, without its full stop: `the database's CPU limits it (98 % of 1 CPU); next would be ...`. */
export function limitSentence(limit: Limit): string {
  if ('unknown' in limit) {
    const howTo = '; services that tierbench starts by a tier file (--tier FILE) are observed';
    return `what limits it is ${unknownText(limit)}${limit.unknown === 'no-samples' ? '' : howTo}`;
  }
  const { first, next, because, cpuShares, utilizations } = limit;
  if (first === null) {
    const others = cpuShares.find(({ name }) => name === 'others')?.ratio ?? 0;
    if (utilizations.some(({ metric, ratio }) => metric === 'machine-utilization' && ratio >= 0.9) && others > 0.1) {
      return `what limits it is not known: the CPUs of the machine are used up, ${formatRatio(others)} of them by other programs`;
    }
    const most = next === null ? '' : `; most used is ${ownerOf(next)} (${amountOf(next)})`;
    return `nothing that was observed limits it${most}`;
  }
  const makesItWorse = because.map(contributionText);
  const then = next === null ? [] : [`next would be ${ownerOf(next)} (${amountOf(next)})`];
  return [firstText(first, limit), ...makesItWorse, ...then].join('; ');
}

function unknownText({ unknown }: BottleneckUnknown): string {
  return unknown === 'no-samples'
    ? 'not known, as nothing was observed'
    : 'not known: nothing of it can be seen from here';
}

function firstText(first: Utilization | Queue, { cpuShares }: Bottleneck): string {
  if (first.source === 'generator') return `the load generator limits it, not the system (${amountOf(first)})`;
  if (first.source !== 'machine' || first.resource !== 'cpu') return `${ownerOf(first)} limits it (${amountOf(first)})`;
  const shares = cpuShares
    .filter(({ ratio }) => ratio >= 0.01)
    .map(({ name, ratio }) => `${name === 'others' ? 'other programs' : name} ${formatRatio(ratio)}`);
  return `the CPUs of the machine limit it (${[amountOf(first), ...shares].join(', ')})`;
}

/** `the database's CPU (98 % of 1 CPU)` */
export function limitedByText(use: Utilization | Queue): string {
  return `${ownerOf(use)} (${amountOf(use)})`;
}

function ownerOf({ source, metric }: Utilization | Queue): string {
  if (source === 'generator') return 'the load generator';
  const owner = source === 'machine' ? 'the machine' : `the ${source.replace(/\/\d+$/u, '')}`;
  return metric === 'cpu-cores' || metric === 'machine-utilization' ? `${owner}'s CPU` : owner;
}

function amountOf(use: Utilization | Queue): string {
  if (use.kind === 'utilization' && use.metric === 'machine-utilization')
    return `${formatRatio(use.ratio)} of all cores`;
  return use.kind === 'utilization' && use.metric === 'cpu-cores'
    ? `${formatRatio(use.ratio)} of ${formatNumber(use.limit)} CPU${use.limit === 1 ? '' : 's'}`
    : whatOf(use);
}

function contributionText(contribution: Contribution): string {
  switch (contribution.code) {
    case 'rows-scanned':
      return `${formatNumber(contribution.scannedPerS)} rows/s are read by sequential scans, ${formatRatio(contribution.ratio)} of all: an index may be missing`;
    case 'few-cache-hits':
      return contribution.readsPerS === 0
        ? 'nothing is read from the cache'
        : `the cache has ${formatRatio(contribution.hitRatio)} of what is asked of it`;
    case 'evictions':
      return `the cache is full and evicts ${formatNumber(contribution.evictedPerS)} keys/s`;
  }
}

function isSaturated(use: Utilization | Queue): boolean {
  return use.kind === 'queue' || use.ratio >= 0.9;
}

/** The most that was used, and all that waited: `api/1: CPU 98 %`. */
export function useTexts(limit: Limit): readonly string[] {
  if ('unknown' in limit) return [];
  return [...limit.utilizations.slice(0, 5), ...limit.queues].map(useText);
}

function useText(use: Utilization | Queue): string {
  return `${use.source}: ${whatOf(use)}`;
}

/** `CPU 98 %` */
function whatOf(use: Utilization | Queue): string {
  const { label, unit } = metrics[use.metric];
  if (use.kind === 'utilization') return `${label} ${formatRatio(use.ratio)}`;
  switch (unit) {
    case 'seconds':
      return `${label} ${formatSeconds(use.waiting)}`;
    case 'ratio':
      return `${label} ${formatRatio(use.waiting)}`;
    case 'bytes':
      return `${label} ${formatBytes(use.waiting)}`;
    default:
      return `${formatNumber(use.waiting)} ${label}`;
  }
}
