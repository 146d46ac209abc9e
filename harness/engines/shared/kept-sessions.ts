import type { Begun } from './scenario-runner.ts';

/** An older session may have expired by itself. */
const LONGEST_KEPT_S = 120;

export interface Session extends Begun {
  /** When the user had signed in, by `performance.now()`. */
  readonly sinceMs: number;
}

/** Sessions by the numbers of the virtual users. */
export type Sessions = ReadonlyMap<number, Session>;

/**
 * Sessions that the next trial with the same key goes on with. Signing in may be the most expensive thing a system does, and
 * trials of a search come one after the other with the same users. Keeps those of one key.
 */
export interface KeptSessions {
  of(key: string | undefined): Sessions;
  /** Of a trial with so many virtual users; those of others stay. Without a key nothing changes. */
  keep(key: string | undefined, sessions: Sessions, virtualUsers: number): void;
}

export function keptSessions(): KeptSessions {
  let kept: { readonly key: string; readonly sessions: Sessions } | undefined;
  return {
    of(key) {
      const sessions = kept?.key === key ? (kept?.sessions ?? []) : [];
      const oldestMs = performance.now() - LONGEST_KEPT_S * 1000;
      return new Map([...sessions].filter(([, { sinceMs }]) => sinceMs >= oldestMs));
    },
    keep(key, sessions, virtualUsers) {
      if (key === undefined) return;
      const before = kept?.key === key ? (kept?.sessions ?? []) : [];
      const others = [...before].filter(([virtualUser]) => virtualUser >= virtualUsers);
      kept = { key, sessions: new Map([...others, ...sessions]) };
    },
  };
}
