import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readUsers, secretsOf } from './users-file.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tierbench-users-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const written = async (text: string): Promise<string> => {
  const path = join(folder, 'users');
  await writeFile(path, text);
  return path;
};

it.each([
  ['YAML', '- { email: ann@example.test, password: one }\n- { email: ben@example.test, password: two }\n'],
  ['JSON', '[{"email": "ann@example.test", "password": "one"}, {"email": "ben@example.test", "password": "two"}]'],
])('reads %s', async (_, text) => {
  expect(await readUsers(await written(text))).toEqual([
    { index: 0, email: 'ann@example.test', password: 'one' },
    { index: 1, email: 'ben@example.test', password: 'two' },
  ]);
});

it('takes whatever fields a scenario reads, and knows which of them are secrets', async () => {
  const users = await readUsers(await written('- { name: ann, apiKey: one, roles: [admin], quota: 5 }\n'));
  expect(users).toEqual([{ index: 0, name: 'ann', apiKey: 'one', roles: ['admin'], quota: 5 }]);
  expect(secretsOf(users)).toEqual(['one']);
});

it('names every problem with its line, and never a password', async () => {
  const path = await written('- { index: 7, password: hunter2 }\n- [1]\n- 3\n');
  const error = await readUsers(path).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'USERS_FILE_INVALID' });
  const { problems } = error as { problems: { line: number; what: string; nextStep?: string }[] };
  expect(new Set(problems.map(({ line }) => line))).toEqual(new Set([1, 2, 3]));
  expect(JSON.stringify(problems)).not.toContain('hunter2');
});
