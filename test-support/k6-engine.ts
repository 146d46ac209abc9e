import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import type { LoadEngine } from '../harness/engines/engine.ts';
import { findK6 } from '../harness/engines/k6/find-k6.ts';
import { k6Engine } from '../harness/engines/k6/k6.ts';
import type { K6Program } from '../harness/engines/k6/k6-program.ts';

/** The engine with this k6, in a folder of the tests that follow. What it supports is known before they run. */
export function k6EngineWith(path: string | undefined): () => LoadEngine {
  let program: K6Program;
  let folder: string;
  beforeAll(async () => {
    program = await findK6({ path });
    folder = await mkdtemp(join(tmpdir(), 'tierbench-test-k6-'));
  });
  afterAll(async () => await rm(folder, { recursive: true }));
  const late: K6Program = {
    version: '',
    origin: '',
    start: (args, options) => program.start(args, options),
  };
  return () => k6Engine({ program: late, folder: folder ?? '' });
}
