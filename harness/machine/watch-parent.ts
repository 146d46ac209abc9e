import { workerData } from 'node:worker_threads';

/**
 * A thread beside the code of a scenario: one that loops without end keeps its process from noticing that whoever started it
 * is gone, and it would load the system and the machine for ever. `workerData` is the id of that process: it may be gone
 * before this thread first looks.
 */
const LOOK_MS = 1000;

const startedBy: unknown = workerData;
setInterval(() => {
  if (process.ppid !== startedBy) process.kill(process.pid, 'SIGKILL');
}, LOOK_MS);
