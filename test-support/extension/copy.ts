import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const copied = ['harness', 'exports', 'cli', 'reports', 'scenarios', 'reference-app', 'package.json'];

/** A copy of tierbench with the kind `echo`: one file and two lines in the registry, its import and itself. */
export async function copyWithEcho(): Promise<
  AsyncDisposable & { readonly folder: string; readonly tierFile: string }
> {
  const folder = await mkdtemp(join(tmpdir(), 'tierbench-extension-'));
  await Promise.all(copied.map((name) => cp(join(root, name), join(folder, name), { recursive: true })));
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  const kind = await readFile(join(import.meta.dirname, 'echo.ts'), 'utf8');
  await writeFile(
    join(folder, 'harness/services/echo.ts'),
    kind.replace('../../harness/services/service-type.ts', './service-type.ts'),
  );
  const registry = join(folder, 'harness/services/registry.ts');
  const text = await readFile(registry, 'utf8');
  const extended = text
    .replace(/^import /mu, "import { echo } from './echo.ts';\nimport ")
    .replace(/return \[/u, 'return [echo, ');
  await writeFile(registry, extended);
  const tierFile = join(folder, 'echo.yaml');
  await cp(join(import.meta.dirname, 'echo.yaml'), tierFile);
  return { folder, tierFile, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}
