import type { Calibration } from '../../harness/core/run.ts';
import type { TrialRecord } from '../../harness/core/trial.ts';
import { formatRate, formatRatio, formatSeconds } from '../../harness/core/units.ts';
import { summarizeTrial } from '../../harness/judging/summarize.ts';
import { estimateWithInterval } from '../../reports/figures.ts';
import { droppedInWords, workOf } from '../../reports/work.ts';

/** What a finished trial says, in one line: `33/s (31/s to 35/s), p95 312 ms (301 ms to 330 ms), 2.4 % errors, 120 of 5,000 dropped (2.4 %)`. */
export function describeTrial(measured: TrialRecord, calibration: Calibration | null = null): string {
  const { throughputPerS, latency, errorRatio, validity } = summarizeTrial(measured, calibration);
  const work = workOf(measured.trial);
  const figures = [
    estimateWithInterval(throughputPerS, formatRate),
    `p95 ${estimateWithInterval(latency.p95S, formatSeconds)}`,
    `${formatRatio(errorRatio)} errors`,
    ...(work.dropped > 0 ? [droppedInWords(work)] : []),
  ].join(', ');
  return validity.kind === 'valid' ? figures : `${figures}; not to be trusted: ${validity.reasons.join('; ')}`;
}
