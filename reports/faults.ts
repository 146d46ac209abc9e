import { describeLoad } from '../harness/core/load.ts';
import { type Interval, requestOutcomes, type TrialRecord } from '../harness/core/trial.ts';
import { formatNumber, formatRate, formatSeconds } from '../harness/core/units.ts';
import { describeRecovery, type Recovery, type RecoveryPhase } from '../harness/judging/recovery.ts';
import { linearAxis } from './axes.ts';
import type { ChartDescription, Point } from './chart.ts';
import { chartName, fileNamePart } from './charts.ts';
import { list, plural } from './figures.ts';
import { left, right, type Table } from './table.ts';
import { spanOf, throughputPoints, timeAxis, timePanel, unnamed } from './time-panels.ts';

/** A fault that was made on purpose, and what was seen when. */
export interface FaultAnalysis {
  readonly sequence: number;
  readonly scenario: string;
  /** `concurrency 10` */
  readonly load: string;
  readonly recovery: Recovery;
  readonly chart: ChartDescription | null;
}

/** The fault trials among `trials`, in the order they were made. */
export function faultsOf(trials: readonly TrialRecord[]): readonly FaultAnalysis[] {
  return trials
    .filter(({ fault }) => fault !== undefined)
    .map((measured) => {
      const recovery = describeRecovery(measured);
      const { scenario, load } = measured.trial.plan;
      return {
        sequence: measured.sequence,
        scenario,
        load: describeLoad(load),
        recovery,
        chart: faultChart(measured, recovery),
      };
    });
}

const done = { kill: 'killed', pause: 'paused' } as const;
const undone = { kill: 'up again', pause: 'went on' } as const;

/** `cache/1 killed` */
function faultName({ fault }: Recovery): string {
  return `${fault.instance} ${done[fault.kind]}`;
}

export function faultsTable(tier: string, faults: readonly FaultAnalysis[]): Table {
  return {
    caption: `Faults made on ${tier}`,
    columns: [
      left('Fault'),
      left('Failed requests meanwhile'),
      right('First failure'),
      right('Throughput before'),
      right('During'),
      right('After'),
      left('Served as before'),
    ],
    rows: faults.map(({ recovery, scenario, load }) => [
      { text: faultName(recovery), detail: `${scenario}, ${load}` },
      { text: failures(recovery.during), ...afterwards(recovery) },
      { text: recovery.firstFailureWithinS === null ? 'none' : `after ${formatSeconds(recovery.firstFailureWithinS)}` },
      { text: rate(recovery.before) },
      { text: rate(recovery.during) },
      { text: recovery.after === null ? '–' : rate(recovery.after) },
      { text: servedAsBefore(recovery) },
    ]),
  };
}

/** In one line: `cache/1 killed: 27 requests failed, the first after 0.8 s; served as before: 700 ms after it was up again` */
export function describeFault({ recovery }: FaultAnalysis): string {
  const failed = total(recovery.during) + (recovery.after === null ? 0 : total(recovery.after));
  const first =
    recovery.firstFailureWithinS === null ? '' : `, the first after ${formatSeconds(recovery.firstFailureWithinS)}`;
  return `${faultName(recovery)}: ${failed === 0 ? 'no request' : plural(failed, 'request')} failed${first}; served as before: ${servedAsBefore(recovery)}`;
}

/** When it served as before: `0.7 s after it was up again`. */
function servedAsBefore({ fault, before, servedAgainDuringS, recoveredAfterS }: Recovery): string {
  if (before.succeeded === 0) return 'cannot be said: nothing was answered before';
  if (servedAgainDuringS === 0) return 'all the time';
  if (servedAgainDuringS !== null) return `while it lasted, from ${formatSeconds(servedAgainDuringS)} on`;
  if (fault.undoneAtS === null) return `not again: ${fault.instance} did not come back`;
  if (recoveredAfterS === null) return 'not until the end';
  const when = fault.kind === 'kill' ? 'it was up again' : 'it went on';
  return recoveredAfterS === 0 ? `when ${when}` : `${formatSeconds(recoveredAfterS)} after ${when}`;
}

function failures(phase: RecoveryPhase): string {
  const parts = Object.entries(phase.failures).map(([outcome, count]) => `${outcome} × ${formatNumber(count)}`);
  return parts.length === 0 ? 'none' : parts.join(', ');
}

function afterwards({ after }: Recovery): { readonly detail?: string } {
  return after === null || total(after) === 0 ? {} : { detail: `afterwards ${failures(after)}` };
}

function total({ failures: counts }: RecoveryPhase): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

function rate({ throughputPerS }: RecoveryPhase): string {
  return throughputPerS === null ? '–' : formatRate(throughputPerS);
}

/** Right answers and failures of each second, with the moments at which something was done. */
function faultChart(measured: TrialRecord, recovery: Recovery): ChartDescription | null {
  const { fault } = recovery;
  const placed = [{ measured, startS: 0 }];
  const panels = [
    timePanel([unnamed('throughput', throughputPoints(placed))], (values) =>
      linearAxis('Successful requests/s', values, formatRate),
    ),
    timePanel([unnamed('failed', failurePoints(measured))], (values) =>
      linearAxis('Failed requests/s', values, formatRate),
    ),
  ].filter((each) => each !== null);
  if (panels.length === 0) return null;
  const name = faultName(recovery);
  const moments = [
    { at: fault.atS, label: done[fault.kind] },
    ...(fault.undoneAtS === null ? [] : [{ at: fault.undoneAtS, label: undone[fault.kind] }]),
  ];
  return {
    id: fileNamePart(`${measured.subject}-fault-${measured.sequence}`),
    title: `${chartName(name)} · ${chartName(measured.subject)}`,
    subtitle: `${measured.trial.plan.scenario} at ${describeLoad(measured.trial.plan.load)}`,
    alt: `Two charts over the time of the trial, successful and failed requests per second. ${list(moments.map(({ at, label }) => `${label} at ${formatSeconds(at)}`))}.`,
    x: timeAxis(placed.map(spanOf), 'Time since the measured window began'),
    panels,
    spans: [],
    moments,
  };
}

function failurePoints({ trial }: TrialRecord): readonly Point[] {
  return trial.intervals
    .filter(({ durationS }) => durationS > 0)
    .map((interval) => {
      const ratePerS = failedIn(interval) / interval.durationS;
      return { x: interval.startS + interval.durationS / 2, y: ratePerS, text: `${formatRate(ratePerS)} failed` };
    });
}

function failedIn({ steps }: Interval): number {
  return steps.reduce(
    (sum, { outcomes }) =>
      sum + requestOutcomes.reduce((failed, outcome) => failed + (outcome === 'ok' ? 0 : outcomes[outcome]), 0),
    0,
  );
}
