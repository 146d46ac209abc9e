import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Lists where a word stands that docs/glossary.md replaces by another: in code, comments and messages, in docs, and in the
 * names of files. Words are compared one by one, so `due` is found in `dueS` and `isDue`, and not in `residue`.
 */

interface Exception {
  readonly file: RegExp;
  readonly word: string;
  readonly why: string;
}

/** Where a word has another meaning than the one that the glossary replaces. */
export const exceptions: readonly Exception[] = [
  { file: /^docs\/glossary\.md$|^tools\/words/u, word: '', why: 'They name the words.' },
  { file: /^reference-app\/|^scenarios\//u, word: 'due', why: 'A task of the reference app has a due time.' },
  {
    file: /^harness\/(http-client|engines|contracts\/engines)\//u,
    word: 'piece',
    why: 'What one read of a socket gives.',
  },
  { file: /^harness\/files\/(fixtures\/|malformed)/u, word: 'bring up', why: 'The text of a broken file.' },
];

export interface WordUse {
  readonly file: string;
  /** From 1; 0: the name of the file. */
  readonly line: number;
  readonly word: string;
  readonly instead: string;
}

/** The last column of each table, with the term that replaces it: `mend` -> `fix`. */
export function replacedWords(glossary: string): ReadonlyMap<string, string> {
  const rows = glossary
    .split('\n')
    .map((line) => line.split(/(?<!\\)\|/u).map((cell) => cell.trim()))
    .filter((cells) => cells.length === 6 && !/^-*$/u.test(cells[1] ?? '') && cells[4] !== 'not');
  return new Map(
    rows.flatMap(([, term = '', , , not = '']) =>
      not
        .split(',')
        .map((word) => word.trim())
        .filter((word) => word !== '')
        .map((word) => [word, term] as const),
    ),
  );
}

export function findWords(
  files: readonly { readonly file: string; readonly text: string }[],
  replaced: ReadonlyMap<string, string>,
): readonly WordUse[] {
  const patterns = [...replaced].map(([word, instead]) => {
    const letters = word.split(/[ -]/u).join(' ');
    return { word, instead, pattern: new RegExp(`(?<![a-z])${letters}s?(?![a-z])`, 'u') };
  });
  return files.flatMap(({ file, text }) =>
    [file, ...text.split('\n')].flatMap((content, line) => {
      const words = separated(content);
      return patterns
        .filter(({ word, pattern }) => pattern.test(words) && !isException(file, word))
        .map(({ word, instead }) => ({ file, line, word, instead }));
    }),
  );
}

/** `dueAtS`, `under-way` and `under_way` are `due at s` and `under way`. */
function separated(content: string): string {
  return content
    .replaceAll(/([a-z0-9])([A-Z])/gu, '$1 $2')
    .replaceAll(/[-_ ]+/gu, ' ')
    .toLowerCase();
}

function isException(file: string, word: string): boolean {
  return exceptions.some((each) => each.file.test(file) && (each.word === '' || each.word === word));
}

if (import.meta.main) {
  const root = join(import.meta.dirname, '..');
  const listed = execFileSync('git', ['ls-files', '*.ts', '*.md', '*.yaml', '*.yml', '*.js'], {
    cwd: root,
    encoding: 'utf8',
  });
  const files = listed
    .split('\n')
    .filter((file) => file !== '')
    .flatMap((file) => {
      try {
        return [{ file, text: readFileSync(join(root, file), 'utf8') }];
      } catch {
        // It was moved and is not committed yet.
        return [];
      }
    });
  const replaced = replacedWords(readFileSync(join(root, 'docs/glossary.md'), 'utf8'));
  const uses = findWords(files, replaced);
  for (const { file, line, word, instead } of uses) console.error(`${file}:${line}: '${word}', use '${instead}'`);
  console.log(`${files.length} files, ${replaced.size} words, ${uses.length} uses`);
  process.exitCode = uses.length > 0 || files.length < 100 || replaced.size < 10 ? 1 : 0;
}
