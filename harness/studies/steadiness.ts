import type { Trial } from '../core/trial.ts';
import { throughputPerSIn } from '../judging/interval-throughput.ts';
import { describeUnsteadiness } from '../judging/steadiness.ts';
import { wholeSeconds } from '../judging/whole-seconds.ts';

/** Fewer seconds say too little about steadiness to stop warming up. */
const LEAST_SECONDS = 10;

/** Whether the warm-up windows, one after the other, have come to a steady throughput: as trials are judged. */
export function isSteadyThroughput(windows: readonly Trial[]): boolean {
  const perSecond = windows.flatMap(wholeSeconds).map(throughputPerSIn);
  return perSecond.length >= LEAST_SECONDS && describeUnsteadiness(perSecond) === null;
}
