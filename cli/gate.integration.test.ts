import { execFileSync } from 'node:child_process';
import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { GateAnswer } from '../harness/core/gate.ts';
import { type Workplace, workplace } from '../test-support/tierbench.ts';

const tree = join(import.meta.dirname, '..');

let place: Workplace;
beforeEach(async () => {
  place = await workplace();
});
afterEach(async () => {
  const left = await place.orphans();
  await place[Symbol.asyncDispose]();
  expect(left).toEqual([]);
});

/** The repository of an app: one commit, and the packages that are installed in its working tree. */
async function repository(): Promise<string> {
  const folder = join(place.folder, 'app');
  await mkdir(folder);
  for (const name of await readdir(join(tree, 'reference-app'))) {
    if (name !== 'node_modules' && name !== 'test')
      await cp(join(tree, 'reference-app', name), join(folder, name), { recursive: true });
  }
  await writeFile(join(folder, '.gitignore'), 'node_modules\n');
  git(folder, 'init', '--quiet', '--initial-branch=main');
  git(folder, 'add', '--all');
  git(folder, '-c', 'user.name=A', '-c', 'user.email=a@bench.example', 'commit', '--quiet', '--message', 'Begin');
  await symlink(join(tree, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

function git(folder: string, ...words: readonly string[]): void {
  execFileSync('git', ['-C', folder, ...words], { stdio: 'pipe' });
}

async function gateIn(folder: string, words: string) {
  const started = place.start(['gate', ...words.split(' ')], {}, folder);
  return await started.ended;
}

describe('gate', { timeout: 600_000 }, () => {
  it('finds the route that a change in the working tree made slower, and the service whose CPU it takes', async () => {
    const folder = await repository();
    const file = join(folder, 'routes/tasks.ts');
    const source = await readFile(file, 'utf8');
    const slow = source.replace(
      "const { page, limit, status, priority, search = '', sort } = request.query;",
      '$&\n      for (const until = performance.now() + 50; performance.now() < until; );',
    );
    expect(slow).not.toBe(source);
    await writeFile(file, slow);
    const usual = '--provider local --user-count 20 --tasks-per-user 20 --rate 4 --duration 2 --warm-up 0.5';
    const { exitCode, stdout, stderr } = await gateIn(folder, `--base main ${usual} --minutes 10 --out out`);
    expect(exitCode, stderr).toBe(2);
    expect(stdout).toContain('crud: head is slower');
    const [answer]: readonly GateAnswer[] = JSON.parse(await readFile(join(folder, 'out/answer.json'), 'utf8'));
    expect(answer?.verdict).toBe('slower');
    const slower = answer?.metrics.filter(({ kind }) => kind === 'slower').map(({ metric }) => metric);
    expect(slower).toContainEqual({ kind: 'latency', step: 'list tasks', quantile: 0.5 });
    expect(slower).toContainEqual({ kind: 'cpu', service: 'api' });
    // Of ten names one may be wrong: the database may be among them, and never with as much.
    const ratioOf = (service: string) =>
      answer?.metrics.find(({ metric }) => metric.kind === 'cpu' && metric.service === service)?.ratio.value ?? 0;
    expect(ratioOf('api')).toBeGreaterThan(2 * ratioOf('database'));
  });

  it('refuses what it cannot compare', async () => {
    const folder = await repository();
    await mkdir(join(place.folder, 'empty'));
    const ends = await Promise.all([
      gateIn(folder, '--base no-such-branch'),
      gateIn(folder, '--base=--output=x'),
      gateIn(folder, `--base ${join(place.folder, 'empty')}`),
      gateIn(join(place.folder, 'empty'), '--base main'),
      gateIn(folder, '--base main --tier single,pooled --tolerance 0%'),
    ]);
    expect(ends.map(({ exitCode }) => exitCode)).toEqual([1, 1, 1, 1, 1]);
    const codes = ends.map(({ stderr }) => /error (\w+):/.exec(stderr)?.[1]);
    expect(codes).toEqual([...Array(4).fill('SOURCE_INVALID'), 'OPTIONS_INVALID']);
  });
});
