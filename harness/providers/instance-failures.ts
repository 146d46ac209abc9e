interface InstanceFailure {
  readonly instance: string;
  readonly what: string;
}

export interface InstanceFailures {
  /** `ended` resolves with a description when the instance ends, asked for or not. */
  watch(instance: string, ended: Promise<string>): void;
  listen(listener: (failure: InstanceFailure) => void): void;
  /** The next end of this instance is on purpose. */
  expectEnd(instance: string): void;
  /** What ends from now on was asked to. */
  stop(): void;
}

/** Instances that ended by themselves: each reported once to every listener, also to one that comes later. */
export function instanceFailures(): InstanceFailures {
  const seen: InstanceFailure[] = [];
  const listeners: ((failure: InstanceFailure) => void)[] = [];
  const expected = new Set<string>();
  let stopped = false;
  return {
    watch(instance, ended) {
      void ended.then((what) => {
        if (stopped || expected.delete(instance)) return;
        seen.push({ instance, what });
        for (const listener of listeners) listener({ instance, what });
      });
    },
    listen(listener) {
      listeners.push(listener);
      for (const failure of seen) listener(failure);
    },
    expectEnd(instance) {
      expected.add(instance);
    },
    stop() {
      stopped = true;
    },
  };
}
