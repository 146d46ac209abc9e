import type { MetricId } from '../core/metrics.ts';
import { sum } from '../statistics/sums.ts';
import type { Queue, Utilization } from './resource-use.ts';
import type { SourceMean } from './trial-window.ts';

const SCANS_FROM = { rowsPerRequest: 1000, ratioOfRows: 0.5 } as const;
const FEW_CACHE_HITS_RATIO = 0.5;

/** What makes the first bottleneck dearer than it need be. It is no limit by itself. */
export type Contribution =
  /** `ratio`: of all rows that were read in tables. */
  | { readonly code: 'rows-scanned'; readonly source: string; readonly scannedPerS: number; readonly ratio: number }
  | { readonly code: 'few-cache-hits'; readonly source: string; readonly hitRatio: number; readonly readsPerS: number }
  | { readonly code: 'evictions'; readonly source: string; readonly evictedPerS: number };

export function contributionsTo(
  { source, resource }: Utilization | Queue,
  means: readonly SourceMean[],
  requestsPerS: number,
): readonly Contribution[] {
  const of = (metric: MetricId, only?: string) =>
    sum(
      means.filter((each) => each.metric === metric && each.source === (only ?? each.source)).map(({ mean }) => mean),
    );
  const found: Contribution[] = [];
  const scannedPerS = of('rows-scanned', source);
  const ratio = scannedPerS / Math.max(1, scannedPerS + of('rows-by-index', source));
  const { rowsPerRequest, ratioOfRows } = SCANS_FROM;
  if (scannedPerS >= rowsPerRequest * Math.max(1, requestsPerS) && ratio >= ratioOfRows) {
    found.push({ code: 'rows-scanned', source, scannedPerS, ratio });
  }
  const cache = means.find(({ metric }) => metric === 'commands')?.source;
  if (cache === undefined || source === 'generator' || resource === 'rate-limit') return found;
  // The app knows which reads were meant for the cache; the server also counts those of other keys.
  const isCounted = of('cache-hits') + of('cache-misses') > 0;
  const hits = of(isCounted ? 'cache-hits' : 'key-hits');
  const readsPerS = hits + of(isCounted ? 'cache-misses' : 'key-misses');
  const hitRatio = readsPerS === 0 ? 0 : hits / readsPerS;
  if (hitRatio < FEW_CACHE_HITS_RATIO) found.push({ code: 'few-cache-hits', source: cache, hitRatio, readsPerS });
  const evictedPerS = of('evictions');
  if (evictedPerS > 0) found.push({ code: 'evictions', source: cache, evictedPerS });
  return found;
}
