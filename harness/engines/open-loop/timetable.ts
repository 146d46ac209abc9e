import type { Arrivals } from './arrivals.ts';

/** What is due when, by the clock of a thread. */
export interface Timetable {
  /** Of the next arrival, in milliseconds; infinite when there is none in the window any more. */
  nextMs: number;
  /** That one has been dealt with. */
  advance(): void;
}

export const nothingDue: Timetable = { nextMs: Number.POSITIVE_INFINITY, advance() {} };

export function createTimetable(arrivals: Arrivals, windowStartMs: number, durationS: number): Timetable {
  const next = (): number => {
    const atS = arrivals();
    return atS < durationS ? windowStartMs + atS * 1000 : Number.POSITIVE_INFINITY;
  };
  const timetable: Timetable = {
    nextMs: next(),
    advance() {
      timetable.nextMs = next();
    },
  };
  return timetable;
}
