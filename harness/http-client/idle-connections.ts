/**
 * Who may send: at most `most` connections, made when they are first needed. The one used last is used next, so that a
 * load uses as few as it needs, and those are warm. Knows nothing of what a connection is.
 */
export interface IdleConnections<Connection> {
  /** Undefined: all are in use, and there may be no more. */
  take(): Connection | undefined;
  giveBack(connection: Connection): void;
  /** Every one that was made, in use or not. */
  all(): readonly Connection[];
}

export function createIdleConnections<Connection>(most: number, make: () => Connection): IdleConnections<Connection> {
  const idle: Connection[] = [];
  const all: Connection[] = [];
  return {
    take() {
      const last = idle.pop();
      if (last !== undefined || all.length >= most) return last;
      const fresh = make();
      all.push(fresh);
      return fresh;
    },
    giveBack: (connection) => void idle.push(connection),
    all: () => all,
  };
}
