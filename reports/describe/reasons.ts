import type { Caveat, Reason } from '../../harness/core/findings.ts';
import { formatNumber, formatRate, formatRatio, formatSeconds } from '../../harness/core/units.ts';
import { list } from '../text.ts';

interface Coded {
  readonly code: string;
}

/** A method, so that TypeScript takes one that describes a single code for a part of one that describes all. */
interface Describer<Finding> {
  describe(finding: Finding): string;
}

/** Words for each code of a finding: a code without any does not compile. */
export function describer<Finding extends Coded>(
  describers: {
    readonly [Code in Finding['code']]: Describer<Extract<Finding, { readonly code: Code }>>['describe'];
  },
): (finding: Finding) => string {
  const byCode: Readonly<Record<string, Describer<Finding>['describe']>> = describers;
  return (finding) => byCode[finding.code]?.(finding) ?? finding.code;
}

/** Why a trial is invalid: `requests were sent up to 8 ms after their scheduled start (p99), more than 5 ms`. */
export const describeReason = describer<Reason>({
  stopped: ({ measuredS, plannedS }) =>
    `it was stopped after ${formatSeconds(measuredS)} of ${formatSeconds(plannedS)}`,
  'service-crashed': ({ instance, detail }) =>
    `${instance} crashed: ${detail}; the tier was incomplete while it was measured`,
  'never-answered': ({ requests, waitedS, longestAnswerS, timeoutS }) => {
    const waited = `${requests === 1 ? '1 request' : `${formatNumber(requests)} requests`} had waited up to ${formatSeconds(waitedS)} without an answer at the end of the window`;
    const answered =
      longestAnswerS > 0 ? `no answer took more than ${formatSeconds(longestAnswerS)}` : 'none was answered';
    return `${waited}, and ${answered}; the window was shorter than the timeout of ${formatSeconds(timeoutS)}`;
  },
  'too-few-seconds': ({ seconds, neededSeconds }) =>
    `only ${seconds} whole seconds were measured, and intervals need ${neededSeconds}`,
  'too-few-requests': ({ requests, neededRequests }) =>
    `only ${requests} requests ended in the window, and p95 needs ${neededRequests}`,
  'cpu-stolen': ({ ratio, limitRatio }) =>
    `the host took ${formatRatio(ratio)} of the CPU away (steal), more than ${formatRatio(limitRatio)}`,
  'generator-out-of-resources': ({ resource, requests }) =>
    `the generator ran out of ${resource === 'ports' ? 'local ports' : 'file descriptors'}: ${requests === 1 ? '1 request was' : `${formatNumber(requests)} requests were`} never sent`,
  'foreign-cpu': ({ ratio, limitRatio }) =>
    `other processes used ${formatRatio(ratio)} of the machine's CPU, more than ${formatRatio(limitRatio)}`,
  'generator-busy': ({ utilizationRatio, limitRatio }) =>
    `the generator was busy ${formatRatio(utilizationRatio)} of the time, more than ${formatRatio(limitRatio)}: its own limit may have been measured`,
  'not-offered': ({ startedRatio, limitRatio, arrivalRatePerS }) =>
    `only ${formatRatio(startedRatio)} of the intended ${formatRate(arrivalRatePerS)} were started, less than ${formatRatio(limitRatio)}`,
  'near-generator-limit': ({ ratePerS, ceilingPerS, limitRatio }) =>
    `the generator made ${formatRate(ratePerS)}, more than ${formatRatio(limitRatio)} of the ${formatRate(ceilingPerS)} it makes at most here: its own limit may have been measured`,
  'throughput-drift': ({ firstHalfPerS, secondHalfPerS }) =>
    `the throughput was not steady: it went from ${formatRate(firstHalfPerS)} in the first half to ${formatRate(secondHalfPerS)} in the second`,
  'throughput-settled-late': ({ afterSeconds, ofSeconds, settledPerS, wholePerS }) =>
    `the throughput was not steady: it settled only after ${afterSeconds} of ${ofSeconds} seconds, at ${formatRate(settledPerS)} instead of ${formatRate(wholePerS)}`,
  'latency-drift': ({ firstHalfMeanS, secondHalfMeanS }) => {
    const what = `the latency was not steady: it went from ${formatSeconds(firstHalfMeanS)} (mean) in the first half to ${formatSeconds(secondHalfMeanS)} in the second`;
    return secondHalfMeanS > firstHalfMeanS ? `${what}; the system may be overloaded` : what;
  },
});

export const describeCaveat = describer<Caveat>({
  'above-ceiling': ({ ratePerS, ceilingPerS }) =>
    `the generator made ${formatRate(ratePerS)}, more than the ${formatRate(ceilingPerS)} found to be its limit: the machine was busy when that was measured`,
  'near-floor': ({ p95S, floorP95S }) =>
    `its p95 of ${formatSeconds(p95S)} is less than twice the ${formatSeconds(floorP95S)} that the generator reads of an echo: much of it may be the generator's own`,
  'instrument-lag': ({ lagS, sendLagS, readLagS, throttledS }) => {
    const parts = [
      ...(sendLagS > 0 ? [`sent up to ${formatSeconds(sendLagS)} late`] : []),
      ...(readLagS > 0 ? [`read up to ${formatSeconds(readLagS)} late`] : []),
      ...(throttledS > 0 ? [`stopped by a CPU limit for up to ${formatSeconds(throttledS)}`] : []),
    ];
    return `${list(parts)}: latencies may be up to ${formatSeconds(lagS)} shorter, which their intervals allow for`;
  },
  'machine-shared': ({ foreignRatio, stolenRatio }) => {
    const takers = [
      ...(foreignRatio > 0 ? [`other processes used ${formatRatio(foreignRatio)} of the machine's CPU`] : []),
      ...(stolenRatio > 0 ? [`the host took ${formatRatio(stolenRatio)} of the CPU away (steal)`] : []),
    ];
    return `${list(takers)}: alone the system is no slower, so this can meet a target and not miss one`;
  },
});
