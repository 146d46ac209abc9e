import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lacks } from '../../test-support/requirements.ts';
import { processCpuProbe } from '../probes/process-cpu.ts';
import { linux } from './linux.ts';
import { macos } from './macos.ts';
import type { OperatingSystem } from './operating-system.ts';

const mark = `run-${process.pid}`;
const argument = `argument-${process.pid}`;

/** The `ps` of Linux shows environments by another option than that of macOS; all other commands are the same. */
const answer = (command: string, words: readonly string[]): string => {
  const asLinux = words[0] === '-AEww' ? ['axeww', '-o', 'pid=,args='] : words;
  try {
    return execFileSync(command, asLinux, {
      encoding: 'utf8',
      stdio: 'pipe',
      env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' },
    });
  } catch (error) {
    return (error as { stdout?: string }).stdout ?? '';
  }
};
const likeMacos = macos({ now: answer, soon: async (command, words) => answer(command, words) });

let folder: string;
let busy: ChildProcess;
let port: number;

/** Listens, and works until it is killed; a child of it does nothing. */
const source = `
  import { spawn } from 'node:child_process';
  import { createServer } from 'node:net';
  const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'ignore'] });
  const server = createServer().listen(0, '127.0.0.1', () => {
    console.log(JSON.stringify([server.address().port, child.pid]));
    setImmediate(function work() { for (const end = performance.now() + 50; performance.now() < end; ); setImmediate(work); });
  });`;

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'tierbench-test-system-')));
  busy = spawn(process.execPath, ['--input-type=module', '-e', source, argument], {
    cwd: folder,
    env: { ...process.env, TIERBENCH_TEST_MARK: mark },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  const [line] = busy.stdout === null ? [] : await once(busy.stdout, 'data');
  [port] = JSON.parse(String(line));
});

afterAll(async () => {
  const ended = once(busy, 'exit');
  busy.kill('SIGKILL');
  await ended;
  await rm(folder, { recursive: true, force: true });
});

describe('asked as Linux', () => seesProcesses(linux));
describe.skipIf(lacks('lsof'))('asked as macOS (needs lsof)', () => seesProcesses(likeMacos));

function seesProcesses(system: OperatingSystem): void {
  const id = () => busy.pid ?? 0;

  it('a process is seen with its parent, mark and folder, and known again', () => {
    const seen = system.processes('TIERBENCH_TEST_MARK').find(({ processId }) => processId === id());
    expect(seen).toMatchObject({ parentId: process.pid, hasTerminal: false, mark, workingFolder: folder });
    const startTicks = system.startTicks(id()) ?? Number.NaN;
    expect(system.isRunning({ processId: id(), startTicks })).toBe(true);
    expect(system.isRunning({ processId: id(), startTicks: startTicks - 1000 })).toBe(false);
    expect(system.processes().find(({ processId }) => processId === id())?.mark).toBeUndefined();
  });

  it('its CPU time grows, and it counts with its child', async () => {
    const used = async () => (await system.usageOf([id()])).get(id()) ?? [];
    const [before] = await used();
    await expect.poll(async () => (await used())[0]?.cpuS).toBeGreaterThan((before?.cpuS ?? Number.NaN) + 0.5);
    const all = await used();
    expect(all.map(({ processId }) => processId)).toHaveLength(2);
    expect(all[0]?.memoryBytes).toBeGreaterThan(10e6);
    expect(await system.busyS(id())).toBeGreaterThan(0.5);
  });

  it('it is found by its argument, and by the port it listens on', async () => {
    expect(await system.processWithArgument(argument)).toBe(id());
    expect(await system.processWithArgument(`${argument}-of-nobody`)).toBeUndefined();
    expect(system.listensOn([id()], port)).toBe(true);
    expect(system.listensOn([process.pid], port)).toBe(false);
  });

  it('a process that ended is gone', async () => {
    const gone = spawn(process.execPath, ['-e', '']);
    await once(gone, 'exit');
    const processId = gone.pid ?? 0;
    expect(system.startTicks(processId)).toBeUndefined();
    expect((await system.usageOf([processId])).get(processId)).toEqual([]);
    expect(await system.busyS(processId)).toBeUndefined();
  });

  it('the machine has CPUs that work, and this process a limit of open files', () => {
    const { cores, busy: worked, total } = system.machineCpu();
    expect(cores).toBeGreaterThanOrEqual(availableParallelism());
    expect(worked).toBeGreaterThan(0);
    expect(total).toBeGreaterThan(worked);
    expect(system.openFilesLimit()).toBe(linux.openFilesLimit());
  });

  it('the probe reads the CPU of an instance and of the generator', async () => {
    const instances = [{ name: 'api/1', host: '127.0.0.1', port, processIds: [id()] }];
    await using probe = processCpuProbe([{ name: 'api', kind: 'api', instances }], process.pid, system);
    const read = async () =>
      new Map((await probe.read()).map(({ source: from, metric, value }) => [`${from} ${metric}`, value]));
    await read();
    await expect.poll(async () => (await read()).get('api/1 cpu-cores')).toBeGreaterThan(0.2);
    const readings = await read();
    expect(readings.get('api/1 cpu-limit')).toBeGreaterThanOrEqual(1);
    expect(readings.has('generator cpu-cores')).toBe(true);
    expect(readings.has('api/1 main-thread')).toBe(!system.lacks.includes('thread-cpu'));
  });
}
