import type { Calibration } from '../core/study-record.ts';
import type { Trial } from '../core/trial.ts';
import { formatRate, formatRatio, formatSeconds } from '../core/units.ts';
import { requestsIn } from './requests-in.ts';
import type { LatencySummary } from './summary.ts';

const limits = {
  shareOfCeiling: 0.8,
  /** A trial that made so many times the ceiling shows that the machine was busy when the ceiling was measured. */
  beyondCeiling: 1.1,
  /** Below so many times the least latency the generator reads at all, much of what it reads is its own. */
  timesFloor: 2,
} as const;

/** Why what the generator itself can do, as it was measured before the run, speaks against a trial. */
export function nearGeneratorLimit(trial: Trial, calibration: Calibration | null): string[] {
  // A ceiling that is not the generator's own says nothing of it.
  if (calibration === null || calibration.ceilingIsAtLeast) return [];
  const { ceilingPerS } = calibration;
  const ratePerS = requestsPerS(trial);
  if (ratePerS <= limits.shareOfCeiling * ceilingPerS || ratePerS > limits.beyondCeiling * ceilingPerS) return [];
  return [
    `the generator made ${formatRate(ratePerS)}, more than ${formatRatio(limits.shareOfCeiling)} of the ${formatRate(ceilingPerS)} it makes at most here: its own limit may have been measured; offer less, or use a faster engine or a machine with more CPUs`,
  ];
}

/** What a reader of the trial should mind, though it makes no figure untrue. */
export function caveatsOf(trial: Trial, { p95S }: LatencySummary, calibration: Calibration | null): readonly string[] {
  if (calibration === null) return [];
  const { ceilingPerS, ceilingIsAtLeast, floorP95S } = calibration;
  const caveats: string[] = [];
  const ratePerS = requestsPerS(trial);
  if (!ceilingIsAtLeast && ratePerS > limits.beyondCeiling * ceilingPerS) {
    caveats.push(
      `the generator made ${formatRate(ratePerS)}, more than the ${formatRate(ceilingPerS)} found to be its limit: the machine was busy when that was measured`,
    );
  }
  if (p95S !== null && p95S.value < limits.timesFloor * floorP95S) {
    caveats.push(
      `its p95 of ${formatSeconds(p95S.value)} is less than twice the ${formatSeconds(floorP95S)} that the generator reads of an echo: much of it may be the generator's own`,
    );
  }
  return caveats;
}

function requestsPerS({ steps, measuredS }: Trial): number {
  return measuredS > 0 ? requestsIn(steps) / measuredS : 0;
}
