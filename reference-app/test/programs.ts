import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The first of the programs that this machine has, as a path. Servers may be outside the PATH of a user. */
export function findProgram(...names: readonly string[]): string | undefined {
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']) {
    for (const name of names) {
      try {
        accessSync(join(folder, name), constants.X_OK);
        return join(folder, name);
      } catch {
        // Not in this folder.
      }
    }
  }
  return undefined;
}

export const chromiumProgram = () => findProgram('chromium', 'chromium-browser', 'google-chrome');

const requirements = {
  redis: () => findProgram('redis-server') !== undefined,
  pgbouncer: () => findProgram('pgbouncer') !== undefined,
  nginx: () => findProgram('nginx') !== undefined,
  chromium: () => chromiumProgram() !== undefined,
  schemathesis: () => findProgram('schemathesis') !== undefined,
  docker: () => spawnSync('docker', ['info'], { stdio: 'ignore', timeout: 10_000 }).status === 0,
};

/**
 * True when tests that need it must be skipped. With TIERBENCH_TEST_REQUIRE_ALL=1 nothing may be skipped: this is false
 * then, and the tests fail without it. `describe.skipIf(lacks('redis'))('... (needs redis)', ...)`.
 */
export function lacks(requirement: keyof typeof requirements): boolean {
  return process.env.TIERBENCH_TEST_REQUIRE_ALL !== '1' && !requirements[requirement]();
}
