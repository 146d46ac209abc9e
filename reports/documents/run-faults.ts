import { describeLoad } from '../../harness/core/load.ts';
import { formatNumber, formatRate, formatSeconds } from '../../harness/core/units.ts';
import type { Recovery, RecoveryPhase } from '../../harness/judging/recovery.ts';
import type { FaultAnalysis, TierAnalysis } from '../analysis.ts';
import { faultChart } from '../charts/time-charts.ts';
import { type Block, figures, head, left, right, type Table, table, tableBlocks } from '../document.ts';

/** The faults that were made on purpose: a table, and a chart of each. */
export function faultBlocks({ name, faults }: TierAnalysis): readonly Block[] {
  return [...tableBlocks(faultsTable(name, faults)), ...figures(faults.map(chartOf))];
}

const started = { kill: 'killed', pause: 'paused' } as const;
const ended = { kill: 'up again', pause: 'resumed' } as const;

/** `cache/1 killed` */
function faultName({ fault }: Recovery): string {
  return `${fault.instance} ${started[fault.kind]}`;
}

function faultsTable(tier: string, faults: readonly FaultAnalysis[]): Table {
  return table(
    `Faults made on ${tier}`,
    [
      head('Fault'),
      left('Failed requests'),
      right('First failure'),
      right('Throughput before'),
      right('During'),
      right('After'),
      left('Recovery'),
    ],
    faults.map(({ recovery, record: { trial } }) => [
      { text: faultName(recovery), detail: `${trial.plan.scenario}, ${describeLoad(trial.plan.load)}` },
      { text: failures(recovery.during), ...afterwards(recovery) },
      { text: recovery.firstFailureWithinS === null ? 'none' : `after ${formatSeconds(recovery.firstFailureWithinS)}` },
      { text: rate(recovery.before) },
      { text: rate(recovery.during) },
      { text: recovery.after === null ? '–' : rate(recovery.after) },
      { text: recoveryText(recovery) },
    ]),
  );
}

/** When it served as before: `700 ms after it was up again`. */
export function recoveryText({ fault, before, servedAgainDuringS, recoveredAfterS }: Recovery): string {
  if (before.succeeded === 0) return 'not known: nothing succeeded before';
  if (servedAgainDuringS === 0) return 'not affected';
  if (servedAgainDuringS !== null) return `${formatSeconds(servedAgainDuringS)} after the fault, while it lasted`;
  if (fault.undoneAtS === null) return `never: ${fault.instance} did not come back`;
  if (recoveredAfterS === null) return 'not before the trial ended';
  const when = fault.kind === 'kill' ? 'it was up again' : 'it was resumed';
  return recoveredAfterS === 0 ? `when ${when}` : `${formatSeconds(recoveredAfterS)} after ${when}`;
}

function failures(phase: RecoveryPhase): string {
  const counts = Object.entries(phase.failures).map(([outcome, count]) => `${outcome} × ${formatNumber(count)}`);
  return counts.length === 0 ? 'none' : counts.join(', ');
}

function afterwards({ after }: Recovery): { readonly detail?: string } {
  return after === null || Object.keys(after.failures).length === 0 ? {} : { detail: `afterwards ${failures(after)}` };
}

function rate({ throughputPerS }: RecoveryPhase): string {
  return throughputPerS === null ? '–' : formatRate(throughputPerS);
}

function chartOf({ record, recovery }: FaultAnalysis) {
  const { fault } = recovery;
  return faultChart(record, faultName(recovery), [
    { at: fault.atS, label: started[fault.kind] },
    ...(fault.undoneAtS === null ? [] : [{ at: fault.undoneAtS, label: ended[fault.kind] }]),
  ]);
}
