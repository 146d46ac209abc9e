import type { Caveat, Reason } from '../core/findings.ts';
import type { Calibration } from '../core/study-record.ts';
import type { Trial } from '../core/trial.ts';
import type { LatencySummary } from './judged-trial.ts';
import { requestsIn } from './trial-window.ts';

const limits = {
  shareOfCeiling: 0.8,
  /** A trial that made so many times the ceiling shows that the machine was busy when the ceiling was measured. */
  beyondCeiling: 1.1,
  /** Below so many times the least latency the generator reads at all, much of what it reads is its own. */
  timesFloor: 2,
} as const;

/** Whether the limit of the generator, as it was calibrated, may have been measured instead of the system. */
export function nearGeneratorLimit(trial: Trial, calibration: Calibration | null): readonly Reason[] {
  // A ceiling that is not the generator's own says nothing of it.
  if (calibration === null || calibration.ceilingIsAtLeast) return [];
  const { ceilingPerS } = calibration;
  const ratePerS = requestsPerS(trial);
  if (ratePerS <= limits.shareOfCeiling * ceilingPerS || ratePerS > limits.beyondCeiling * ceilingPerS) return [];
  return [{ code: 'near-generator-limit', ratePerS, ceilingPerS, limitRatio: limits.shareOfCeiling }];
}

export function caveatsOf(trial: Trial, { p95S }: LatencySummary, calibration: Calibration | null): readonly Caveat[] {
  if (calibration === null) return [];
  const { ceilingPerS, ceilingIsAtLeast, floorP95S } = calibration;
  const caveats: Caveat[] = [];
  const ratePerS = requestsPerS(trial);
  if (!ceilingIsAtLeast && ratePerS > limits.beyondCeiling * ceilingPerS) {
    caveats.push({ code: 'above-ceiling', ratePerS, ceilingPerS });
  }
  if (p95S !== null && p95S.value < limits.timesFloor * floorP95S) {
    caveats.push({ code: 'near-floor', p95S: p95S.value, floorP95S });
  }
  return caveats;
}

function requestsPerS({ steps, measuredS }: Trial): number {
  return measuredS > 0 ? requestsIn(steps) / measuredS : 0;
}
