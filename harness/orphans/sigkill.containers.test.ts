import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { askTestEngine, inEngine } from '../../test-support/container-context.ts';
import { lacks } from '../../test-support/requirements.ts';
import { engineAddress } from '../container-engine/engine.ts';
import { seededRandom } from '../statistics/block-bootstrap.ts';
import { findOrphans } from './find.ts';
import type { Places } from './places.ts';
import { removeOrphans } from './remove.ts';

const program = fileURLToPath(new URL('fixtures/deploy-in-containers.mjs', import.meta.url));
/** TIERBENCH_TEST_KILLS=100 for the whole story, which takes most of an hour. */
const KILLS = Number(process.env.TIERBENCH_TEST_KILLS ?? 4);
/** Within which a tier has come up, gone down and begun to come up again on a machine that has time. */
const SPREAD_MS = 14_000;
const REAPER_LIMIT_MS = 20_000;
/** As /proc/net/tcp writes it. */
const ESTABLISHED = '01';

/** A reaper serves all who find it there, and removes nothing before the last of them is gone. */
async function reaperIsShared(): Promise<boolean> {
  const filters = encodeURIComponent(JSON.stringify({ label: ['org.testcontainers.ryuk=true'] }));
  const reapers = (await askTestEngine('GET', `/containers/json?filters=${filters}`)) as {
    Ports: { PublicPort?: number }[];
  }[];
  const ports = reapers.flatMap(({ Ports }) => Ports.map(({ PublicPort }) => PublicPort));
  const rows = (await readFile('/proc/net/tcp', 'utf8')).trim().split('\n').slice(1);
  return rows.some((row) => {
    const [, , remote = '', state] = row.trim().split(/\s+/);
    return state === ESTABLISHED && ports.includes(Number.parseInt(remote.split(':')[1] ?? '', 16));
  });
}

async function killedAfter(root: string, delayMs: number): Promise<readonly string[]> {
  const child = spawn(process.execPath, [program, 'pooled'], {
    env: { ...process.env, TMPDIR: root, XDG_STATE_HOME: join(root, 'state') },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const runs: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    const { run } = JSON.parse(line);
    if (run !== undefined) runs.push(run);
  });
  const exited = once(child, 'exit');
  await new Promise((resolve) => setTimeout(resolve, delayMs));
  expect(child.exitCode, 'it ended before it was killed').toBe(null);
  child.kill('SIGKILL');
  await exited;
  return runs;
}

describe.skipIf(lacks('docker'))('a command killed while it works with containers (needs docker)', () => {
  it('leaves nothing in the engine: the reaper removes it by itself, the next command at once', {
    timeout: 60_000 + KILLS * 60_000,
  }, async () => {
    const root = await mkdtemp(join(tmpdir(), 'tierbench-test-sigkill-containers-'));
    const engine = engineAddress();
    const places: Places = { registries: [join(root, 'state', 'tierbench', 'runs')], temporary: root, engine };
    const random = seededRandom(20261121);
    const inTheEngine = async (runs: readonly string[]) => (await Promise.all(runs.map(inEngine))).flat();
    let withSomethingLeft = 0;
    let slowestReaperMs = 0;
    try {
      for (let index = 0; index < KILLS; index += 1) {
        const atMs = ((index + random()) * SPREAD_MS) / KILLS;
        const runs = await killedAfter(root, atMs);
        const moment = `killed after ${Math.round(atMs)} ms`;
        const killedMs = performance.now();
        const left = await inTheEngine(runs);
        if (left.length > 0) withSomethingLeft += 1;
        if (index % 2 === 1) {
          await expect
            .poll(async () => ((await reaperIsShared()) ? [] : inTheEngine(runs)), {
              timeout: REAPER_LIMIT_MS,
              interval: 200,
              message: `${moment}, by the reaper`,
            })
            .toEqual([]);
          slowestReaperMs = Math.max(slowestReaperMs, performance.now() - killedMs);
        }
        // What its last request made may come a moment after it.
        await expect
          .poll(
            async () => {
              const { kept } = await removeOrphans(await findOrphans(places));
              return [...kept, ...(await inTheEngine(runs))];
            },
            { message: moment },
          )
          .toEqual([]);
        expect(
          (await readdir(root)).filter((name) => name.startsWith('tierbench-')),
          moment,
        ).toEqual([]);
        expect(await readdir(places.registries[0] ?? '').catch(() => []), moment).toEqual([]);
      }
      console.log(
        `${KILLS} kills, ${withSomethingLeft} left something; slowest reaper ${Math.round(slowestReaperMs)} ms`,
      );
      // Otherwise the moments missed what this test is about.
      expect(withSomethingLeft).toBeGreaterThanOrEqual(KILLS / 2);
    } finally {
      await removeOrphans(await findOrphans(places));
      await rm(root, { recursive: true, force: true });
    }
  });
});
