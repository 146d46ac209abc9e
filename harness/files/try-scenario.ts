import { Worker } from 'node:worker_threads';
import { type ReportedError, reportedError } from '../core/errors.ts';
import { ownModule } from '../machine/own-package.ts';
import { importScenario } from './load-scenario.ts';

/**
 * A process that imports one scenario file and says what came of it: null, or the error. Whoever started it ends it, for the
 * end of a process may be noticed before its last words; the thread keeps it alive until then, and not without its parent.
 */
new Worker(ownModule('../machine/watch-parent', import.meta.url), {
  execArgv: [],
  workerData: Number(process.argv[3]),
});
process.send?.(await importScenario(process.argv[2] ?? '').then((): ReportedError | null => null, reportedError));
