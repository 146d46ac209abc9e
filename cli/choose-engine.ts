import type { LoadEngine } from '../harness/engines/engine.ts';
import type { K6Program } from '../harness/engines/k6/k6-program.ts';
import type { GeneratorProcesses } from '../harness/engines/shared/generator-processes.ts';
import type { Probe } from '../harness/probes/probe.ts';
import type { Deployment } from '../harness/providers/provider.ts';
import type { EngineName } from './load-options.ts';

/** What the load engines need to know of the run. */
export interface EngineOptions {
  readonly workers: number;
  /** For files with which a person can repeat a trial. */
  readonly folder: string;
  /** Removed at the end of the run. */
  readonly temporaryFolder: string;
  readonly k6Path: string | undefined;
  /** Environment variables of every process of the run. */
  readonly environment: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly note: (text: string) => void;
  /** Stops what the engine keeps running between trials. */
  readonly cleanUp: AsyncDisposableStack;
}

/** Loads the module of the engine only when it is chosen. */
export async function chooseEngine(name: EngineName, options: EngineOptions): Promise<LoadEngine> {
  switch (name) {
    case 'open-loop': {
      const { openLoopEngine } = await import('../harness/engines/open-loop/open-loop.ts');
      return openLoopEngine({ processes: await startsProcesses(options) });
    }
    case 'k6':
      return chooseK6(options);
    case 'autocannon': {
      const { autocannonEngine } = await import('../harness/engines/autocannon/autocannon.ts');
      return autocannonEngine({ processes: await startsProcesses(options) });
    }
  }
}

async function startsProcesses({ workers, environment, cleanUp }: EngineOptions): Promise<GeneratorProcesses> {
  const { generatorProcesses } = await import('../harness/engines/shared/generator-processes.ts');
  return cleanUp.use(generatorProcesses({ count: workers, environment }));
}

async function chooseK6(options: EngineOptions): Promise<LoadEngine> {
  const { folder, temporaryFolder, k6Path, environment, signal, note } = options;
  const [{ findK6 }, { k6Engine }] = await Promise.all([
    import('../harness/engines/k6/find-k6.ts'),
    import('../harness/engines/k6/k6.ts'),
  ]);
  const found = await findK6({ path: k6Path, signal, onProgress: note });
  note(`k6 ${found.version}: ${found.origin}`);
  // The environment marks the process, so that the next command finds a k6 that a killed command left running.
  const program: K6Program = {
    ...found,
    start: (words, { cwd, env }) => found.start(words, { cwd, env: { ...environment, ...env } }),
  };
  return k6Engine({ program, folder, temporaryFolder });
}

/** The probes that the deployment allows. */
export async function probesFor(deployment: Deployment): Promise<readonly Probe[]> {
  const [{ probesFor: choose }, { readContainerStats }] = await Promise.all([
    import('../harness/probes/choose.ts'),
    import('../harness/container-engine/engine.ts'),
  ]);
  return choose(deployment, readContainerStats);
}
