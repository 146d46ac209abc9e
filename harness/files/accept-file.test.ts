import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TierbenchError } from '../core/errors.ts';
import { readAccepted } from './accept-file.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'accept-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function read(text: string) {
  const path = join(folder, 'accept.yaml');
  await writeFile(path, text);
  return readAccepted(path);
}

test('reads what is accepted, up to how much and until when', async () => {
  const accepted = await read(`accepted:
  - metric: latency-p95
    step: list tasks
    upTo: 15 %
    until: 2027-01-31
    why: It shows the owner.
`);
  expect(accepted).toEqual([
    {
      metric: 'latency-p95',
      scenario: null,
      step: 'list tasks',
      service: null,
      upToRatio: 0.15,
      until: '2027-01-31',
      why: 'It shows the owner.',
    },
  ]);
});

test('names every problem with its line', async () => {
  const error = await read(`accepted:
  - metric: latency-p96
    upTo: 15
    until: 2027-02-30
  - metric: cpu
    step: list tasks
    upTo: 0 %
    until: soon
    why: Because.
    because: of it
`).catch((thrown: unknown) => thrown);
  if (!(error instanceof TierbenchError)) throw error;
  expect(error.code).toBe('ACCEPT_FILE_INVALID');
  expect(error.problems.map(({ line }) => line)).toEqual([2, 2, 3, 4, 6, 7, 8, 10]);
});
