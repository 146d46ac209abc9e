import { parentPort, workerData } from 'node:worker_threads';
import { type Problem, TierbenchError } from '../../core/errors.ts';
import type { Interval, Trial } from '../../core/trial.ts';
import type { TrialRequest } from '../engine.ts';
import { loadScenario } from '../load-scenario.ts';
import { type DriveSettings, driveTrial } from './drive-trial.ts';
import { monotonicMs } from './metronome-worker.ts';

/** What a thread that drives a share of a trial is given. */
export interface ThreadData {
  readonly request: Omit<TrialRequest, 'scenario' | 'scenarioFile'>;
  readonly scenarioFile: string;
  readonly settings: Omit<DriveSettings, 'opening' | 'baseUrl'> & { readonly baseUrl: string };
}

export type ToThread =
  /** All threads are ready: warming up begins then, by `monotonicMs`. */
  { readonly kind: 'open'; readonly atMs: number } | { readonly kind: 'stop' };

export type FromThread =
  | { readonly kind: 'ready' }
  | { readonly kind: 'interval'; readonly interval: Interval }
  | { readonly kind: 'ended'; readonly trial: Trial }
  | { readonly kind: 'failed'; readonly error: ToldError };

/** An error as it goes from one thread to another; with a code it is a `TierbenchError`. */
export interface ToldError {
  readonly message: string;
  readonly code?: string;
  readonly nextStep?: string;
  readonly problems?: readonly Problem[];
}

async function drive({ request, scenarioFile, settings }: ThreadData): Promise<void> {
  const tell = (message: FromThread): void => parentPort?.postMessage(message);
  const stop = new AbortController();
  const { promise: opening, resolve: open } = Promise.withResolvers<number>();
  parentPort?.on('message', (message: ToThread) => {
    if (message.kind === 'open') open(message.atMs);
    else stop.abort();
  });
  try {
    const trial = await driveTrial(
      { ...request, scenarioFile, scenario: await loadScenario(scenarioFile) },
      {
        ...settings,
        baseUrl: new URL(settings.baseUrl),
        async opening() {
          tell({ kind: 'ready' });
          const startMs = (await opening) - monotonicMs() + performance.now();
          for (let leftMs = startMs - performance.now(); leftMs > 0; leftMs = startMs - performance.now()) {
            const { promise, resolve } = Promise.withResolvers<void>();
            setTimeout(resolve, leftMs);
            await promise;
          }
          return startMs;
        },
      },
      stop.signal,
      (interval) => tell({ kind: 'interval', interval }),
    );
    tell({ kind: 'ended', trial });
  } catch (error) {
    tell({ kind: 'failed', error: told(error) });
  }
}

function told(error: unknown): ToldError {
  if (!(error instanceof TierbenchError)) return { message: error instanceof Error ? `${error.stack}` : String(error) };
  const { message, code, nextStep, problems } = error;
  return { message, code, nextStep, problems };
}

await drive(workerData as ThreadData);
