export interface InstanceFailure {
  readonly instance: string;
  readonly what: string;
}

/** Instances that ended by themselves: each told once to every listener, also to one that comes later. */
export function instanceFailures(): {
  watch(instance: string, ended: Promise<string>): void;
  listen(listener: (failure: InstanceFailure) => void): void;
  /** What ends from now on was asked to. */
  stop(): void;
} {
  const seen: InstanceFailure[] = [];
  const listeners: ((failure: InstanceFailure) => void)[] = [];
  let stopped = false;
  return {
    watch(instance, ended) {
      void ended.then((what) => {
        if (stopped) return;
        seen.push({ instance, what });
        for (const listener of listeners) listener({ instance, what });
      });
    },
    listen(listener) {
      listeners.push(listener);
      for (const failure of seen) listener(failure);
    },
    stop() {
      stopped = true;
    },
  };
}
