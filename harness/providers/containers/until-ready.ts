import { setTimeout as delay } from 'node:timers/promises';
import type { StartedContainer } from '../../container-engine/started-container.ts';
import type { ErrorCode } from '../../core/error-codes.ts';
import { TierbenchError } from '../../core/errors.ts';
import { redact } from '../../core/redact.ts';

const START_LIMIT_S = 60;
const POLL_S = 0.05;

export interface Readiness<T> {
  /** For messages: `database/1`. */
  readonly name: string;
  readonly container: StartedContainer;
  /** Asks once; rejects when it is not ready yet. */
  readonly ask: (signal: AbortSignal) => Promise<T>;
  readonly secrets: readonly string[];
  /** The codes of the error when it ends, and when it does not become ready in time. */
  readonly endedCode: ErrorCode;
  readonly notReadyCode: ErrorCode;
  readonly signal: AbortSignal;
}

/**
 * Asks again and again until it is ready, and gives the answer.
 * @throws TierbenchError with the last lines of the container.
 */
export async function untilReady<T>(readiness: Readiness<T>): Promise<T> {
  const { name, container, ask, secrets, signal } = readiness;
  const over = new AbortController();
  const limit = AbortSignal.timeout(START_LIMIT_S * 1000);
  const given = AbortSignal.any([signal, limit, over.signal]);
  let ended: string | undefined;
  void container.ended().then(({ what }) => {
    ended = what;
    over.abort();
  });
  let lastAnswer = 'none';
  for (;;) {
    try {
      given.throwIfAborted();
      return await ask(given);
    } catch (error) {
      signal.throwIfAborted();
      if (ended !== undefined) {
        throw new TierbenchError(
          readiness.endedCode,
          `${name} ${ended}`,
          'Mend what its last lines above name; its options are the settings of the service in the tier file.',
          { cause: error },
        );
      }
      if (limit.aborted) {
        const lines = await container.lastLines();
        throw new TierbenchError(
          readiness.notReadyCode,
          `${name} was not ready within ${START_LIMIT_S} s; its last answer: ${redact(lastAnswer, secrets)}\n${lines}`.trim(),
          'Its last lines above say what it waits for; `docker logs` shows more while it runs.',
          { cause: error },
        );
      }
      lastAnswer = (error as Error).message;
      await delay(POLL_S * 1000);
    }
  }
}
