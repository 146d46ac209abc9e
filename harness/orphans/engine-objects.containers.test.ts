import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lacks } from '../../test-support/requirements.ts';
import { engineAddress } from '../container-engine/engine.ts';
import { findOrphans } from './find.ts';
import type { Places } from './places.ts';
import { ownIdentity, thisMachine } from './processes.ts';
import { removeOrphans } from './remove.ts';
import { folderName, labelsOf, newRunId, type RunRecord } from './run-record.ts';

let root: string;
let places: Places;
const made: ['volume' | 'network', string][] = [];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'tierbench-test-engine-'));
  places = { registries: [join(root, 'runs')], temporary: root, engine: engineAddress() };
});

afterEach(async () => {
  for (const [kind, name] of made.splice(0)) {
    if (names(kind).includes(name)) docker(kind, 'rm', name);
  }
  await rm(root, { recursive: true });
});

const docker = (...words: string[]) => execFileSync('docker', words, { encoding: 'utf8' });
const names = (kind: string) => docker(kind, 'ls', '--format', '{{.Name}}').split('\n');

/** Something in the engine with these labels, as a run makes it. */
function make(kind: 'volume' | 'network', labels: Readonly<Record<string, string>>): string {
  const name = `tierbench-test-${randomBytes(6).toString('hex')}`;
  made.push([kind, name]);
  docker(kind, 'create', ...Object.entries(labels).flatMap((label) => ['--label', label.join('=')]), name);
  return name;
}

function recordOf(owner: 'running' | 'gone', accountId = process.getuid?.() ?? -1): RunRecord {
  const runId = newRunId(new Date());
  const identity = ownIdentity();
  return {
    schemaVersion: 1,
    runId,
    startedAt: new Date().toISOString(),
    owner: owner === 'running' ? identity : { ...identity, startTicks: identity.startTicks - 1 },
    accountId,
    machine: thisMachine(),
    folder: join(root, folderName(runId)),
  };
}

describe.skipIf(lacks('docker'))('what a run has in the container engine (needs docker)', () => {
  it('is removed when its command is gone, also when nothing else is left of the run', async () => {
    const record = recordOf('gone');
    const left = [make('volume', labelsOf(record)), make('network', labelsOf(record))];
    const found = await findOrphans(places);
    const run = found.left.find((each) => each.record?.runId === record.runId);
    expect(run?.engineObjects.map(({ name }) => name).toSorted()).toEqual(left.toSorted());
    const { removed, kept } = await removeOrphans({ ...found, left: run ? [run] : [] });
    expect(kept).toEqual([]);
    for (const name of left) expect(removed).toContainEqual(expect.stringContaining(name));
    expect(names('volume')).not.toContain(left[0]);
    expect(names('network')).not.toContain(left[1]);
  });

  it("stays while its command runs, and when it is another user's or not tierbench's", async () => {
    const running = recordOf('running');
    const foreign = recordOf('gone', 4242);
    const others = [
      make('volume', labelsOf(running)),
      make('volume', labelsOf(foreign)),
      make('volume', { 'tierbench.run': newRunId(new Date()), 'tierbench.record': 'no record' }),
      make('volume', { 'tierbench.run': newRunId(new Date()), 'tierbench.record': JSON.stringify(recordOf('gone')) }),
      make('volume', { 'someone.else': recordOf('gone').runId }),
    ];
    const found = await findOrphans(places);
    expect(found.running).toContain(running.runId);
    expect(found.foreign.map(({ path }) => path)).toContain(`volume ${others[1]}`);
    const ours = found.left.flatMap(({ engineObjects }) => engineObjects.map(({ name }) => name));
    for (const name of others) expect(ours).not.toContain(name);
  });
});

describe('an engine that cannot be asked', () => {
  it('is passed over where there is none', async () => {
    await writeFile(join(root, 'not-a-socket'), '');
    for (const engine of [undefined, { socketPath: join(root, 'none') }, { socketPath: join(root, 'not-a-socket') }]) {
      expect(await findOrphans({ ...places, engine })).toEqual({ left: [], foreign: [], running: [], limits: [] });
    }
  });

  it('holds nobody up when it does not answer, and is named', async () => {
    const silent = createServer(() => {}).listen(join(root, 'silent'));
    try {
      const { limits } = await findOrphans({ ...places, engine: { socketPath: join(root, 'silent') } });
      expect(limits).toEqual([expect.stringContaining('did not answer')]);
    } finally {
      silent.closeAllConnections();
      silent.close();
    }
  });
});
