import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { madeUpRun } from '../../test-support/made-up-trial.ts';
import type { StudyFacts, SubjectFacts } from '../core/study-record.ts';
import type { TrialRecord } from '../core/trial.ts';
import { LatencyHistogram } from '../histograms/latency-histogram.ts';
import { createResults, readResults, type StudyOutline, type StudySchemas } from './results.ts';
import { createSecretFilter } from './without-secrets.ts';

const facts: StudyFacts = {
  runId: 'abc123',
  startedAt: '2026-01-01T00:00:00.000Z',
  tierbench: { version: '0.1.0', commit: null },
  placement: null,
  calibration: null,
  machine: {
    cpuModel: 'test',
    cpus: 2,
    memoryBytes: 1,
    operatingSystem: 'test',
    kernel: 'test',
    node: 'v24',
    limits: {},
    lacks: [],
    container: null,
  },
  settings: {
    engine: 'simulated',
    provider: 'local',
    workers: 1,
    seed: 1,
    coolDownS: 0,
    skipThinkTimes: false,
  },
};
const outline: StudyOutline = {
  study: 'toy',
  question: { loads: 3 },
  subjects: ['single', 'my tier/../x'],
  facts,
  targets: [],
};
const studies: StudySchemas = new Map([
  ['toy', { question: z.object({ loads: z.number() }), answer: z.object({ middle: z.number() }) }],
]);
const subject: SubjectFacts = { ...(madeUpRun([], []).subjects[0] as SubjectFacts) };

const trial: TrialRecord = {
  sequence: 2,
  subject: 'my tier/../x',
  purpose: 'measure',
  trial: {
    engine: 'simulated',
    plan: {
      scenario: 'login',
      baseUrl: 'http://127.0.0.1:1',
      load: { model: 'closed', concurrency: 10 },
      warmUpS: 0,
      durationS: 1,
      seed: 1,
      timeoutS: 1,
    },
    startedAt: '2026-01-01T00:00:00.000Z',
    startedAtMonotonicS: 1000,
    measuredS: 1,
    stopped: false,
    iterations: { intended: 0, completed: 0, failed: 0, dropped: 0 },
    steps: [],
    intervals: [],
    inFlightAtEnd: LatencyHistogram.empty().encode(),
    generator: { utilizationRatio: 0, eventLoopLagP99S: 0, sendLagP99S: null },
    failureExamples: [{ step: 'log in', outcome: 'http-error', message: 'the password hunter2-hunter2 is wrong' }],
  },
  samples: [],
  notes: [],
};

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tierbench-results-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('a results folder', () => {
  it('gives back what was written, in the order it was measured', async () => {
    const writer = await createResults(folder, outline, createSecretFilter([]));
    await writer.trial(trial);
    await writer.trial({ ...trial, sequence: 1 });
    await writer.subject({ ...subject, id: 'my tier/../x' });
    await writer.subject(subject);
    await writer.answers([{ middle: 2 }]);
    await writer.status({ state: 'finished', endedAt: '2026-01-01T00:01:00.000Z' });
    const read = await readResults(folder, studies);
    expect(read.facts).toEqual(facts);
    expect([read.study, read.question, read.answers]).toEqual(['toy', { loads: 3 }, [{ middle: 2 }]]);
    expect(read.subjects.map(({ id }) => id)).toEqual(['single', 'my tier/../x']);
    expect(read.trials.map(({ sequence }) => sequence)).toEqual([1, 2]);
    expect(read.trials[1]).toEqual(trial);
    expect(read.status.state).toBe('finished');
  });

  it('reads as running when the command was killed, a half-written file beside it', async () => {
    const writer = await createResults(folder, outline, createSecretFilter([]));
    await writer.trial(trial);
    await writeFile(join(folder, 'trials', '0003-single.json.4711.unfinished'), '{"schemaVersion": 1, "sequ');
    const read = await readResults(folder, studies);
    expect(read.status).toEqual({ state: 'running' });
    expect(read.trials).toHaveLength(1);
  });

  it('keeps trials inside the folder whatever the tier is called', async () => {
    await (await createResults(folder, outline, createSecretFilter([]))).trial(trial);
    expect(await readdir(join(folder, 'trials'))).toEqual(['0002-my_tier_.._x-login-measure-c10.json']);
  });

  it('holds no secret, wherever it came from', async () => {
    const writer = await createResults(
      folder,
      outline,
      createSecretFilter(['hunter2-hunter2', 'http-error', 'intended']),
    );
    await writer.trial(trial);
    const [file] = await readdir(join(folder, 'trials'));
    expect(await readFile(join(folder, 'trials', file ?? ''), 'utf8')).not.toContain('hunter2');
    // Secrets that are words of the file leave it readable.
    expect((await readResults(folder, studies)).trials).toHaveLength(1);
  });

  it('is never overwritten', async () => {
    await createResults(folder, outline, createSecretFilter([]));
    await expect(createResults(folder, outline, createSecretFilter([]))).rejects.toMatchObject({
      code: 'RESULTS_FOLDER_IN_USE',
    });
  });

  it('names every file that is missing or damaged', async () => {
    const writer = await createResults(folder, outline, createSecretFilter([]));
    await writer.trial(trial);
    await writeFile(join(folder, 'trials', '0009-x.json'), '{"sequence": 9}');
    await rm(join(folder, 'targets.json'));
    await expect(readResults(folder, studies)).rejects.toMatchObject({
      code: 'RESULTS_NOT_READABLE',
      problems: [{ file: join(folder, 'targets.json') }, { file: join(folder, 'trials', '0009-x.json') }],
    });
  });

  it('of a study that this version does not know, or with another kind of answer, is refused', async () => {
    const writer = await createResults(folder, outline, createSecretFilter([]));
    await expect(readResults(folder, new Map())).rejects.toMatchObject({
      code: 'RESULTS_NOT_READABLE',
      problems: [{ file: join(folder, 'study.json') }],
    });
    await writer.answers([{ middle: 'two' }]);
    await expect(readResults(folder, studies)).rejects.toMatchObject({
      code: 'RESULTS_NOT_READABLE',
      problems: [{ file: join(folder, 'answer.json') }],
    });
  });

  it.each([
    ['facts.json', 1],
    ['study.json', 3],
  ])('of another schema version is refused by that: %s of version %i', async (name, schemaVersion) => {
    await writeFile(join(folder, name), JSON.stringify({ schemaVersion }));
    await expect(readResults(folder, studies)).rejects.toMatchObject({ code: 'RESULTS_VERSION' });
  });

  it('cannot be made below a file: an error with the next step', async () => {
    const place = join(import.meta.filename, 'below-a-file');
    await expect(createResults(place, outline, createSecretFilter([]))).rejects.toMatchObject({
      code: 'CANNOT_WRITE',
      message: expect.stringContaining('ENOTDIR'),
      remedy: 'other-folder',
    });
  });
});
