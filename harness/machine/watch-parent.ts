/**
 * A thread beside the code of a scenario: one that loops without end keeps its process from noticing that whoever started it
 * is gone, and it would load the system and the machine for ever.
 */
const LOOK_MS = 1000;

const startedBy = process.ppid;
setInterval(() => {
  if (process.ppid !== startedBy) process.kill(process.pid, 'SIGKILL');
}, LOOK_MS);
