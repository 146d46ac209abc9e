import type { Arrivals } from './arrivals.ts';

/** What one of several processes drives of a trial: every `of`-th arrival and every `of`-th user, from `index` on. */
export interface Share {
  readonly index: number;
  readonly of: number;
}

/** A trial that one process drives alone. */
export const WHOLE: Share = { index: 0, of: 1 };

/** How many of `count` things are in the share. */
export function countIn({ index, of }: Share, count: number): number {
  return Math.max(0, Math.ceil((count - index) / of));
}

/** Each walks the whole schedule and leaves out what others take, so that together they send what one would. */
export function arrivalsIn({ index, of }: Share, arrivals: Arrivals): Arrivals {
  let others = index;
  return () => {
    for (; others > 0; others -= 1) arrivals();
    others = of - 1;
    return arrivals();
  };
}
