import { TierbenchError } from '../core/errors.ts';

/** A closed load needs a user for each virtual user. Throws INVALID_LOAD or TOO_FEW_USERS. */
export function checkConcurrency(concurrency: number, users: number): void {
  if (!Number.isInteger(concurrency) || concurrency < 1) {
    throw new TierbenchError(
      'INVALID_LOAD',
      `The concurrency must be a whole number above 0, but is ${concurrency}.`,
      'Ask for 1 or more virtual users.',
    );
  }
  if (users < concurrency) {
    throw new TierbenchError(
      'TOO_FEW_USERS',
      `Concurrency ${concurrency} needs as many users, but there are ${users}: no two virtual users share one.`,
      `Seed at least ${concurrency} users, or ask for a concurrency of at most ${users}.`,
    );
  }
}
