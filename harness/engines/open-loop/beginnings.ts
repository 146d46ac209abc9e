/** Signing in may be the dearest thing a system does: a hundred at once would time out before anything is measured. */
const AT_ONCE = 10;

/**
 * Lets users begin before anything is measured, a few at a time. `begin` starts one and tells whether it could;
 * `onAll` is called once, when all have ended.
 */
export function createBeginnings(
  users: number,
  { begin, onAll }: { begin(user: number): boolean; onAll(): void },
): { start(threads: number): void; ended(): void } {
  let next = 0;
  let ended = 0;
  const beginNext = (): void => {
    if (next >= users) return;
    next += 1;
    if (!begin(next - 1)) next -= 1;
  };
  return {
    /** `threads` do this at the same time. */
    start(threads) {
      for (let started = 0; started < Math.max(1, Math.floor(AT_ONCE / threads)); started += 1) beginNext();
    },
    ended() {
      ended += 1;
      if (ended === users) onAll();
      else beginNext();
    },
  };
}
