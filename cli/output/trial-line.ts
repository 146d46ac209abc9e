import { formatRate, formatRatio, formatSeconds } from '../../harness/core/units.ts';
import type { JudgedTrial } from '../../harness/judging/summary.ts';
import { estimateWithInterval } from '../../reports/figures.ts';
import { droppedInWords, workOf } from '../../reports/work.ts';

/** What a finished trial says, in one line: `33/s (31/s to 35/s), p95 312 ms (301 ms to 330 ms), 2.4 % errors, 120 of 5,000 dropped (2.4 %)`. */
export function describeTrial({ record, summary }: JudgedTrial): string {
  const { throughputPerS, latency, errorRatio, validity } = summary;
  const work = workOf(record.trial);
  const figures = [
    estimateWithInterval(throughputPerS, formatRate),
    `p95 ${estimateWithInterval(latency.p95S, formatSeconds)}`,
    `${formatRatio(errorRatio)} errors`,
    ...(work.dropped > 0 ? [droppedInWords(work)] : []),
  ].join(', ');
  return validity.kind === 'valid' ? figures : `${figures}; invalid: ${validity.reasons.join('; ')}`;
}
