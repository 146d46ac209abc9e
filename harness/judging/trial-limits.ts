import type { Trial } from '../core/trial.ts';
import {
  meanOf,
  type Queue,
  SATURATED_RATIO,
  SATURATED_WITH_QUEUE_RATIO,
  type Utilization,
  utilization,
  waitsFrom,
} from './resource-use.ts';
import { requestsIn, type SourceMean, succeededIn } from './trial-window.ts';

/** What a trial says of its limits itself: the generator that was used up, and requests that were refused or failed. */

/**
 * The generator by its own account, which is its event loop. That is also busy while it waits for a CPU, so where CPUs are
 * seen its thread must have worked, or the generator more than any service; or its own CPU limit stopped it.
 */
export function generatorLimits(
  { generator, steps }: Trial,
  means: readonly SourceMean[],
): readonly (Utilization | Queue)[] {
  const source = 'generator';
  const { utilizationRatio: ratio } = generator;
  const cpus = means.filter(({ metric }) => metric === 'cpu-cores').toSorted((one, other) => other.mean - one.mean);
  const mainThread = meanOf(means, source, 'main-thread') ?? 1;
  const isBusy = ratio >= SATURATED_RATIO && (cpus[0]?.source === source || mainThread >= SATURATED_WITH_QUEUE_RATIO);
  const throttled = meanOf(means, source, 'throttled') ?? 0;
  const ranOut = steps.some(({ outcomes }) => outcomes['generator-limit'] > 0);
  const files = meanOf(means, source, 'open-files');
  const filesLimit = meanOf(means, source, 'open-files-limit');
  return [
    ...(isBusy ? [utilization({ source, metric: 'main-thread', mean: ratio }, 1)] : []),
    ...(throttled >= waitsFrom.ratio
      ? [{ kind: 'queue', source, metric: 'throttled', resource: 'cpu', waiting: throttled } as const]
      : []),
    ...(ranOut && files !== undefined && filesLimit !== undefined
      ? [utilization({ source, metric: 'open-files', mean: files }, filesLimit)]
      : []),
  ];
}

/** Responses 429, by the instance that refused most where it says so itself. */
export function refusals({ steps }: Trial, means: readonly SourceMean[]): readonly Queue[] {
  const refused = steps.reduce((sum, { statuses }) => sum + (statuses['429'] ?? 0), 0);
  const waiting = refused / Math.max(1, requestsIn(steps));
  if (waiting < waitsFrom.ratio) return [];
  const [most] = means
    .filter(({ metric, mean }) => metric === 'rate-limited' && mean > 0)
    .toSorted((one, other) => other.mean - one.mean);
  return [{ kind: 'queue', source: most?.source ?? 'system', metric: 'refused-429', resource: 'rate-limit', waiting }];
}

export function failedRatio({ steps }: Trial): number {
  const requests = requestsIn(steps);
  return requests === 0 ? 0 : 1 - succeededIn({ steps }) / requests;
}
