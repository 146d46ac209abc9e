import { TierbenchError } from '../core/errors.ts';
import type { Note } from '../core/findings.ts';
import type { Deployment } from '../providers/provider.ts';

/** Services that ended unasked. */
export interface ServiceCrashes {
  /** Aborts with the first one: whatever is measured after that is not the subject. */
  readonly signal: AbortSignal;
  readonly seen: readonly Note[];
  error(): TierbenchError | undefined;
}

export function watchForCrashes(deployment: Deployment): ServiceCrashes {
  const controller = new AbortController();
  const seen: { readonly code: 'service-crashed'; readonly instance: string; readonly detail: string }[] = [];
  deployment.onFailure(({ instance, what }) => {
    seen.push({ code: 'service-crashed', instance, detail: what });
    controller.abort();
  });
  return {
    signal: controller.signal,
    seen,
    error() {
      if (seen.length === 0) return undefined;
      return new TierbenchError(
        'SERVICE_ENDED',
        seen.map(({ instance, detail }) => `${instance} crashed: ${detail}`).join('; '),
        'Read its last lines above. What was measured until then is kept; `tierbench report` shows it.',
      );
    },
  };
}
