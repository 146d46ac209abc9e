import { type ChildOptions, startChild } from './child-process.ts';

/** By force only when it hangs. */
const STOP_GRACE_S = 30;

/**
 * Runs a program to its end. Aborting asks it to end, not what it started: a server that initdb runs gives its shared
 * memory back only when it is left to end in its own time. Rejects once it is gone.
 * Resolves with what went wrong; undefined when nothing did.
 */
export async function runCommand(options: ChildOptions, signal: AbortSignal): Promise<string | undefined> {
  signal.throwIfAborted();
  const child = startChild(options);
  const stop = () => void child.stop('SIGTERM', STOP_GRACE_S, 'alone');
  signal.addEventListener('abort', stop, { once: true });
  const { exitCode, what } = await child.ended;
  signal.removeEventListener('abort', stop);
  signal.throwIfAborted();
  return exitCode === 0 ? undefined : what;
}
