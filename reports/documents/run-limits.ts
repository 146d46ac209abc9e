import { metrics } from '../../harness/core/metrics.ts';
import { formatBytes, formatNumber, formatRatio, formatSeconds } from '../../harness/core/units.ts';
import type { Queue, Utilization } from '../../harness/judging/bottleneck.ts';
import type { Limit } from '../analysis.ts';

/** What limited a load, in words; the first that was saturated, and what is next to it. */
export function limitTexts(limit: Limit): readonly string[] {
  if ('unknown' in limit) return ['not known, as nothing was observed'];
  const { first, next } = limit;
  if (first === null) {
    return [next === null ? 'nothing that was observed' : `nothing that was observed; most used: ${useText(next)}`];
  }
  if (next === null || !isSaturated(next)) return [useText(first)];
  return [useText(first), next.source === first.source ? whatOf(next) : useText(next)];
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
