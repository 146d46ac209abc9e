import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** As /proc/net/tcp has it; see proc(5). */
const LISTENING = '0A';

/**
 * Whether one of these processes takes connections on a port, as far as this system tells: true where it does not, so that
 * an answer at the port must do.
 */
export function listensOn(processIds: readonly number[], port: number): boolean {
  const sockets = socketsOn(port);
  if (sockets === undefined) return true;
  let seen = false;
  for (const processId of processIds) {
    for (const link of openFiles(processId)) {
      seen = true;
      if (sockets.has(link)) return true;
    }
  }
  return !seen;
}

/** `socket:[4711]` of all that listen on it; undefined where that cannot be read. */
function socketsOn(port: number): ReadonlySet<string> | undefined {
  const hexadecimal = port.toString(16).toUpperCase().padStart(4, '0');
  const found = new Set<string>();
  try {
    for (const table of ['tcp', 'tcp6']) {
      for (const row of readFileSync(`/proc/net/${table}`, 'utf8').split('\n').slice(1)) {
        const [, local = '', , state, , , , , , inode = ''] = row.trim().split(/\s+/);
        if (state === LISTENING && local.endsWith(`:${hexadecimal}`)) found.add(`socket:[${inode}]`);
      }
    }
  } catch {
    return undefined;
  }
  return found;
}

function openFiles(processId: number): readonly string[] {
  try {
    const folder = `/proc/${processId}/fd`;
    return readdirSync(folder).flatMap((name) => {
      try {
        return [readlinkSync(`${folder}/${name}`)];
      } catch {
        // Closed meanwhile.
        return [];
      }
    });
  } catch {
    return [];
  }
}
