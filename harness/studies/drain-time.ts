import type { Trial } from '../core/trial.ts';
import { LatencyHistogram } from '../histograms/latency-histogram.ts';
import { requestsIn } from '../judging/requests-in.ts';

/**
 * How long the system may still work on what was under way when the window closed, in seconds: by Little's law, at the rate
 * at which it answered, and no longer than a request may take. Nobody waits for those answers, yet servers give them: 25
 * logins that are abandoned keep a CPU busy for more than a second, and whoever comes then waits behind them.
 */
export function drainTimeS({ plan: { load, timeoutS }, inFlightAtEnd, steps, measuredS }: Trial): number {
  const known = inFlightAtEnd === null ? undefined : LatencyHistogram.decode(inFlightAtEnd).count;
  const underWay = known ?? (load.model === 'closed' ? load.concurrency : 0);
  if (underWay === 0) return 0;
  const answered = requestsIn(steps);
  return answered === 0 ? timeoutS : Math.min(timeoutS, (underWay * measuredS) / answered);
}
