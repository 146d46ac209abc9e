import { readdir, readlink } from 'node:fs/promises';
import { connect } from 'node:net';

export function isListening({ host, port }: { readonly host: string; readonly port: number }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    const end = (listens: boolean) => {
      socket.destroy();
      resolve(listens);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
    // What was refused would be so at once; here nobody is there to refuse.
    socket.setTimeout(2000, () => end(false));
  });
}

/** Ids of processes whose working directory is in `folder`. */
export async function processesIn(folder: string): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const workingDirectory = await readlink(`/proc/${name}/cwd`).catch(() => '');
    if (workingDirectory.startsWith(folder)) found.push(Number(name));
  }
  return found;
}

/** Files and processes in the folder of a run. */
export async function leftBehindIn(folder: string): Promise<readonly string[]> {
  const files = await readdir(folder);
  const processes = await processesIn(folder);
  return [...files.map((name) => `file ${name}`), ...processes.map((processId) => `process ${processId}`)];
}
