import { TierbenchError } from '../core/errors.ts';
import type { Deployment } from '../providers/provider.ts';

/** Services that ended by themselves. */
export interface ServiceFailures {
  /** Aborts with the first one: whatever is measured after that is not the tier. */
  readonly signal: AbortSignal;
  readonly seen: readonly string[];
  error(): TierbenchError | undefined;
}

export function watchForFailures(deployment: Deployment): ServiceFailures {
  const controller = new AbortController();
  const seen: string[] = [];
  deployment.onFailure(({ instance, what }) => {
    seen.push(`${instance} ended by itself: ${what}`);
    controller.abort();
  });
  return {
    signal: controller.signal,
    seen,
    error() {
      if (seen.length === 0) return undefined;
      return new TierbenchError(
        'SERVICE_ENDED',
        seen.join('; '),
        'Read its last lines above. What was measured until then is kept; `tierbench report` shows it.',
      );
    },
  };
}
