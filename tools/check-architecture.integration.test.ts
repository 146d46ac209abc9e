import { execFile, execFileSync } from 'node:child_process';
import { appendFile, cp, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
let copy: string;

beforeAll(async () => {
  copy = await mkdtemp(join(tmpdir(), 'tierbench-architecture-'));
  const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: root, encoding: 'utf8' });
  for (const file of files.split('\n').filter((name) => name !== '' && !name.startsWith('.github'))) {
    await mkdir(dirname(join(copy, file)), { recursive: true });
    await cp(join(root, file), join(copy, file)).catch(() => undefined);
  }
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
});

afterAll(() => rm(copy, { recursive: true, force: true }));

async function run(...words: string[]): Promise<{ passed: boolean; text: string }> {
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, words, { cwd: copy });
    return { passed: true, text: stdout + stderr };
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    return { passed: false, text: stdout + stderr };
  }
}

const check = () => run('tools/check-architecture.ts');

it('passes as it stands, fails with the reason when a rule is broken', async () => {
  const before = await check();
  expect(before.text).toContain('0 violations');
  expect(before.passed).toBe(true);

  await appendFile(join(copy, 'harness/core/closest-match.ts'), "\nimport 'node:fs';\n");
  await appendFile(join(copy, 'scenarios/kit.ts'), "\nimport '../harness/core/closest-match.ts';\n");
  await appendFile(join(copy, 'cli/app.ts'), '\nexport const here = process.platform;\n');
  const after = await check();
  expect(after.passed).toBe(false);
  expect(after.text).toContain('room harness/core/: harness/core/closest-match.ts -> fs');
  expect(after.text).toContain('room scenarios/: scenarios/kit.ts -> harness/core/closest-match.ts');
  expect(after.text).toContain('free of clocks, sockets and files');
  expect(after.text).toContain('only-one-room-knows-the-operating-system: cli/app.ts');
});

it('scenarios and pure folders see neither Node nor the browser: their types do not compile with them', {
  timeout: 180_000,
}, async () => {
  const files = {
    scenarios: 'kit.ts',
    'harness/core': 'closest-match.ts',
    'harness/statistics': 'steady-state.ts',
    'harness/judging': 'judge.ts',
    'harness/models': 'sustained-rate-search.ts',
  };
  for (const [project, file] of Object.entries(files)) {
    await appendFile(join(copy, project, file), '\nexport const seen = [process.pid, window.name];\n');
  }
  const { passed, text } = await run('node_modules/typescript/bin/tsc', '-b', ...Object.keys(files));
  expect(passed).toBe(false);
  for (const [project, file] of Object.entries(files)) {
    const errors = text.split('\n').filter((line) => line.startsWith(`${project}/${file}(`));
    for (const name of ['process', 'window']) {
      expect(errors).toContainEqual(expect.stringContaining(`Cannot find name '${name}'`));
    }
  }
});
