import type { FaultControl } from './provider.ts';

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

export interface FaultTarget {
  /** Resolves with a description when the present process ends, asked for or not; never rejects. Anew after `start`. */
  ended(): Promise<string>;
  /** False once it has ended, asked for or not; a paused one runs. */
  isUp(): Promise<boolean>;
  /** SIGKILL to it and everything it started. Resolves when it is gone. */
  kill(): Promise<void>;
  /** Resolves when it is healthy. */
  start(): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
}

/** Faults on purpose, which are no failures. */
export function faultControl(targets: ReadonlyMap<string, FaultTarget>, failures: InstanceFailures): FaultControl {
  const named = (name: string) => {
    const instance = targets.get(name);
    if (instance === undefined) throw new Error(`the deployment has no instance '${name}'`);
    return instance;
  };
  return {
    async kill(name) {
      const instance = named(name);
      // Else the next end, which may be a crash, would pass for this one.
      if (!(await instance.isUp())) return;
      failures.expectEnd(name);
      await instance.kill();
    },
    async start(name) {
      const instance = named(name);
      if (await instance.isUp()) return;
      await instance.start();
      failures.watch(name, instance.ended());
    },
    pause: (name) => named(name).pause(),
    resume: (name) => named(name).resume(),
  };
}
