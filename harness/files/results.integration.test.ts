import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { madeUpRun } from '../../test-support/made-up-trial.ts';
import type { TierbenchError } from '../core/errors.ts';
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

  it('reads nothing that has no end, and no text that stands for too much', async () => {
    const writer = await createResults(folder, outline, createSecretFilter([]));
    await writer.trial(trial);
    const trials = join(folder, 'trials');
    const [name = ''] = await readdir(trials);
    const text = await readFile(join(trials, name), 'utf8');
    const written: { trial: Record<string, unknown> } = JSON.parse(text);
    const damaged = (changes: object) => JSON.stringify({ ...written, trial: { ...written.trial, ...changes } });
    const zeros = deflateSync(Buffer.alloc(64 * 1024 * 1024));
    const head = Buffer.from('1c84931400000000', 'hex');
    head.writeUInt32BE(zeros.length, 4);
    await writeFile(
      join(trials, '1-bomb.json'),
      damaged({ inFlightAtEnd: Buffer.concat([head, zeros]).toString('base64') }),
    );
    await writeFile(join(trials, '2-no-histogram.json'), damaged({ inFlightAtEnd: 'nonsense' }));
    await writeFile(join(trials, '3-endless.json'), damaged({ measuredS: 1e308 }));
    const [program, pipe] = ['mkfifo', join(trials, '4-pipe.json')];
    execFileSync(program, [pipe]);
    await symlink('/dev/zero', join(trials, '5-device.json'));
    await mkdir(join(trials, '6-folder.json'));
    const error = await readResults(folder, studies).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'RESULTS_NOT_READABLE' });
    const files = (error as TierbenchError).problems.map(({ file = '' }) => basename(file));
    expect(files).toEqual([
      '1-bomb.json',
      '2-no-histogram.json',
      '3-endless.json',
      '4-pipe.json',
      '5-device.json',
      '6-folder.json',
    ]);
  });

  it('is refused where trials are a file', async () => {
    await createResults(folder, outline, createSecretFilter([]));
    await rm(join(folder, 'trials'), { recursive: true });
    await writeFile(join(folder, 'trials'), '');
    await expect(readResults(folder, studies)).rejects.toMatchObject({
      code: 'RESULTS_NOT_READABLE',
      problems: [{ file: join(folder, 'trials') }],
    });
  });

  it.runIf(existsSync('/proc/self'))('cannot be made where nothing can, and says so at once', async () => {
    await expect(createResults('/proc/tierbench/out', outline, createSecretFilter([]))).rejects.toMatchObject({
      code: 'CANNOT_WRITE',
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
