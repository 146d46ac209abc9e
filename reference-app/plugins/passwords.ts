import { hash, verify } from '@node-rs/bcrypt';
import type { Config } from '../config.ts';
import { ApiError } from './failures.ts';
import type { Metrics } from './metrics.ts';

/**
 * Why bcrypt would take other passwords for this one as well, or nothing. It reads 72 bytes, and it repeats a shorter
 * password with a NUL between until it has them, so that `abc` and `abc\0abc` are one; in UTF-8 all lone surrogates are.
 */
export function passwordProblem(password: string): string | undefined {
  if (Buffer.byteLength(password) > 72) return 'is longer than 72 bytes';
  if (password.includes('\0') || !password.isWellFormed()) return 'has a character that is not allowed';
  return undefined;
}

/** Throws ApiError 400 for a password that nobody may choose. */
export function refuseUnusablePassword(password: string): void {
  const problem = passwordProblem(password);
  if (problem !== undefined) throw new ApiError(400, 'INVALID_REQUEST', `The password ${problem}. Choose another one.`);
}

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
      return matched && storedHash !== undefined && passwordProblem(password) === undefined;
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
