import { afterEach, beforeEach, expect, it } from 'vitest';
import { seededRandom } from '../harness/statistics/seeded-random.ts';
import { type Workplace, workplace } from '../test-support/tierbench.ts';

let place: Workplace;
beforeEach(async () => {
  place = await workplace();
});
afterEach(() => place[Symbol.asyncDispose]());

const MOMENTS = 20;
/** From before anything is registered to well into the load. */
const LATEST_MS = 6000;

it(`leaves nothing that the next doctor does not remove, killed at ${MOMENTS} random moments`, {
  timeout: 600_000,
}, async () => {
  const random = seededRandom(20);
  let leftSomething = 0;
  for (let moment = 0; moment < MOMENTS; moment += 1) {
    const words =
      'run --tier single --provider local --quick --warm-up 0 --concurrency 1,2 --user-count 10 --tasks-per-user 10 --out';
    const { process: command, ended } = place.start([...words.split(' '), `out-${moment}`]);
    const killTimer = setTimeout(() => command.kill('SIGKILL'), random() * LATEST_MS);
    await ended;
    clearTimeout(killTimer);
    if ((await place.leftovers()).length > 0) leftSomething += 1;
    const doctor = await place.run(['doctor', '--json']);
    expect(doctor.exitCode, doctor.stderr).toBe(0);
    expect(await place.leftovers(), doctor.stdout).toEqual([]);
  }
  // Otherwise the moments were chosen badly and nothing was shown.
  expect(leftSomething).toBeGreaterThan(MOMENTS / 2);
});
