import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { isListening, processesIn } from '../../test-support/left-behind.ts';
import { lacks } from '../../test-support/requirements.ts';
import { seededRandom } from '../statistics/block-bootstrap.ts';
import { controlGroupsOfRun } from './control-groups.ts';
import { findOrphans } from './find.ts';
import type { Places } from './places.ts';
import { seeProcesses } from './processes.ts';
import { removeOrphans } from './remove.ts';

const program = fileURLToPath(new URL('fixtures/deploy-again-and-again.mjs', import.meta.url));

interface Said {
  readonly run?: string;
  readonly baseUrl?: string;
  readonly ports?: readonly number[];
}

function start(root: string, ...args: string[]): { child: ChildProcess; said: Said[]; heard: () => Promise<Said> } {
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...process.env, TMPDIR: root, XDG_STATE_HOME: join(root, 'state') },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said: Said[] = [];
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  lines.on('line', (line) => said.push(JSON.parse(line)));
  return { child, said, heard: async () => JSON.parse((await once(lines, 'line'))[0]) };
}

/** TIERBENCH_SIGKILLS=100 has more of them. */
const moments = Math.ceil(Number(process.env.TIERBENCH_SIGKILLS ?? 16) / 2);
/** After the run was written down; on an idle machine the tier is up, down, and the next one begun by then. */
const latestMs = { single: 2500, cached: 6000 };

it.skipIf(lacks('pgbouncer') || lacks('nginx') || lacks('redis'))(
  `nothing is left of a command killed at ${moments} moments, and one that runs is not disturbed (needs pgbouncer, nginx and redis)`,
  { timeout: 60_000 + moments * 20_000 },
  async () => {
    const root = await mkdtemp(join(tmpdir(), 'tierbench-test-sigkill-'));
    await chmod(root, 0o711);
    const places: Places = { registries: [join(root, 'state', 'tierbench', 'runs')], temporary: root };
    const staying = start(root, 'single', 'stay');
    try {
      const { run: stayingRun } = await staying.heard();
      const { baseUrl } = await staying.heard();
      const random = seededRandom(20261121);
      let withSomethingLeft = 0;
      for (let index = 0; index < moments; index += 1) {
        const tier = index % 2 === 0 ? 'cached' : 'single';
        const { child, said, heard } = start(root, tier);
        const exited = once(child, 'exit');
        // Some are killed before.
        if (index % 6 !== 5) await heard();
        await delay(((index + random()) * latestMs[tier]) / moments);
        child.kill('SIGKILL');
        await exited;

        const found = await findOrphans(places);
        expect(found.running).toEqual([stayingRun]);
        withSomethingLeft += found.left.length;
        const removal = await removeOrphans(found);
        expect(removal.kept).toEqual([]);

        const moment = `${tier} killed after ${JSON.stringify(said)}`;
        const runs = new Set(said.map(({ run }) => run).filter((run) => run !== undefined));
        const alive = seeProcesses().filter(({ runId }) => runId !== undefined && runs.has(runId));
        expect(alive, moment).toEqual([]);
        expect(
          [...runs].flatMap((run) => controlGroupsOfRun(run)),
          moment,
        ).toEqual([]);
        for (const run of runs) expect(await processesIn(join(root, `tierbench-${run}`)), moment).toEqual([]);
        for (const port of said.flatMap(({ ports }) => ports ?? [])) {
          expect(await isListening({ host: '127.0.0.1', port }), `${moment}: ${port} still listens`).toBe(false);
        }
        expect((await readdir(root)).toSorted(), moment).toEqual(['state', `tierbench-${stayingRun}`]);
        expect(await readdir(places.registries[0] ?? ''), moment).toEqual([`${stayingRun}.json`]);
      }
      // Otherwise the moments missed what this test is about.
      expect(withSomethingLeft).toBeGreaterThanOrEqual(moments / 2);
      expect((await fetch(`${baseUrl}/ready`)).status).toBe(200);
    } finally {
      staying.child.kill('SIGKILL');
      await once(staying.child, 'exit');
      await removeOrphans(await findOrphans(places));
      await rm(root, { recursive: true });
    }
  },
);
