import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { findWords, replacedWords } from './words.ts';

const replaced = replacedWords(`
| term | meaning | source | not |
| --- | --- | --- | --- |
| scheduled start | When a request should be sent. | wrk2 | due |
| in flight | Sent and not answered yet. | | under way, left over |
| latency | Time to the last byte. | | |
`);

it('reads the last column of the glossary, and finds words in it', () => {
  expect([...replaced]).toEqual([
    ['due', 'scheduled start'],
    ['under way', 'in flight'],
    ['left over', 'in flight'],
  ]);
  const glossary = readFileSync(join(import.meta.dirname, '../docs/glossary.md'), 'utf8');
  expect(replacedWords(glossary).get('mend')).toBe('fix');
});

it.each([
  ['dueAtS', 'due'],
  ['isDue()', 'due'],
  ["'what is due'", 'due'],
  ['still under way', 'under way'],
  ['underWay', 'under way'],
  ['under-way.ts', 'under way'],
])('finds a word in identifiers, text and names of files: %s', (text, word) => {
  const [found] = findWords([{ file: 'a.ts', text: `one\n${text}` }], replaced);
  expect(found).toMatchObject({ file: 'a.ts', line: 2, word });
});

it.each(['residue', 'undue', 'subdued', 'under no way'])('does not take a part of another word for it: %s', (text) => {
  expect(findWords([{ file: 'a.ts', text }], replaced)).toEqual([]);
});

it('looks at the names of files, and passes over the glossary itself', () => {
  expect(findWords([{ file: 'harness/due.ts', text: '' }], replaced)).toMatchObject([{ line: 0, word: 'due' }]);
  expect(findWords([{ file: 'docs/glossary.md', text: 'due' }], replaced)).toEqual([]);
});
