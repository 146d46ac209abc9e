import { describe, expect, it } from 'vitest';
import { madeUpTrial } from '../../test-support/made-up-trial.ts';
import type { FaultRecord, RequestOutcome, TrialRecord } from '../core/trial.ts';
import { describeRecovery } from './recovery.ts';

/** Requests of one second: how many succeeded, and how many failed as what. */
type Second = readonly [ok: number, failed?: number, as?: RequestOutcome];

function faultTrial(seconds: readonly Second[], fault: Partial<FaultRecord> = {}): TrialRecord {
  const measured = madeUpTrial({
    purpose: 'fault',
    measuredS: seconds.length,
    okPerS: (second) => seconds[second]?.[0] ?? 0,
  });
  const intervals = measured.trial.intervals.map((interval, index) => {
    const [, failed = 0, as = 'timeout'] = seconds[index] ?? [0];
    return {
      ...interval,
      steps: interval.steps.map((step) => ({ ...step, outcomes: { ...step.outcomes, [as]: failed } })),
    };
  });
  return {
    ...measured,
    fault: { kind: 'kill', instance: 'cache/1', atS: 4.5, undoneAtS: 8.25, ...fault },
    trial: { ...measured.trial, intervals },
  };
}

const good: Second = [100];
const times = (count: number, second: Second): Second[] => Array.from({ length: count }, () => second);

describe('describeRecovery', () => {
  it('counts errors by kind and throughput before, during and after', () => {
    const recovery = describeRecovery(
      faultTrial([
        ...times(4, good),
        [40, 3, 'reset'],
        [0, 20, 'timeout'],
        [10, 1, 'reset'],
        [50],
        [70],
        ...times(5, good),
      ]),
    );
    expect(recovery).toMatchObject({
      before: { fromS: 0, toS: 4.5, throughputPerS: 100, succeeded: 400, failures: {} },
      during: { fromS: 4.5, toS: 8.25, throughputPerS: 170 / 5, failures: { timeout: 20, reset: 4 } },
      after: { fromS: 8.25, toS: 14, throughputPerS: 100, failures: {} },
      firstFailureWithinS: 0.5,
    });
  });

  it('takes the time from the moment it was undone until three good seconds on end', () => {
    const recovery = describeRecovery(
      faultTrial([...times(4, good), ...times(4, [0, 5]), [50], good, good, [89], [90], good, good, good]),
    );
    // The seconds 9 and 10 are good, the next is not; from 12 on all are.
    expect(recovery.recoveredAfterS).toBe(12 - 8.25);
    expect(recovery.servedAgainDuringS).toBeNull();
  });

  it('does not take a second with a failure for a good one, however many succeed', () => {
    const seconds = [...times(4, good), ...times(5, [0, 5] as const), [100, 1], good, good, good] as Second[];
    expect(describeRecovery(faultTrial(seconds)).recoveredAfterS).toBe(10 - 8.25);
  });

  it('says nothing of a recovery that is not there, or not for three seconds', () => {
    expect(describeRecovery(faultTrial([...times(4, good), ...times(8, [20])])).recoveredAfterS).toBeNull();
    expect(describeRecovery(faultTrial([...times(4, good), ...times(8, [20]), good, good])).recoveredAfterS).toBeNull();
  });

  it('recognises a system that keeps working without the service: at once, or after a while', () => {
    const unmoved = describeRecovery(faultTrial(times(14, good)));
    expect(unmoved).toMatchObject({ firstFailureWithinS: null, servedAgainDuringS: 0, recoveredAfterS: 0 });
    const slowly = faultTrial([...times(4, good), [10, 2], [80, 2], ...times(8, good)], { undoneAtS: 10 });
    expect(describeRecovery(slowly)).toMatchObject({ servedAgainDuringS: 6 - 4.5, recoveredAfterS: 0 });
  });

  it('does not take good seconds for going on when requests fail later, while the fault lasts', () => {
    const late = [...times(8, good), [10, 4], [10, 4], ...times(4, good)] as Second[];
    expect(describeRecovery(faultTrial(late, { undoneAtS: 10 }))).toMatchObject({
      firstFailureWithinS: 9 - 4.5,
      servedAgainDuringS: null,
      recoveredAfterS: 0,
    });
  });

  it('counts all that follows as during the fault when it was not undone', () => {
    const recovery = describeRecovery(faultTrial([...times(4, good), ...times(6, [0, 4])], { undoneAtS: null }));
    expect(recovery.during).toMatchObject({ fromS: 4.5, toS: 10, failures: { timeout: 24 } });
    expect(recovery.after).toBeNull();
    expect(recovery.recoveredAfterS).toBeNull();
  });

  it('compares with nothing when nothing was served before', () => {
    const seconds = [...times(4, [0, 1] as const), ...times(10, good)] as Second[];
    expect(describeRecovery(faultTrial(seconds))).toMatchObject({ servedAgainDuringS: null, recoveredAfterS: null });
    expect(describeRecovery(faultTrial(times(9, good), { atS: 0.5, undoneAtS: 3 })).before.throughputPerS).toBeNull();
  });

  it('leaves out what came while warming up', () => {
    const measured = faultTrial(times(14, good));
    const [first, ...others] = measured.trial.intervals;
    if (first === undefined) throw new Error('no interval');
    const warmedUp = { ...measured, trial: { ...measured.trial, intervals: [{ ...first, startS: -1 }, ...others] } };
    expect(describeRecovery(warmedUp).before.succeeded).toBe(300);
  });

  it('refuses a trial without a fault', () => {
    expect(() => describeRecovery(madeUpTrial())).toThrow('without a fault');
  });
});
