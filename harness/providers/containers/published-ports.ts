import { readdir, readFile } from 'node:fs/promises';

/** Whether the engine passes published ports on by a process for each, as far as this machine shows its processes. */
export async function publishesByProxy(): Promise<boolean> {
  const names = await readdir('/proc').catch(() => []);
  const processes = names.filter((name) => /^\d+$/.test(name));
  const commands = await Promise.all(processes.map((id) => readFile(`/proc/${id}/comm`, 'utf8').catch(() => '')));
  return commands.some((command) => command.trim() === 'docker-proxy');
}
