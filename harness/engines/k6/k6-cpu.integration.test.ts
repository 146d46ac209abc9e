import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findProcessCpu } from './k6-cpu.ts';

const mark = `k6-cpu-test-${process.pid}`;

describe.skipIf(!existsSync('/proc/self/stat'))('the CPU time of a process (needs /proc)', () => {
  let busy: ReturnType<typeof spawn>;
  beforeEach(async () => {
    busy = spawn(process.execPath, ['-e', "console.log('up'); for (;;);", mark], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    if (busy.stdout !== null) await once(busy.stdout, 'data');
  });
  afterEach(async () => {
    const ended = once(busy, 'exit');
    if (busy.exitCode === null && busy.signalCode === null) {
      busy.kill('SIGKILL');
      await ended;
    }
  });

  test('is found by one of its arguments, grows while it works, and ends with it', async () => {
    const cpu = await findProcessCpu(mark);
    const before = (await cpu?.busyS()) ?? Number.NaN;
    await expect.poll(() => cpu?.busyS()).toBeGreaterThan(before + 0.1);
    // The CPUs of this very process are its own too.
    expect(cpu?.cpus).toBeGreaterThanOrEqual(1);
    const ended = once(busy, 'exit');
    busy.kill('SIGKILL');
    await ended;
    expect(await cpu?.busyS()).toBeUndefined();
  });

  test('of no process is not known', async () => {
    expect(await findProcessCpu(`${mark}-of-nobody`)).toBeUndefined();
  });
});
