import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** As root: the account that servers which refuse root run under (postgres, else nobody). Undefined otherwise. */
export async function accountForServers(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  for (const wanted of ['postgres', 'nobody']) {
    const entry = accounts.find(([name]) => name === wanted);
    if (entry !== undefined) return { name: wanted, uid: Number(entry[2]), gid: Number(entry[3]) };
  }
  return { name: '65534', uid: 65534, gid: 65534 };
}

/** Whether an account without special rights may read `path`, judged by the permissions for others along the way. */
export async function isReachableFor(account: Account, path: string): Promise<boolean> {
  for (let current = path; ; current = dirname(current)) {
    const { mode, uid } = await stat(current);
    const execute = uid === account.uid ? 0o100 : 0o001;
    if ((mode & execute) === 0) return false;
    if (current === dirname(current)) return true;
  }
}
