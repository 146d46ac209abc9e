import { hash, verify } from '@node-rs/bcrypt';
import type { Config } from '../config.ts';
import { ApiError } from '../errors.ts';
import type { Metrics } from './metrics.ts';

/** bcrypt reads no more than this many bytes of a password; a longer one is refused when it is chosen. */
export const passwordBytesMax = 72;

export interface Passwords {
  /** Throws ApiError 503 when too many hashes wait already. */
  hash(password: string): Promise<string>;
  /** Without a stored hash (an unknown e-mail) the answer is false, after the same work. */
  matches(password: string, storedHash: string | undefined): Promise<boolean>;
}

/**
 * A hash keeps a core busy for tens of milliseconds on a thread of Node's pool. The queue bounds how many do at once,
 * so that logins wait for each other instead of slowing every other request down.
 */
export function createPasswords(config: Config, metrics: Metrics): Passwords {
  const cost = config.BCRYPT_COST;
  const inTurn = createTurns(config, metrics);
  const standInHash = hash('no password of anyone', cost);
  return {
    hash: (password) => inTurn(() => hash(password, cost)),
    async matches(password, storedHash) {
      const comparedHash = storedHash ?? (await standInHash);
      const matched = await inTurn(() => verify(password, comparedHash));
      return matched && storedHash !== undefined && Buffer.byteLength(password) <= passwordBytesMax;
    },
  };
}

type InTurn = <T>(work: () => Promise<T>) => Promise<T>;

function createTurns(config: Config, metrics: Metrics): InTurn {
  const waiting: (() => void)[] = [];
  let inUse = 0;

  function finish(): void {
    const next = waiting.shift();
    if (next === undefined) inUse -= 1;
    else next();
    report();
  }

  function report(): void {
    metrics.hashesInUse.set(inUse);
    metrics.hashesWaiting.set(waiting.length);
  }

  return async (work) => {
    const arrivedAtMs = performance.now();
    if (inUse < config.PASSWORD_HASH_CONCURRENCY) {
      inUse += 1;
    } else {
      if (waiting.length >= config.PASSWORD_HASH_QUEUE_MAX) {
        metrics.hashesRefused.inc();
        throw new ApiError(503, 'BUSY', 'Too many logins are waiting. Try again in a moment.', 1);
      }
      const turn = new Promise<void>((resolve) => waiting.push(resolve));
      report();
      await turn;
    }
    report();
    metrics.hashWait.observe((performance.now() - arrivedAtMs) / 1000);
    try {
      return await work();
    } finally {
      finish();
    }
  };
}
