/**
 * Ctrl-C and SIGTERM end the work in order: the signal aborts, what was measured is kept, everything is taken down.
 * A second Ctrl-C ends the process at once; what is left then is found by the next start.
 */
export function untilInterrupted(): { readonly signal: AbortSignal; [Symbol.dispose](): void } {
  const controller = new AbortController();
  const interrupt = () => {
    if (controller.signal.aborted) process.exit(1);
    controller.abort();
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      process.off('SIGINT', interrupt);
      process.off('SIGTERM', interrupt);
    },
  };
}
