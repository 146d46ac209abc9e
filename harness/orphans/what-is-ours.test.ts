import { describe, expect, it } from 'vitest';
import type { SeenProcess } from './processes.ts';
import { newRunId, parseRunRecord, type RunRecord, runIdOfFolder } from './run-record.ts';
import { ownershipOf, processesOfRun, rootsOf, type Sighting } from './what-is-ours.ts';

const runId = '20261121-070642-1f3a09bc';
const machine = { hostname: 'here', bootId: 'boot-1', processNamespace: 'pid:[1]' };
const record: RunRecord = {
  schemaVersion: 1,
  runId,
  startedAt: '2026-11-21T07:06:42.000Z',
  owner: { processId: 100, startTicks: 5000 },
  accountId: 1000,
  machine,
  folder: `/tmp/tierbench-${runId}`,
};
const sighting: Sighting = { path: `/state/${runId}.json`, record, accountId: 1000, ageS: 1 };

function here(running: readonly RunRecord['owner'][] = []) {
  return {
    accountId: 1000,
    machine,
    isRunning: (owner: RunRecord['owner']) =>
      running.some((one) => one.processId === owner.processId && one.startTicks === owner.startTicks),
  };
}

describe('a run', () => {
  it('is running while its command runs', () => {
    expect(ownershipOf(sighting, here([record.owner]))).toEqual({ state: 'running' });
  });

  it('was left when its command is gone, or another process has its id', () => {
    expect(ownershipOf(sighting, here())).toEqual({ state: 'left' });
    expect(ownershipOf(sighting, here([{ processId: 100, startTicks: 9000 }]))).toEqual({ state: 'left' });
  });

  it('was left when the machine was started anew, whatever process has its id now', () => {
    const rebooted = { ...sighting, record: { ...record, machine: { ...machine, bootId: 'boot-0' } } };
    expect(ownershipOf(rebooted, here([record.owner]))).toEqual({ state: 'left' });
  });

  it.each([
    ['another user', { ...sighting, accountId: 1001 }, 'user 1001'],
    [
      'another machine that shares the home folder',
      { ...sighting, record: { ...record, machine: { ...machine, hostname: 'there', bootId: 'boot-9' } } },
      "'there'",
    ],
    [
      'another container that shares the temporary folder',
      { ...sighting, record: { ...record, machine: { ...machine, processNamespace: 'pid:[2]' } } },
      'container',
    ],
  ])('of %s is named, not touched', (_, foreign, named) => {
    expect(ownershipOf(foreign, here())).toEqual({ state: 'foreign', why: expect.stringContaining(named) });
  });

  it('whose record is not whole is being written, unless that is long ago', () => {
    expect(ownershipOf({ ...sighting, record: undefined }, here())).toEqual({ state: 'running' });
    expect(ownershipOf({ ...sighting, record: undefined, ageS: 3600 }, here())).toEqual({ state: 'left' });
  });
});

describe('a process', () => {
  const process: SeenProcess = {
    processId: 200,
    parentId: 1,
    startTicks: 6000,
    hasTerminal: false,
    runId: undefined,
    workingFolder: '/',
  };
  const belongs = (seen: Partial<SeenProcess>) => processesOfRun(record, [{ ...process, ...seen }], 1).length === 1;

  it.each<[string, Partial<SeenProcess>, boolean]>([
    ['has the mark', { runId }, true],
    ['has the mark in a terminal', { runId, hasTerminal: true }, true],
    ['works in the folder of the run', { workingFolder: record.folder }, true],
    ['works deep in the folder of the run', { workingFolder: `${record.folder}/single-x/primary/data` }, true],
    ['is a person who looks around in the folder', { workingFolder: record.folder, hasTerminal: true }, false],
    ['has the mark of another run', { runId: '20261121-070642-ffffffff' }, false],
    ['has a longer mark', { runId: `${runId}0` }, false],
    [
      'has the mark of another run, in the folder of this',
      { runId: '20261121-070642-ffffffff', workingFolder: record.folder },
      false,
    ],
    ['works in a folder with a longer name', { workingFolder: `${record.folder}-copy` }, false],
    ['has nothing to do with it', {}, false],
  ])('that %s', (_, seen, expected) => {
    expect(belongs(seen)).toBe(expected);
  });

  it('that looks for them, or started what looks for them, is never one of them', () => {
    const family = [
      { ...process, processId: 10, parentId: 1, runId },
      { ...process, processId: 11, parentId: 10, runId },
      { ...process, processId: 12, parentId: 11, runId },
      { ...process, processId: 13, parentId: 10, runId },
    ];
    expect(processesOfRun(record, family, 12).map(({ processId }) => processId)).toEqual([13]);
  });

  it('is asked to stop before those it started', () => {
    const tree = [
      { ...process, processId: 10, parentId: 1 },
      { ...process, processId: 11, parentId: 10 },
      { ...process, processId: 20, parentId: 1 },
    ];
    expect(rootsOf(tree).map(({ processId }) => processId)).toEqual([10, 20]);
  });
});

describe('a record', () => {
  it('is read as it was written', () => {
    expect(parseRunRecord(JSON.stringify(record))).toEqual(record);
  });

  it.each([
    ['is cut short', JSON.stringify(record).slice(0, 100)],
    ['is empty', ''],
    ["names somebody else's folder", JSON.stringify({ ...record, folder: '/home/someone' })],
    [
      'names the folder of another run',
      JSON.stringify({ ...record, folder: '/tmp/tierbench-20261121-070642-00000000' }),
    ],
    ['names a relative folder', JSON.stringify({ ...record, folder: `tierbench-${runId}` })],
    ['is of a later version', JSON.stringify({ ...record, schemaVersion: 2 })],
  ])('that %s is none', (_, text) => {
    expect(parseRunRecord(text)).toBeUndefined();
  });

  it('has an id that sorts by time and names a folder', () => {
    const id = newRunId(new Date('2026-11-21T07:06:42.123Z'));
    expect(id).toMatch(/^20261121-070642-/);
    expect(runIdOfFolder(`/tmp/tierbench-${id}`)).toBe(id);
    for (const name of ['tierbench-test-1', 'tierbench-', `tierbench-${id}-copy`, `x-tierbench-${id}`]) {
      expect(runIdOfFolder(`/tmp/${name}`)).toBeUndefined();
    }
  });
});
