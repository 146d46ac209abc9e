import type { MeasuredTrial } from '../harness/core/trial.ts';
import { formatRate, formatRatio, formatSeconds } from '../harness/core/units.ts';
import { summarizeTrial } from '../harness/judging/summarize.ts';
import { estimateWithInterval } from './figures.ts';

/** What a finished trial says, in one line: `33/s (31/s to 35/s), p95 312 ms (301 ms to 330 ms), 0 % errors`. */
export function describeTrial(measured: MeasuredTrial): string {
  const { throughputPerS, latency, errorRatio, soundness } = summarizeTrial(measured);
  const figures = [
    estimateWithInterval(throughputPerS, formatRate),
    `p95 ${estimateWithInterval(latency.p95S, formatSeconds)}`,
    `${formatRatio(errorRatio)} errors`,
  ].join(', ');
  return soundness.kind === 'sound' ? figures : `${figures}; not to be trusted: ${soundness.reasons.join('; ')}`;
}
