import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { lacks, programFor } from '../../../test-support/requirements.ts';
import { engineContract } from '../../contracts/engines/engine-contract.ts';
import { findK6 } from './find-k6.ts';
import { k6Engine } from './k6.ts';
import type { K6Program } from './k6-program.ts';

describe.skipIf(lacks('k6'))('k6 (needs k6)', () => contractOf('k6', programFor('k6')));
describe.skipIf(lacks('k6-1'))('k6 1.x (needs k6-1)', () => contractOf('k6 1.x', programFor('k6-1')));

function contractOf(name: string, path: string | undefined): void {
  let program: K6Program;
  let folder: string;
  beforeAll(async () => {
    program = await findK6({ path });
    folder = await mkdtemp(join(tmpdir(), 'tierbench-test-k6-'));
  });
  afterAll(async () => await rm(folder, { recursive: true }));
  // The contract asks what it supports before there is a program to run.
  const late: K6Program = {
    version: '',
    origin: '',
    start: (args, options) => program.start(args, options),
  };
  engineContract(
    name,
    () => {
      const engine = k6Engine({ program: late, folder: folder ?? '' });
      return engine;
    },
    { isElsewhere: true, takesCutsForNonsense: true, repeatsGets: true },
  );
}
