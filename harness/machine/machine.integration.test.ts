import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadPictures } from '../../reports/charts/png.ts';
import { lacks } from '../../test-support/requirements.ts';
import { findProgram } from '../operating-system/find-program.ts';
import { thisSystem } from '../operating-system/this-system.ts';
import { localProviderChecks } from '../providers/local/requirements.ts';
import { referenceApp } from '../services/reference-app.ts';
import { capabilities, chartDrawingCheck } from './capabilities.ts';
import { machineFacts } from './facts.ts';
import { currentCommit } from './own-package.ts';
import { containerEngine } from './programs.ts';
import { freeDisk, openFiles } from './resources.ts';

it('describes this machine', () => {
  const machine = machineFacts();
  expect(machine.cpus).toBe(cpus().length);
  expect(machine.node).toBe(process.version);
  expect(machine.kernel).toBe(execFileSync('uname', ['-r'], { encoding: 'utf8' }).trim());
  expect(machine.memoryBytes).toBeGreaterThan(100e6);
});

it('finds what the tests themselves run on, and says a next step for everything that is missing', async () => {
  const found = await capabilities([...localProviderChecks(referenceApp), chartDrawingCheck(loadPictures)]);
  const named = (name: string) => found.find((capability) => capability.name === name);
  expect(named('embedded PostgreSQL')).toMatchObject({
    state: 'ready',
    detail: expect.stringMatching(/^PostgreSQL \d/),
  });
  expect(named('bcrypt')).toMatchObject({ state: 'ready' });
  expect(named('chart drawing')?.detail).not.toBe('');
  expect(new Set(found.map(({ name }) => name)).size).toBe(found.length);
  for (const { state, detail, install } of found) {
    if (state !== 'ready') expect(install ?? detail).toMatch(/install|start|see|set|stop|raise|add/);
  }
});

it('takes a check that breaks for something missing', async () => {
  const broken = { name: 'x', neededFor: 'y', find: () => Promise.reject(new Error('out of luck')) };
  expect((await capabilities([broken]))[0]).toEqual({
    name: 'x',
    neededFor: 'y',
    state: 'missing',
    detail: 'out of luck',
  });
});

it('distinguishes a container engine that answers from one that does not', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tierbench-test-machine-'));
  const socket = join(folder, 'docker.sock');
  const engine = createServer((request, response) => response.end(request.url === '/_ping' ? 'OK' : ''));
  try {
    expect(await containerEngine(`unix://${socket}`)).toMatchObject({ state: 'missing' });
    engine.listen(socket);
    await once(engine, 'listening');
    expect(await containerEngine(`unix://${socket}`)).toEqual({ state: 'ready', detail: `unix://${socket}` });
  } finally {
    engine.close();
    await rm(folder, { recursive: true });
  }
});

it('finds only programs that can be run', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tierbench-test-machine-'));
  try {
    await writeFile(join(folder, 'tierbench-not-runnable'), '', { mode: 0o644 });
    await writeFile(join(folder, 'tierbench-runnable'), '', { mode: 0o755 });
    expect(findProgram(['tierbench-not-runnable'], folder)).toBeUndefined();
    expect(findProgram(['tierbench-not-runnable', 'tierbench-runnable'], folder)).toBe(
      join(folder, 'tierbench-runnable'),
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});

it('says when a limit of the system is low', async () => {
  expect(openFiles(1024)).toMatchObject({ state: 'limited', detail: expect.stringContaining('ulimit -n') });
  expect(openFiles(20_000)).toMatchObject({ state: 'ready' });
  expect(openFiles(Number.POSITIVE_INFINITY)).toMatchObject({ state: 'ready' });
  expect((await freeDisk()).detail).toContain(tmpdir());
});

it('names the commit of a checkout, whether files differ from it, and none elsewhere', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tierbench-test-machine-'));
  const git = (...args: string[]) => execFileSync('git', args, { cwd: folder, encoding: 'utf8' }).trim();
  try {
    expect(await currentCommit(folder)).toBeNull();
    git('init', '--quiet');
    await writeFile(join(folder, 'file'), 'a');
    git('add', 'file');
    git('-c', 'user.name=t', '-c', 'user.email=t@localhost', 'commit', '--quiet', '-m', 'First');
    const commit = git('rev-parse', 'HEAD');
    expect(await currentCommit(folder)).toBe(commit);
    await writeFile(join(folder, 'file'), 'b');
    expect(await currentCommit(folder)).toBe(`${commit}-dirty`);
  } finally {
    await rm(folder, { recursive: true });
  }
});

it.skipIf(lacks('taskset'))('keeps a process with all its threads to a CPU (needs taskset)', () => {
  const [cpu = 0] = thisSystem.allowedCpus();
  const source = `
    import { readdirSync, readFileSync } from 'node:fs';
    import { Worker } from 'node:worker_threads';
    import { allowedCpusIn, linux } from ${JSON.stringify(import.meta.resolve('../operating-system/linux.ts'))};
    if (!linux.pinThisProcess([${cpu}])) throw new Error('it could not');
    const worker = new Worker('import { parentPort } from "node:worker_threads"; parentPort.postMessage("up"); setInterval(() => {}, 1000)', { eval: true });
    worker.once('message', () => {
      const threads = readdirSync('/proc/self/task').map((thread) => allowedCpusIn(readFileSync('/proc/self/task/' + thread + '/status', 'utf8')));
      console.log(JSON.stringify(threads));
      process.exit(0);
    });`;
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', source], { encoding: 'utf8' });
  const threads: number[][] = JSON.parse(output);
  expect(threads.length).toBeGreaterThan(2);
  for (const cpus of threads) expect(cpus).toEqual([cpu]);
});

it.skipIf(lacks('taskset') || thisSystem.allowedCpus().length < 2)(
  'moves one thread away from the CPU of its process (needs taskset and two CPUs)',
  () => {
    const cpus = thisSystem.allowedCpus();
    const [own, other] = [cpus.at(-1) ?? 0, cpus[0] ?? 0];
    const source = `
      import { readdirSync, readFileSync } from 'node:fs';
      import { Worker } from 'node:worker_threads';
      import { allowedCpusIn, linux } from ${JSON.stringify(import.meta.resolve('../operating-system/linux.ts'))};
      if (!linux.pinThisProcess([${own}])) throw new Error('it could not');
      const worker = new Worker('import { readlinkSync } from "node:fs"; import { parentPort } from "node:worker_threads"; parentPort.postMessage(Number(readlinkSync("/proc/thread-self").split("/").at(-1))); setInterval(() => {}, 1000)', { eval: true });
      worker.once('message', (moved) => {
        if (!linux.pinThread(moved, [${other}])) throw new Error('it could not');
        const threads = readdirSync('/proc/self/task').map((thread) => [Number(thread) === moved, ...allowedCpusIn(readFileSync('/proc/self/task/' + thread + '/status', 'utf8'))]);
        console.log(JSON.stringify(threads));
        process.exit(0);
      });`;
    const output = execFileSync(process.execPath, ['--input-type=module', '--eval', source], { encoding: 'utf8' });
    const threads: [boolean, ...number[]][] = JSON.parse(output);
    expect(threads.filter(([isMoved]) => isMoved)).toEqual([[true, other]]);
    expect(threads.length).toBeGreaterThan(2);
    for (const [isMoved, ...allowed] of threads) expect(allowed).toEqual([isMoved ? other : own]);
  },
);
