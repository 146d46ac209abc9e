import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import type { WorkerServer } from './postgres.ts';
import { isRunning, signalAll, until } from './processes.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder where each worker notes the PostgreSQL its files share. */
    readonly workerServers: string;
  }
}

/** Set-up of vitest for the whole run: what workers started is stopped when all files are through. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'reference-app-test-workers-'));
  await chmod(folder, 0o755);
  project.provide('workerServers', folder);
  return async () => {
    for (const name of (await readdir(folder)).filter((each) => each.endsWith('.json'))) {
      const server: WorkerServer = JSON.parse(await readFile(join(folder, name), 'utf8'));
      // An immediate shutdown: nothing of it is kept.
      signalAll([server.processId], 'SIGQUIT');
      await until(() => !isRunning(server.processId));
      await rm(server.folder, { recursive: true, force: true });
    }
    await rm(folder, { recursive: true });
  };
}
