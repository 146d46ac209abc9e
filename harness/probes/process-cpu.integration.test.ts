import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { probeContract } from '../contracts/probes/probe-contract.ts';
import type { RunningService } from '../core/deployment.ts';
import type { MetricId } from '../core/metrics.ts';
import type { Reading } from './probe.ts';
import { processCpuProbe } from './process-cpu.ts';

/** Waits for how much processor time it is to use, uses it, and says when it is done. */
const worker = `
  process.on('message', ({ useMs, memoryBytes }) => {
    globalThis.kept = Buffer.alloc(memoryBytes, 1);
    const start = process.cpuUsage();
    for (let used = 0; used < useMs; ) {
      const { user, system } = process.cpuUsage(start);
      used = (user + system) / 1000;
    }
    process.send('done');
  });
  process.send('ready');
`;

let folder: string;
const started: ChildProcess[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tierbench-test-process-cpu-'));
  await writeFile(join(folder, 'worker.mjs'), worker);
  await writeFile(
    join(folder, 'parent.mjs'),
    `import { fork } from 'node:child_process';
     const child = fork(new URL('worker.mjs', import.meta.url).pathname);
     child.on('message', (message) => process.send(message));
     process.on('message', (message) => child.send(message));
     process.on('disconnect', () => child.kill());`,
  );
});

afterAll(async () => {
  for (const child of started) child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

async function start(file: string): Promise<ChildProcess> {
  const child = fork(join(folder, file));
  started.push(child);
  await once(child, 'message');
  return child;
}

function serviceOf(...children: ChildProcess[]): RunningService {
  const instances = children.map(({ pid }, index) => ({
    name: `api/${index + 1}`,
    host: '127.0.0.1',
    port: 1,
    processIds: pid === undefined ? [] : [pid],
  }));
  return { name: 'api', kind: 'api', instances };
}

function measured(readings: readonly Reading[], source: string, metric: MetricId): number {
  return readings.find((reading) => reading.source === source && reading.metric === metric)?.value ?? Number.NaN;
}

/**
 * Processor seconds that the probe saw while the child used 500 ms of them: at least and at most, as its period began at
 * some moment of its first reading and ended at some moment of its second.
 */
async function secondsSeen(child: ChildProcess, source: string): Promise<{ least: number; most: number }> {
  await using probe = processCpuProbe([serviceOf(child)]);
  const beforeFirstMs = performance.now();
  await probe.read();
  const afterFirstMs = performance.now();
  child.send({ useMs: 500, memoryBytes: 0 });
  await once(child, 'message');
  const beforeSecondMs = performance.now();
  const used = measured(await probe.read(), source, 'cpu-cores');
  const afterSecondMs = performance.now();
  return {
    least: (used * (beforeSecondMs - afterFirstMs)) / 1000,
    most: (used * (afterSecondMs - beforeFirstMs)) / 1000,
  };
}

describe('process CPU', () => {
  it.each([
    ['is the processor time an instance used, to 100 ms', 'worker.mjs'],
    ['counts child processes with their instance', 'parent.mjs'],
  ])('%s', async (_, file) => {
    const { least, most } = await secondsSeen(await start(file), 'api/1');
    expect(least).toBeLessThan(0.6);
    expect(most).toBeGreaterThan(0.4);
  });

  it('reads the main thread, and the CPUs an instance may use: its limit where it has one', async () => {
    const child = await start('worker.mjs');
    const service = serviceOf(child);
    const instances = service.instances.map((instance) => ({ ...instance, limits: { cpus: 0.5, memoryBytes: 1e9 } }));
    await using probe = processCpuProbe([{ ...service, instances }]);
    await probe.read();
    child.send({ useMs: 500, memoryBytes: 0 });
    await once(child, 'message');
    const readings = await probe.read();
    // Its work is done in one thread; garbage collection and the compiler have threads of their own.
    const [all, main] = [measured(readings, 'api/1', 'cpu-cores'), measured(readings, 'api/1', 'main-thread')];
    expect(main).toBeGreaterThan(0.5 * all);
    expect(main).toBeLessThanOrEqual(all);
    expect(measured(readings, 'api/1', 'cpu-limit')).toBe(0.5);
    expect(measured(readings, 'api/1', 'memory-limit')).toBe(1e9);
    expect(measured(readings, 'generator', 'cpu-limit')).toBe(availableParallelism());
  });

  it('does not count instances with the generator that started them', async () => {
    expect((await secondsSeen(await start('worker.mjs'), 'generator')).least).toBeLessThan(0.3);
  });

  it('follows an instance that was killed and started again', async () => {
    let running = await start('worker.mjs');
    const instance = {
      name: 'api/1',
      host: '127.0.0.1',
      port: 1,
      get processIds() {
        return [running.pid ?? 0];
      },
    };
    await using probe = processCpuProbe([{ name: 'api', kind: 'api', instances: [instance] }]);
    await probe.read();
    running.kill('SIGKILL');
    await once(running, 'exit');
    expect(measured(await probe.read(), 'api/1', 'memory')).toBeNaN();
    running = await start('worker.mjs');
    expect(measured(await probe.read(), 'api/1', 'memory')).toBeGreaterThan(0);
  });

  it('sees memory grow by what is kept', async () => {
    const child = await start('worker.mjs');
    await using probe = processCpuProbe([serviceOf(child)]);
    const before = measured(await probe.read(), 'api/1', 'memory');
    child.send({ useMs: 0, memoryBytes: 100e6 });
    await once(child, 'message');
    const grown = measured(await probe.read(), 'api/1', 'memory') - before;
    expect(grown).toBeGreaterThan(90e6);
    expect(grown).toBeLessThan(130e6);
  });

  it('goes on with the others when an instance has died', async () => {
    const dying = await start('worker.mjs');
    const living = await start('worker.mjs');
    await using probe = processCpuProbe([serviceOf(dying, living)]);
    await probe.read();
    dying.kill('SIGKILL');
    await once(dying, 'exit');
    const sources = new Set((await probe.read()).map(({ source }) => source));
    expect(sources).toEqual(new Set(['api/2', 'generator']));
  });
});

probeContract(
  'process-cpu',
  async () => {
    const child = await start('worker.mjs');
    return {
      probe: processCpuProbe([serviceOf(child)]),
      async [Symbol.asyncDispose]() {
        child.kill('SIGKILL');
        await once(child, 'exit');
      },
    };
  },
  async () => {
    const gone = spawn(process.execPath, ['-e', '']);
    await once(gone, 'exit');
    return { probe: processCpuProbe([serviceOf(gone)], gone.pid), async [Symbol.asyncDispose]() {} };
  },
);
