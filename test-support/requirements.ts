import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { delimiter, join } from 'node:path';
import { findProgram } from '../harness/operating-system/find-program.ts';
import { controlGroupName } from '../harness/orphans/control-groups.ts';
import { newRunId } from '../harness/orphans/run-record.ts';
import { makeInstanceGroup } from '../harness/providers/local/control-groups.ts';

/** What some tests need beyond npm packages, and how a person gets it. */
export const requirements = {
  redis: { isThere: () => programFor('redis-server') !== undefined, how: 'apt-get install redis-server' },
  pgbouncer: { isThere: () => findProgram(['pgbouncer']) !== undefined, how: 'apt-get install pgbouncer' },
  nginx: { isThere: () => findProgram(['nginx']) !== undefined, how: 'apt-get install nginx-light' },
  chromium: { isThere: () => chromiumProgram() !== undefined, how: 'apt-get install chromium' },
  schemathesis: { isThere: () => programFor('schemathesis') !== undefined, how: 'pipx install schemathesis' },
  docker: {
    // The program alone is only a client: the engine has to answer, and to answer this account.
    isThere: () =>
      [['info'], ['compose', 'version']].every(
        (words) => spawnSync('docker', words, { stdio: 'ignore', timeout: 10_000 }).status === 0,
      ),
    how: 'start a container engine with compose that this account may use: https://docs.docker.com/engine/install/',
  },
  k6: {
    isThere: () => programFor('k6') !== undefined,
    how: 'https://grafana.com/docs/k6/latest/set-up/install-k6/',
  },
  'k6-1': {
    isThere: () => programFor('k6-1') !== undefined,
    how: 'put k6 1.x on the PATH as k6-1, beside the newer one',
  },
  jq: { isThere: () => programFor('jq') !== undefined, how: 'apt-get install jq' },
  lsof: { isThere: () => programFor('lsof') !== undefined, how: 'apt-get install lsof' },
  taskset: { isThere: () => findProgram(['taskset']) !== undefined, how: 'apt-get install util-linux' },
  'control groups': {
    isThere: () => {
      const group = makeInstanceGroup(controlGroupName(newRunId(new Date()), 'test'), { cpus: 1, memoryBytes: 1e9 });
      void group[Symbol.asyncDispose]();
      return group.reason() === undefined;
    },
    how: 'run the tests as root, or in a part of the control groups that this account may divide',
  },
  IPv6: {
    isThere: () =>
      Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === '::1')),
    how: 'give the loopback interface ::1: sysctl net.ipv6.conf.lo.disable_ipv6=0',
  },
  root: { isThere: () => process.getuid?.() === 0, how: 'run the tests as root' },
} as const;

export type Requirement = keyof typeof requirements;

/** The first of the programs on the PATH. */
export function programFor(...programs: readonly string[]): string | undefined {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    for (const program of programs) {
      try {
        accessSync(join(folder, program), constants.X_OK);
        return join(folder, program);
      } catch {
        // Not in this folder.
      }
    }
  }
  return undefined;
}

export function chromiumProgram(): string | undefined {
  return programFor('chromium', 'chromium-browser', 'google-chrome');
}

/**
 * True when tests that need it must be skipped. With TIERBENCH_TEST_REQUIRE_ALL=1 nothing may skip: then this is
 * false, and the tests fail for want of it. `describe.skipIf(lacks('redis'))('... (needs redis)', ...)`.
 */
export function lacks(requirement: Requirement): boolean {
  if (process.env.TIERBENCH_TEST_REQUIRE_ALL === '1') return false;
  return !requirements[requirement].isThere();
}
