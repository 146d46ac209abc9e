import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, test } from 'vitest';
import { errorCodes } from '../harness/core/error-codes.ts';
import { generatedDocs } from './generated-docs.ts';

const root = join(import.meta.dirname, '..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');

test.each(Object.entries(generatedDocs))('%s is as `npm run docs` writes it', (path, page) => {
  expect(read(path)).toBe(page());
});

it('lists no error code that is gone', () => {
  const sources = globSync('{cli,harness,reports,exports}/**/*.ts', { cwd: root })
    .filter((file) => !/\.test\.ts$|error-codes\.ts$/.test(file))
    .map(read)
    .join('\n');
  const codes = Object.values(errorCodes).flatMap((group) => Object.keys(group));
  expect(codes.filter((code) => !sources.includes(code))).toEqual([]);
});
