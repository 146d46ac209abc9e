import type { TrialPlan } from '../../core/trial.ts';

/** Signing in may be the most expensive thing a system does: a hundred at once would time out before anything is measured. */
export const SETUPS_AT_ONCE = 10;
const LONGEST_SETUP_S = 15;
/** Closed load: all users are needed, so they are waited for longer. */
const LONGEST_SETUP_PER_USER_S = 0.1;

/** After so many seconds the users who are left begin as a part of their first iteration. */
export function longestSetupS({ load, timeoutS }: TrialPlan, users: number): number {
  return LONGEST_SETUP_S + (load.model === 'open' ? 0 : timeoutS + LONGEST_SETUP_PER_USER_S * users);
}

/**
 * Prepares the session of each user before anything is measured, a few at a time. `begin` starts one and says whether it
 * could; `onAll` is called once, when all have ended.
 */
export function createSessionSetup({ begin, onAll }: { begin(user: number): boolean; onAll(): void }): {
  start(users: readonly number[], processes: number): void;
  ended(): void;
} {
  let users: readonly number[] = [];
  let next = 0;
  let ended = 0;
  const beginNext = (): void => {
    const user = users[next];
    if (user === undefined) return;
    next += 1;
    if (!begin(user)) next -= 1;
  };
  return {
    /** `processes` do this at the same time. */
    start(all, processes) {
      users = all;
      if (users.length === 0) onAll();
      const atOnce = Math.max(1, Math.floor(SETUPS_AT_ONCE / processes));
      for (let started = 0; started < atOnce; started += 1) beginNext();
    },
    ended() {
      ended += 1;
      if (ended === users.length) onAll();
      else beginNext();
    },
  };
}
