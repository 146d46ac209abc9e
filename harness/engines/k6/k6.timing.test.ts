import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { lacks, programFor } from '../../../test-support/requirements.ts';
import { engineContract, programContract } from '../../contracts/engines/engine-contract.ts';
import type { LoadEngine } from '../engine.ts';
import { findK6 } from './find-k6.ts';
import { k6Engine } from './k6.ts';
import type { K6Program } from './k6-program.ts';

describe.skipIf(lacks('k6'))('k6 (needs k6)', () => {
  engineContract('k6', engineOf(programFor('k6')), {
    offers: { supports: ['closed', 'open'], arrivals: ['constant'] },
    isElsewhere: true,
    takesCutsForNonsense: true,
    repeatsGets: true,
  });
});
// How k6 makes loads and reads answers is the same in both; what the script asks of k6 is not.
describe.skipIf(lacks('k6-1'))('k6 1.x (needs k6-1)', () => programContract('k6 1.x', engineOf(programFor('k6-1'))));

function engineOf(path: string | undefined): () => LoadEngine {
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
  return () => k6Engine({ program: late, folder: folder ?? '' });
}
