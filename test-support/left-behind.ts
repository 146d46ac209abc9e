import { readdir, readFile, readlink } from 'node:fs/promises';
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

/** Where processes take TCP connections: `127.0.0.1:5432`; `[::]` stands for any address of IPv6. */
export async function listeningAddresses(processIds: readonly number[]): Promise<readonly string[]> {
  const sockets = new Set<string>();
  for (const processId of processIds) {
    for (const name of await readdir(`/proc/${processId}/fd`).catch(() => [])) {
      const inode = /^socket:\[(\d+)\]$/.exec(await readlink(`/proc/${processId}/fd/${name}`).catch(() => ''))?.[1];
      if (inode !== undefined) sockets.add(inode);
    }
  }
  const listening = '0A';
  const found: string[] = [];
  for (const table of ['tcp', 'tcp6']) {
    const rows = (await readFile(`/proc/net/${table}`, 'utf8').catch(() => '')).split('\n').slice(1);
    for (const row of rows) {
      const [, local = '', , state, , , , , , inode = ''] = row.trim().split(/\s+/);
      if (state !== listening || !sockets.has(inode)) continue;
      const [address = '', port = ''] = local.split(':');
      // Four bytes, the last one first.
      const bytes = (address.match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16)).reverse();
      found.push(`${table === 'tcp' ? bytes.join('.') : '[::]'}:${Number.parseInt(port, 16)}`);
    }
  }
  return found;
}

/** Files and processes in the folder of a run. */
export async function leftBehindIn(folder: string): Promise<readonly string[]> {
  const files = await readdir(folder);
  const processes = await processesIn(folder);
  return [...files.map((name) => `file ${name}`), ...processes.map((processId) => `process ${processId}`)];
}
