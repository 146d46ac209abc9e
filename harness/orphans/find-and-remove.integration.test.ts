import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  access,
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  rmdir,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lacks } from '../../test-support/requirements.ts';
import { thisSystem } from '../operating-system/this-system.ts';
import { controlGroupName } from './control-groups.ts';
import { findOrphans } from './find.ts';
import type { Places } from './places.ts';
import { registerRun } from './register.ts';
import { removeOrphans } from './remove.ts';
import { folderName, MARKER_FILE, newRunId, parseRunRecord, type RunRecord } from './run-record.ts';

let root: string;
let places: Places;
const strangers: ChildProcess[] = [];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'tierbench-test-orphans-'));
  await chmod(root, 0o711);
  places = { registries: [join(root, 'state'), join(root, 'fallback')], temporary: root };
});

afterEach(async () => {
  for (const stranger of strangers.splice(0)) {
    stranger.kill('SIGKILL');
    if (stranger.exitCode === null && stranger.signalCode === null) await once(stranger, 'exit');
  }
  await rm(root, { recursive: true, force: true });
});

/** A process that stays until it is asked to go. */
async function idle(environment: Record<string, string>, folder: string, source = ''): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['--eval', `${source}; setInterval(() => {}, 1000); console.log('up')`], {
    cwd: folder,
    env: environment,
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  strangers.push(child);
  if (child.stdout !== null) await once(child.stdout, 'data');
  return child;
}

const isUp = (child: ChildProcess) => child.exitCode === null && child.signalCode === null;

/** A run as a killed command leaves it: written down, its command gone. */
async function killedRun(): Promise<RunRecord> {
  const run = await registerRun({ places });
  const recordFile = join(places.registries[0] ?? '', `${run.id}.json`);
  const record = parseRunRecord(await readFile(recordFile, 'utf8'));
  if (record === undefined) throw new Error('the record cannot be read');
  const orphaned = { ...record, owner: { ...record.owner, startTicks: record.owner.startTicks - 1 } };
  await writeFile(recordFile, JSON.stringify(orphaned));
  await writeFile(join(run.folder, MARKER_FILE), JSON.stringify(orphaned));
  return orphaned;
}

async function removeAll() {
  const removal = await removeOrphans(await findOrphans(places), { patienceS: 0.5 });
  const { left } = await findOrphans(places);
  return { ...removal, left };
}

const recordFiles = async () => (await readdir(places.registries[0] ?? '').catch(() => [])).toSorted();

describe('a run that is running', () => {
  it('is written down, has a folder, and is not touched', async () => {
    const run = await registerRun({ places });
    const child = await idle({ ...run.environment }, run.folder);
    expect(await findOrphans(places)).toEqual({ left: [], foreign: [], running: [run.id], limits: [] });
    await removeAll();
    expect(isUp(child)).toBe(true);
    await access(join(run.folder, MARKER_FILE));
    expect(await recordFiles()).toEqual([`${run.id}.json`]);
    await run[Symbol.asyncDispose]();
    expect(await recordFiles()).toEqual([]);
    await expect(access(run.folder)).rejects.toThrow('ENOENT');
  });

  it('is written down in the temporary folder when the state folder cannot be written', async () => {
    await writeFile(join(root, 'state'), 'not a folder');
    await using run = await registerRun({ places });
    expect(await readdir(join(root, 'fallback'))).toEqual([`${run.id}.json`]);
    expect((await findOrphans(places)).running).toEqual([run.id]);
  });

  it('is refused with the next step when nothing can be written', async () => {
    await writeFile(join(root, 'file'), 'not a folder');
    const nowhere = { registries: [join(root, 'file', 'runs')], temporary: root };
    await expect(registerRun({ places: nowhere })).rejects.toMatchObject({ code: 'FOLDER_NOT_WRITABLE' });
    const noFolder = { ...places, temporary: '/proc' };
    await expect(registerRun({ places: noFolder })).rejects.toMatchObject({ code: 'FOLDER_NOT_WRITABLE' });
    expect(await recordFiles()).toEqual([]);
  });
});

describe('what a killed command left', () => {
  it('is found and removed: processes, by mark or folder, folder and record', async () => {
    const record = await killedRun();
    const inside = join(record.folder, 'single-1', 'data');
    await mkdir(inside, { recursive: true });
    await writeFile(join(inside, 'file'), 'x');
    const marked = await idle({ TIERBENCH_RUN: record.runId }, '/');
    const unmarked = await idle({}, inside);
    const stubborn = await idle(
      { TIERBENCH_RUN: record.runId },
      '/',
      `for (const signal of ['SIGTERM', 'SIGQUIT']) process.on(signal, () => {})`,
    );
    const paused = await idle({ TIERBENCH_RUN: record.runId }, '/');
    paused.kill('SIGSTOP');
    const found = await findOrphans(places);
    expect(found.left).toHaveLength(1);
    expect(found.left[0]?.processes.map(({ processId }) => processId).toSorted()).toEqual(
      [marked.pid, unmarked.pid, stubborn.pid, paused.pid].toSorted(),
    );
    const { removed, kept, left } = await removeAll();
    expect(kept).toEqual([]);
    expect(left).toEqual([]);
    expect(removed).toContain(`4 processes of run ${record.runId}`);
    await expect(access(record.folder)).rejects.toThrow('ENOENT');
    expect(await recordFiles()).toEqual([]);
  });

  it('ends in order also when all of it is paused: a parent waits for its children', async () => {
    const record = await killedRun();
    const inOrder = join(root, 'ended in order');
    const parent = await idle(
      { TIERBENCH_RUN: record.runId },
      '/',
      `const child = require('node:child_process').spawn(process.execPath, ['--eval', 'setInterval(() => {}, 1000)']);
       process.on('SIGTERM', () => child.kill('SIGTERM'));
       child.on('exit', () => {
         require('node:fs').writeFileSync(${JSON.stringify(inOrder)}, '');
         process.exit();
       })`,
    );
    const found = await findOrphans(places);
    const family = found.left[0]?.processes ?? [];
    expect(family.map(({ parentId }) => parentId)).toContain(parent.pid);
    for (const { processId } of family) process.kill(processId, 'SIGSTOP');
    expect((await removeOrphans(found, { patienceS: 10 })).kept).toEqual([]);
    await access(inOrder);
  });

  it.each([
    ['between writing the record and making the folder', async (run: RunRecord) => rm(run.folder, { recursive: true })],
    ['between making the folder and marking it', async (run: RunRecord) => rm(join(run.folder, MARKER_FILE))],
    ['while marking it', async (run: RunRecord) => writeFile(join(run.folder, MARKER_FILE), '{"schemaVer')],
    ['without its record', async (run: RunRecord) => rm(join(root, 'state', `${run.runId}.json`))],
    [
      'while writing the record',
      async (run: RunRecord) => {
        await rm(run.folder, { recursive: true });
        const file = join(root, 'state', `${run.runId}.json`);
        await rm(file);
        await writeFile(`${file}.new`, '{"schemaVer');
        await utimes(`${file}.new`, 0, 0);
      },
    ],
  ])('is removed when it was killed %s', async (_, undo) => {
    const record = await killedRun();
    await undo(record);
    const { kept, left } = await removeAll();
    expect(kept).toEqual([]);
    expect(left).toEqual([]);
    expect(await recordFiles()).toEqual([]);
    expect(await readdir(root)).not.toContain(folderName(record.runId));
  });

  it.skipIf(lacks('control groups'))(
    'is removed with its control groups, also those processes are still in, and no others (needs control groups)',
    async () => {
      const record = await killedRun();
      const trees = thisSystem.controlGroupTrees();
      const [ours, similar] = [record.runId, `${record.runId}0`].map((runId) =>
        trees.map(({ root }) => join(root, controlGroupName(runId, 'api-1'))),
      );
      for (const folder of [...(ours ?? []), ...(similar ?? [])]) await mkdir(folder);
      try {
        const member = await idle({}, '/');
        for (const folder of ours ?? []) await writeFile(join(folder, 'cgroup.procs'), String(member.pid));
        const { kept, left } = await removeAll();
        expect(kept).toEqual([]);
        expect(left).toEqual([]);
        for (const folder of ours ?? []) await expect(access(folder)).rejects.toThrow('ENOENT');
        for (const folder of similar ?? []) await access(folder);
        await expect.poll(() => isUp(member)).toBe(false);
      } finally {
        for (const folder of similar ?? []) await rmdir(folder);
      }
    },
  );

  it('is removed by two at the same time', async () => {
    const record = await killedRun();
    await idle({ TIERBENCH_RUN: record.runId }, '/');
    const found = await findOrphans(places);
    const removals = await Promise.all([removeOrphans(found), removeOrphans(found)]);
    expect(removals.flatMap(({ kept }) => kept)).toEqual([]);
    expect((await findOrphans(places)).left).toEqual([]);
  });
});

describe('what only looks similar', () => {
  it('survives: processes and folders of others, and of other runs', async () => {
    const record = await killedRun();
    const otherRun = newRunId(new Date());
    const similar = join(root, `${folderName(record.runId)}-copy`);
    const unmarked = join(root, folderName(otherRun));
    for (const folder of [similar, unmarked]) {
      await mkdir(folder);
      await writeFile(join(folder, 'precious'), 'x');
    }
    const processes = await Promise.all([
      idle({ TIERBENCH_RUN: otherRun }, '/'),
      idle({ TIERBENCH_RUN: `${record.runId}0` }, '/'),
      idle({ NOT_TIERBENCH_RUN: record.runId }, similar),
      idle({ TIERBENCH_RUN: '' }, unmarked),
      idle({}, '/', `process.title = 'postgres ${record.folder}'`),
    ]);
    const { kept } = await removeAll();
    expect(kept).toEqual([]);
    expect(await readdir(root)).not.toContain(folderName(record.runId));
    expect(processes.map(isUp)).toEqual(processes.map(() => true));
    for (const folder of [similar, unmarked]) expect(await readdir(folder)).toEqual(['precious']);
  });

  it("keeps a folder that a record names and that is not the run's", async () => {
    const record = await killedRun();
    await writeFile(join(record.folder, MARKER_FILE), JSON.stringify({ whose: 'mine' }));
    await writeFile(join(record.folder, 'precious'), 'x');
    const { kept } = await removeAll();
    expect(kept).toEqual([{ what: record.folder, why: expect.stringContaining('marker') }]);
    expect(await readFile(join(record.folder, 'precious'), 'utf8')).toBe('x');
  });

  it.skipIf(lacks('root'))("names another user's and leaves it (needs root)", async () => {
    const record = await killedRun();
    const recordFile = join(root, 'state', `${record.runId}.json`);
    await chown(record.folder, 65534, 65534);
    await chown(recordFile, 65534, 65534);
    const child = await idle({ TIERBENCH_RUN: record.runId }, '/');
    const found = await findOrphans(places);
    expect(found.left).toEqual([]);
    expect(found.foreign.map(({ path }) => path).toSorted()).toEqual([record.folder, recordFile].toSorted());
    expect(found.foreign[0]?.why).toContain('65534');
    await removeOrphans(found);
    expect(isUp(child)).toBe(true);
    await access(join(record.folder, MARKER_FILE));
  });

  it('does not read a registry that others may write in', async () => {
    await killedRun();
    await chmod(join(root, 'state'), 0o777);
    await rm(join(root, (await readdir(root)).find((name) => /^tierbench-/.test(name)) ?? ''), { recursive: true });
    expect((await findOrphans(places)).left).toEqual([]);
  });
});
