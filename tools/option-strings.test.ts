import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { expect, it } from 'vitest';

/**
 * Only the command line knows its options: elsewhere a string names what to do, and a remedy stands for the option
 * (cli/remedy-options.ts). Reports may name options, since they say how to run again.
 */
const root = join(import.meta.dirname, '..');
const mayNameOptions = /^(cli|reports|bench|tools|test-support|reference-app|harness\/contracts)\/|\.test\.ts$/u;

/** Their strings are options of other programs that happen to have the same name. */
const otherPrograms: Readonly<Record<string, readonly string[]>> = {
  'harness/engines/k6/follow-k6.ts': ['--quiet', '--out'],
  'harness/services/reference-app.ts': ['--users', '--tasks-per-user', '--seed'],
};

function optionsOfCommandLine(): readonly string[] {
  const source = readFileSync(join(root, 'cli/main.ts'), 'utf8');
  const declared = source.matchAll(/\.(?:requiredOption|option)\(\s*'(--[a-z0-9-]+)/gu);
  return [...new Set([...declared].map(([, option = '']) => option))];
}

/** Texts of string literals and templates, with the line they begin at. Comments are not among them. */
function stringsIn(file: string, source: string): readonly { readonly line: number; readonly text: string }[] {
  const parsed = ts.createSourceFile(file, source, ts.ScriptTarget.Latest);
  const found: { readonly line: number; readonly text: string }[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node)) {
      const { line } = parsed.getLineAndCharacterOfPosition(node.getStart(parsed));
      found.push({ line: line + 1, text: node.text });
    }
    ts.forEachChild(node, visit);
  };
  visit(parsed);
  return found;
}

function optionUses(file: string, source: string, options: readonly string[]): readonly string[] {
  return stringsIn(file, source).flatMap(({ line, text }) =>
    [...text.matchAll(/(?<![\w-])--[a-z0-9-]+/gu)]
      .map(([option]) => option)
      .filter((option) => options.includes(option) && !otherPrograms[file]?.includes(text))
      .map((option) => `${file}:${line}: ${option}`),
  );
}

it('names options of the command line nowhere but in cli/ and reports/', () => {
  const options = optionsOfCommandLine();
  expect(options).toEqual(expect.arrayContaining(['--tier', '--out', '--allow-remote', '--user-count', '--question']));
  const files = execFileSync('git', ['ls-files', '--', '*.ts'], { cwd: root, encoding: 'utf8' })
    .split('\n')
    .filter((file) => file !== '' && !mayNameOptions.test(file));
  const strings = files.map((file) => ({ file, source: readFileSync(join(root, file), 'utf8') }));
  // Fails too when it looked at nothing.
  expect(files.length).toBeGreaterThan(150);
  expect(strings.flatMap(({ file, source }) => stringsIn(file, source)).length).toBeGreaterThan(3000);
  expect(strings.flatMap(({ file, source }) => optionUses(file, source, options))).toEqual([]);
});

it.each([
  ["'choose another place with --out.'", 1],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: The text of a template.
  ['`${place}: use --out or --tier`', 2],
  ["'--out'", 1],
  ["'npm install --output x--out'", 0],
  ['// --out', 0],
])('finds options in strings, and not in comments: %s', (source, count) => {
  expect(optionUses('a.ts', source, ['--out', '--tier'])).toHaveLength(count);
});
