import { formatRate, formatRatio, formatSeconds } from '../../harness/core/units.ts';
import type { JudgedTrial } from '../../harness/judging/judged-trial.ts';
import { describeReason } from '../../reports/describe/reasons.ts';
import { withAdvice } from '../../reports/describe/remedies.ts';
import { estimateWithInterval } from '../../reports/figures.ts';
import { droppedInWords, workOf } from '../../reports/work.ts';

/** What a finished trial says, in one line: `33/s (31/s to 35/s), p95 312 ms (301 to 330 ms), 2.4 % errors, 120 of 5,000 dropped (2.4 %)`. */
export function describeTrial({ record, summary, validity }: JudgedTrial): string {
  const { throughputPerS, latency, errorRatio } = summary;
  const work = workOf(record.trial);
  const figures = [
    estimateWithInterval(throughputPerS, formatRate),
    `p95 ${estimateWithInterval(latency.p95S, formatSeconds)}`,
    `${formatRatio(errorRatio)} errors`,
    ...(work.dropped > 0 ? [droppedInWords(work)] : []),
  ].join(', ');
  if (validity.kind === 'valid') return figures;
  return `${figures}; invalid: ${validity.reasons.map((reason) => withAdvice(describeReason, reason)).join('; ')}`;
}
