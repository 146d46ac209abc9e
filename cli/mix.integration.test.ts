import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { StudyFacts } from '../harness/core/study-record.ts';
import type { TrialRecord } from '../harness/core/trial.ts';
import { referenceEmail } from '../harness/services/reference-app.ts';
import { startFakeTaskApi } from '../test-support/fake-task-api.ts';
import { lacks, programFor } from '../test-support/requirements.ts';
import { workplaceForEach } from '../test-support/tierbench.ts';

const place = workplaceForEach();

const read = async <T>(name: string): Promise<T> => JSON.parse(await readFile(join(place.folder, 'out', name), 'utf8'));
async function trialsOf(): Promise<readonly TrialRecord[]> {
  const names = await readdir(join(place.folder, 'out', 'trials'));
  return Promise.all(names.map((name) => read<TrialRecord>(join('trials', name))));
}
async function run(words: string): Promise<void> {
  const usual = '--scenario mixed --duration 4 --warm-up 1 --cool-down 0 --allow-missed --out out';
  const { exitCode, stderr } = await place.run(['run', ...words.split(' '), ...usual.split(' ')]);
  expect(exitCode, stderr).toBe(0);
  for (const { trial } of await trialsOf()) {
    expect(trial.iterations.completed).toBeGreaterThan(0);
    expect(trial.iterations.failed).toBe(0);
  }
}

const data = '--provider local --user-count 10 --tasks-per-user 30';

describe('run --mix', { timeout: 180_000 }, () => {
  it('sends the parts of the mix to a tier, and says in the results which mix it was', async () => {
    await writeFile(join(place.folder, 'mix.yaml'), 'crud: 1\nlogin: 3\n');
    await run(`--tier single ${data} --rate 8 --mix mix.yaml`);
    const steps = (await trialsOf()).flatMap(({ trial }) => trial.steps.map(({ name }) => name));
    expect(steps).toEqual(expect.arrayContaining(['create task', 'log in', 'refresh', 'log out']));
    expect(steps).not.toContain('stats');
    const { settings } = await read<StudyFacts>('facts.json');
    expect(settings.mix).toEqual({ browse: 0, crud: 1, login: 3 });
    const report = await readFile(join(place.folder, 'out', 'report.md'), 'utf8');
    expect(report).toContain('crud 25 %, login 75 %');
  });

  it.skipIf(lacks('k6'))('sends them by the engine k6 too (needs k6)', () =>
    expectParts(`--engine k6 --k6 ${programFor('k6')} --rate 20`),
  );

  it('sends them by the engine autocannon too', () => expectParts('--engine autocannon --concurrency 2'));

  async function expectParts(words: string): Promise<void> {
    await using api = await startFakeTaskApi();
    const all = Array.from({ length: 20 }, (_, index) => referenceEmail(index + 1));
    const users = all.map((email) => ({ email, password: `password of ${email}` }));
    await writeFile(join(place.folder, 'users.json'), JSON.stringify(users));
    await run(`--url ${api.baseUrl} --users users.json ${words} --mix browse=1,login=1`);
    expect(api.requests).toContain('POST /api/auth/refresh');
    expect(api.requests).toContain('GET /api/tasks/stats');
    expect(api.requests).not.toContain('POST /api/tasks');
  }
});

it.skipIf(lacks('nginx') || lacks('pgbouncer') || lacks('redis'))(
  'mixed gives the cache of the tier cached something to do (needs nginx, pgbouncer, redis)',
  { timeout: 180_000 },
  async () => {
    await run(`--tier cached ${data} --rate 8`);
    const samples = (await trialsOf()).flatMap((trial) => trial.samples);
    const hits = samples.flatMap(({ metric, value }) => (metric === 'cache-hits' ? [value] : []));
    expect(Math.max(...hits)).toBeGreaterThan(0);
    expect((await read<StudyFacts>('facts.json')).settings.mix).toEqual({ browse: 80, crud: 15, login: 5 });
  },
);
