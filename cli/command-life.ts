import { TierbenchError } from '../harness/core/errors.ts';
import { uncaughtError } from '../harness/files/load-scenario.ts';
import { thisSystem } from '../harness/operating-system/this-system.ts';
import { findOrphans } from '../harness/orphans/find.ts';
import { type RegisteredRun, registerRun } from '../harness/orphans/register.ts';
import { removeOrphans } from '../harness/orphans/remove.ts';
import { exitCodes, type Output, printError } from './output/streams.ts';

/** Clears away what killed commands left, then writes down that this one starts. */
export async function beginRun(note: (text: string) => void): Promise<RegisteredRun> {
  const { removed, kept } = await removeOrphans(await findOrphans());
  for (const what of removed) note(`removed what a killed command left: ${what}`);
  for (const { what, why } of kept) note(`could not remove what a killed command left: ${what}: ${why}`);
  return registerRun();
}

const exitAtOnce = process.exit.bind(process);

/**
 * Until the returned function is called, the exit code is that of an error, and whatever ends the process says so: a promise
 * of the command that never settles leaves nothing to wait for, and a scenario or a package may call `process.exit(0)`,
 * which is an error where it is called.
 */
export function failUntilConcluded(output: Output): (exitCode: number) => void {
  const ended = (what: string) =>
    new TierbenchError(
      'COMMAND_ENDED',
      what,
      'If a scenario of your own does this, let it only define requests; else report it as a defect of tierbench.',
    );
  const onIdle = () => printError(ended('the command waits for something that can no longer happen'), output);
  const onExit = () => {
    process.exitCode ||= exitCodes.couldNotRun;
  };
  process.exitCode = exitCodes.couldNotRun;
  process.exit = (exitCode) => {
    throw ended(`process.exit(${exitCode ?? ''}) was called before the command was done`);
  };
  process.once('beforeExit', onIdle).once('exit', onExit);
  return (exitCode) => {
    process.off('beforeExit', onIdle).off('exit', onExit);
    process.exit = exitAtOnce;
    process.exitCode = exitCode;
  };
}

/** Two signals within this time are one: npm passes on the Ctrl-C that the terminal has sent to all already. */
const SAME_MS = 500;

interface Interrupt extends Disposable {
  readonly signal: AbortSignal;
  readonly failure: Error | undefined;
}

/**
 * Ctrl-C, SIGTERM and SIGHUP (the terminal was closed) end the work in order: the signal aborts, what was measured is kept,
 * everything is stopped. A second Ctrl-C or SIGTERM ends the process at once; what is left then is found by the next start.
 * What nobody catches ends it in the same order, such as an error in a timer of a scenario: then it is `failure`.
 */
export function untilInterrupted(): Interrupt {
  const controller = new AbortController();
  let failure: Error | undefined;
  const onUncaught = (thrown: unknown) => {
    failure ??= uncaughtError(thrown);
    controller.abort();
  };
  let firstAtMs = Number.POSITIVE_INFINITY;
  const interrupt = (signal: NodeJS.Signals) => {
    if (!controller.signal.aborted) {
      firstAtMs = performance.now();
      controller.abort();
      return;
    }
    // Who ends a session sends SIGHUP besides SIGTERM, and the shell repeats the SIGHUP of the terminal.
    if (signal !== 'SIGHUP' && performance.now() - firstAtMs > SAME_MS) exitAtOnce(exitCodes.couldNotRun);
  };
  const signals = (['SIGINT', 'SIGTERM', 'SIGHUP'] as const).filter(
    (signal) => signal !== 'SIGHUP' || !thisSystem.sighupWasIgnored(),
  );
  for (const signal of signals) process.on(signal, interrupt);
  process.on('uncaughtException', onUncaught);
  return {
    signal: controller.signal,
    get failure() {
      return failure;
    },
    [Symbol.dispose]() {
      process.off('uncaughtException', onUncaught);
      for (const signal of signals) process.off(signal, interrupt);
    },
  };
}

/** Started with SIGHUP ignored, as by `nohup`, the process goes on ignoring it, which Node does not do by itself. */
export function keepIgnoringSighup(): void {
  if (thisSystem.sighupWasIgnored()) process.on('SIGHUP', () => undefined);
}
