import type { LoadEngine } from '../harness/engines/engine.ts';
import type { K6Program } from '../harness/engines/k6/k6-program.ts';
import type { Probe } from '../harness/probes/probe.ts';
import type { Deployment } from '../harness/providers/provider.ts';
import type { EngineName } from './load-options.ts';

/** Which engines and probes there are; providers are in choose-provider.ts. Each is loaded when it is chosen. */

/** What an engine may need to know of its run. */
export interface EngineSurroundings {
  readonly workers: number;
  /** Where it may keep what a person can use to repeat a trial. */
  readonly folder: string;
  /** For what is gone with the run, however that ends. */
  readonly temporaryFolder: string;
  readonly k6Path: string | undefined;
  /** What every process of the run must have in its environment. */
  readonly environment: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly note: (text: string) => void;
  /** Ends what the engine keeps between trials. */
  readonly cleanUp: AsyncDisposableStack;
}

export async function chooseEngine(name: EngineName, surroundings: EngineSurroundings): Promise<LoadEngine> {
  switch (name) {
    case 'open-loop':
      return chooseOpenLoop(surroundings);
    case 'k6':
      return chooseK6(surroundings);
    case 'autocannon':
      return (await import('../harness/engines/autocannon/autocannon.ts')).autocannonEngine;
  }
}

async function chooseOpenLoop({ workers, environment, cleanUp }: EngineSurroundings): Promise<LoadEngine> {
  const [{ generatorProcesses }, { openLoopEngine }] = await Promise.all([
    import('../harness/engines/open-loop/generator-processes.ts'),
    import('../harness/engines/open-loop/open-loop.ts'),
  ]);
  return openLoopEngine({ processes: cleanUp.use(generatorProcesses({ count: workers, environment })) });
}

async function chooseK6(surroundings: EngineSurroundings): Promise<LoadEngine> {
  const { folder, temporaryFolder, k6Path, environment, signal, note } = surroundings;
  const [{ findK6 }, { k6Engine }] = await Promise.all([
    import('../harness/engines/k6/find-k6.ts'),
    import('../harness/engines/k6/k6.ts'),
  ]);
  const found = await findK6({ path: k6Path, signal, onProgress: note });
  note(`k6 ${found.version}: ${found.origin}`);
  // So that a k6 which outlives a killed command is found by the next one.
  const program: K6Program = {
    ...found,
    start: (words, { cwd, env }) => found.start(words, { cwd, env: { ...environment, ...env } }),
  };
  return k6Engine({ program, folder, temporaryFolder });
}

/** What is read once a second on a deployment: whatever it lets us see. */
export async function probesFor(deployment: Deployment): Promise<readonly Probe[]> {
  const [{ probesFor: choose }, { readContainerStats }] = await Promise.all([
    import('../harness/probes/choose.ts'),
    import('../harness/container-engine/engine.ts'),
  ]);
  return choose(deployment, readContainerStats);
}
