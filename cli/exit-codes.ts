/** What a script learns from the exit code. */
export const exitCodes = {
  /** The targets are met, or the command has no verdict to give and did what it was asked. */
  met: 0,
  /** The command could not run, or was interrupted. */
  couldNotRun: 1,
  /** A target was missed. */
  missed: 2,
  /** The measurement does not decide. */
  inconclusive: 3,
} as const;
