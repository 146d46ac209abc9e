import { TierbenchError } from '../core/errors.ts';
import type { Deployment } from '../providers/provider.ts';

/** Services that ended unasked. */
export interface ServiceCrashes {
  /** Aborts with the first one: whatever is measured after that is not the subject. */
  readonly signal: AbortSignal;
  readonly seen: readonly string[];
  error(): TierbenchError | undefined;
}

export function watchForCrashes(deployment: Deployment): ServiceCrashes {
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
