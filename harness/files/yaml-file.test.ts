import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { checkSchema, closedObject, parseYaml, readYamlFile } from './yaml-file.ts';

const kind = { kind: 'example', invalid: 'TIER_FILE_INVALID' } as const;
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tierbench-yaml-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

test.each([
  ['a file that is not there', 'FILE_NOT_FOUND', () => join(folder, 'nothing.yaml')],
  ['a path through a file', 'FILE_NOT_FOUND', () => join(written('file.yaml', 'a: 1'), 'x.yaml')],
  ['a folder', 'FILE_NOT_READABLE', () => folder],
  ['a device without an end', 'FILE_NOT_READABLE', () => '/dev/zero'],
  ['a file of more than 1 MiB', 'FILE_NOT_READABLE', () => written('huge.yaml', `a: ${'x'.repeat(1024 * 1024)}`)],
])('%s is refused', async (_, code, path) => {
  await expect(readYamlFile(path(), kind)).rejects.toMatchObject({ code, nextStep: expect.stringMatching(/\.$/) });
});

test('a named pipe is refused instead of waited for', async () => {
  const path = join(folder, 'pipe.yaml');
  execFileSync('sh', ['-c', 'mkfifo "$0"', path]);
  await expect(readYamlFile(path, kind)).rejects.toMatchObject({ code: 'FILE_NOT_READABLE' });
});

test('a byte order mark and Windows line ends do not move places', async () => {
  const file = await readYamlFile(written('windows.yaml', '\uFEFFa: 1\r\nb:\r\n  c: [1, 2]\r\n'), kind);
  expect(file.value).toEqual({ a: 1, b: { c: [1, 2] } });
  expect(file.place(['b', 'c', 1])).toMatchObject({ line: 3, column: 10 });
});

test('places are those of the value, of its key, or of what is around it', () => {
  const file = parseYaml('a:\n  b: 1\n  empty:\nlist:\n  - x: 2\n', 'here.yaml', kind);
  expect(file.place(['a', 'b'])).toEqual({ file: 'here.yaml', line: 2, column: 6 });
  expect(file.place(['a', 'b'], 'key')).toEqual({ file: 'here.yaml', line: 2, column: 3 });
  expect(file.place(['a', 'empty'])).toEqual({ file: 'here.yaml', line: 3, column: 3 });
  expect(file.place(['a', 'missing', 'deeper'])).toEqual({ file: 'here.yaml', line: 2, column: 3 });
  expect(file.place(['list', 0, 'x'])).toEqual({ file: 'here.yaml', line: 5, column: 8 });
});

test('an alias stands for its anchor, and a problem behind it is placed at the anchor', () => {
  const file = parseYaml('base: &base { size: big }\ncopy: *base\n', 'here.yaml', kind);
  expect(file.value).toEqual({ base: { size: 'big' }, copy: { size: 'big' } });
  const sized = closedObject({ size: z.number() });
  const { problems } = checkSchema(file, closedObject({ base: sized, copy: sized }));
  expect(problems.map(({ line, column, what }) => [line, column, what])).toEqual([
    [1, 21, "base.size must be a number, but is the text 'big'"],
    [1, 21, "copy.size must be a number, but is the text 'big'"],
  ]);
});

test('keys that every object has by itself are unknown keys like others', () => {
  const file = parseYaml('__proto__: { a: 1 }\nconstructor: 2\ntoString: 3\n', 'here.yaml', kind);
  const { problems } = checkSchema(file, closedObject({ a: z.number().optional() }));
  expect(problems.map(({ what }) => what)).toEqual([
    "unknown key '__proto__'",
    "unknown key 'constructor'",
    "unknown key 'toString'",
  ]);
});

test('text of a file cannot command the terminal', () => {
  const file = parseYaml('"\\e[2J\\e]0;owned": 1\na: "\\e[31m"\n', 'here.yaml', kind);
  const { problems } = checkSchema(file, closedObject({ a: z.number() }));
  expect(problems).toHaveLength(2);
  expect(JSON.stringify(problems)).not.toContain('\\u001b');
});

test('of very many problems the first are listed and all are counted', () => {
  const text = 'a: 1\n'.repeat(200);
  const file = parseYaml(text, 'here.yaml', kind);
  expect(file.problems).toHaveLength(199);
  expect(() => parseYaml(`${text}b: [\n`, 'here.yaml', kind)).toThrow(
    expect.objectContaining({
      message: 'the example file here.yaml has 200 problems; the first 50 are listed',
      problems: expect.toSatisfy((problems: readonly unknown[]) => problems.length === 50),
    }),
  );
});

function written(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

test('more aliases than are resolved are refused, and not all of many unknown keys are listed', () => {
  const file = { kind: 'tier', invalid: 'TIER_FILE_INVALID' } as const;
  const aliases = `a: &a 1\nb: [${Array.from({ length: 10_000 }, () => '*a').join(', ')}]\n`;
  expect(() => parseYaml(aliases, 'x.yaml', file)).toThrow(expect.objectContaining({ code: 'TIER_FILE_INVALID' }));
  const keys = Array.from({ length: 10_000 }, (_, index) => `key${index}: 1`).join('\n');
  const { problems } = checkSchema(parseYaml(keys, 'x.yaml', file), closedObject({ name: z.string().exactOptional() }));
  expect(problems).toHaveLength(51);
});
