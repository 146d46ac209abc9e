import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { type ReportedError, reportedError } from '../../core/errors.ts';
import type { Interval, Trial } from '../../core/trial.ts';
import { importScenario, uncaughtError } from '../../files/load-scenario.ts';
import { monotonicMs } from '../../machine/clock.ts';
import { ownModule } from '../../machine/own-package.ts';
import type { TrialRequest } from '../engine.ts';
import { type DriveSettings, driveTrial } from './drive-trial.ts';
import { keptSessions } from './kept-sessions.ts';
import { loadTransport } from './transport.ts';

/** What a process that drives a share of a trial is given. */
export interface ProcessTask extends Pick<DriveSettings, 'engine' | 'mostConnections' | 'share'> {
  /** The URL of a module as `loadTransport` takes it. */
  readonly transport: string;
  readonly request: Omit<TrialRequest, 'scenario' | 'scenarioFile'>;
  readonly scenarioFile: string;
}

export type ToProcess =
  | { readonly kind: 'drive'; readonly task: ProcessTask }
  /** All processes are ready: warming up begins then, by `monotonicMs`. */
  | { readonly kind: 'open'; readonly atMs: number }
  | { readonly kind: 'stop' };

export type FromProcess =
  /** Once a second: a scenario that never yields keeps it from saying so. */
  | { readonly kind: 'alive' }
  | { readonly kind: 'ready' }
  | { readonly kind: 'interval'; readonly interval: Interval }
  | { readonly kind: 'ended'; readonly trial: Trial }
  | { readonly kind: 'failed'; readonly error: ReportedError };

interface CurrentTrial {
  readonly stop: AbortController;
  readonly opening: PromiseWithResolvers<number>;
}

async function drive(
  { request, scenarioFile, engine, transport, mostConnections, share }: ProcessTask,
  { stop, opening }: CurrentTrial,
): Promise<void> {
  try {
    const trial = await driveTrial(
      { ...request, scenarioFile, scenario: await importScenario(scenarioFile) },
      {
        engine,
        transport: await loadTransport(transport, request.plan, { mostConnections, share }),
        mostConnections,
        share,
        sessions,
        async opening() {
          tell({ kind: 'ready' });
          const startMs = (await opening.promise) - monotonicMs() + performance.now();
          for (let leftMs = startMs - performance.now(); leftMs > 0; leftMs = startMs - performance.now()) {
            await delay(leftMs);
          }
          return startMs;
        },
      },
      stop.signal,
      (interval) => tell({ kind: 'interval', interval }),
    );
    tell({ kind: 'ended', trial });
  } catch (error) {
    tell({ kind: 'failed', error: reportedError(error) });
  }
}

function tell(message: FromProcess): void {
  process.send?.(message);
}

const ALIVE_EVERY_MS = 1000;

const exit = process.exit.bind(process);
// A scenario that calls it would leave nothing behind that says so.
process.exit = (code) => {
  throw new Error(`process.exit(${code ?? ''}) was called`);
};
process.on('uncaughtException', (thrown) => tell({ kind: 'failed', error: reportedError(uncaughtError(thrown)) }));

const sessions = keptSessions();
let current: CurrentTrial | undefined;
process.on('message', (message: ToProcess) => {
  if (message.kind === 'drive') {
    tell({ kind: 'alive' });
    current = { stop: new AbortController(), opening: Promise.withResolvers() };
    void drive(message.task, current);
  } else if (message.kind === 'open') current?.opening.resolve(message.atMs);
  else current?.stop.abort();
});
setInterval(() => tell({ kind: 'alive' }), ALIVE_EVERY_MS);
new Worker(ownModule('../../machine/watch-parent', import.meta.url), {
  execArgv: [],
  workerData: Number(process.argv[2]),
}).unref();
// Whoever wanted the trial is gone: no load may outlive its command.
process.on('disconnect', () => exit());
