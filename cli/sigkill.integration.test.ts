import { readdir } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { controlGroupsOfRun } from '../harness/orphans/control-groups.ts';
import { isRunId } from '../harness/orphans/run-record.ts';
import { seededRandom } from '../harness/statistics/block-bootstrap.ts';
import { lacks } from '../test-support/requirements.ts';
import { workplaceForEach } from '../test-support/tierbench.ts';

const place = workplaceForEach();

/** Most moments are those of harness/orphans/sigkill.integration.test.ts. TIERBENCH_SIGKILLS=100 has more of them. */
const moments = Math.ceil(Number(process.env.TIERBENCH_SIGKILLS ?? 16) / 4);
/** After the tier began to come up; on an idle machine it is well under load by then. */
const latestMs = { single: 5000, cached: 9000 };

it.skipIf(lacks('pgbouncer') || lacks('nginx') || lacks('redis'))(
  `leaves nothing that the next doctor does not remove, killed at ${moments} moments (needs pgbouncer, nginx and redis)`,
  { timeout: 60_000 + moments * 30_000 },
  async () => {
    const random = seededRandom(20);
    let leftSomething = 0;
    for (let moment = 0; moment < moments; moment += 1) {
      const tier = moment % 2 === 0 ? 'cached' : 'single';
      const words = '--quick --warm-up 0 --concurrency 1,2 --user-count 10 --tasks-per-user 10 --out';
      const {
        process: command,
        ended,
        said,
      } = place.start([...`run --tier ${tier} --provider local ${words}`.split(' '), `out-${moment}`]);
      // Some are killed before.
      if (moment % 6 !== 5) await said('starting database');
      const killTimer = setTimeout(() => command.kill('SIGKILL'), random() * latestMs[tier]);
      await ended;
      clearTimeout(killTimer);
      if ((await place.orphans()).length > 0) leftSomething += 1;
      const runs = (await readdir(place.temporary)).map((name) => name.replace('tierbench-', '')).filter(isRunId);
      const doctor = await place.run(['doctor', '--json']);
      expect(doctor.exitCode, doctor.stderr).toBe(0);
      expect(await place.orphans(), doctor.stdout).toEqual([]);
      expect(
        runs.flatMap((run) => controlGroupsOfRun(run)),
        doctor.stdout,
      ).toEqual([]);
    }
    // Otherwise the moments were chosen badly and nothing was shown.
    expect(leftSomething).toBeGreaterThan(moments / 2);
  },
);
