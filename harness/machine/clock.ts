/**
 * Seconds since the machine was started (CLOCK_MONOTONIC): the one time axis of a trial. It is the same in all processes
 * and threads of this machine, and does not step when somebody sets the clock, unlike `Date`; `performance.now()` counts
 * from another origin in each of them. Dates are for display only.
 */
export function monotonicS(): number {
  return monotonicMs() / 1000;
}

/** The same in milliseconds. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
