import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const documented = new Set(
  [...readFileSync(join(root, 'docs/errors.md'), 'utf8').matchAll(/^\| `([A-Z0-9_]+)` *\|/gm)].map(([, code]) => code),
);

/** Codes as the sources give them to a TierbenchError: as its first argument, or as a `...Code:` or `invalid:` of a caller. */
function codesIn(source: string): string[] {
  const text = readFileSync(join(root, source), 'utf8');
  const pattern =
    /(?:TierbenchError\(\s*(?:[\w.]+\s*\?\s*)?|[cC]ode: |invalid: |\? |: )'([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)'/g;
  return text.includes('TierbenchError') || text.includes('FileKind')
    ? [...text.matchAll(pattern)].map(([, code]) => code ?? '').filter((code) => !code.startsWith('ERR_'))
    : [];
}

it('documents every error code that a user can meet, and none that is gone', () => {
  const sources = globSync('{cli,harness,reports,exports}/**/*.ts', { cwd: root }).filter(
    (file) => !/\.test\.ts$|contracts|fixtures/.test(file),
  );
  const used = new Set(sources.flatMap(codesIn));
  expect(used.size).toBeGreaterThan(30);
  expect([...used].filter((code) => !documented.has(code)).toSorted()).toEqual([]);
  const mentioned = sources.map((file) => readFileSync(join(root, file), 'utf8')).join('\n');
  expect([...documented].filter((code) => !mentioned.includes(`${code}`)).toSorted()).toEqual([]);
});
