import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { chmod, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import type { WorkerServer } from './postgres.ts';
import { isRunning, signalAll } from './processes.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder where each worker notes the PostgreSQL its files share. */
    readonly workerServers: string;
  }
}

const LOOK_MS = 20;
const MOST_LOOKS = 500;

/** Set-up of vitest for the whole run: what workers started is stopped when all files are through, or at Ctrl-C. */
export default async function setUp(project: TestProject): Promise<() => void> {
  const folder = await mkdtemp(join(tmpdir(), 'reference-app-test-workers-'));
  await chmod(folder, 0o755);
  project.provide('workerServers', folder);
  function stopServers(): void {
    process.removeListener('exit', stopServers);
    const servers = readdirSync(folder)
      .filter((name) => name.endsWith('.json'))
      .map((name): WorkerServer => JSON.parse(readFileSync(join(folder, name), 'utf8')));
    const processIds = servers.map(({ processId }) => processId);
    // An immediate shutdown: nothing of them is kept.
    signalAll(processIds, 'SIGQUIT');
    const cell = new Int32Array(new SharedArrayBuffer(4));
    for (let looked = 0; looked < MOST_LOOKS && processIds.some(isRunning); looked += 1)
      Atomics.wait(cell, 0, 0, LOOK_MS);
    for (const path of [...servers.map((server) => server.folder), folder]) rmSync(path, { recursive: true });
  }
  // vitest ends at Ctrl-C without tearing down, and at the end of a process nothing can be awaited.
  process.on('exit', stopServers);
  return stopServers;
}
