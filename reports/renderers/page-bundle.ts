import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

let bundled: Promise<string> | undefined;

/**
 * The page's script with all that it imports, as one text. A built package carries it (tools/build.ts); from sources it is
 * bundled once in each process.
 */
export function pageScript(): Promise<string> {
  bundled ??= existsSync(here('../page/page-script.bundle.js'))
    ? readFile(here('../page/page-script.bundle.js'), 'utf8')
    : bundlePageScript(here('../page/page-script.ts'));
  return bundled;
}

/** @throws Error when esbuild cannot read or translate a file. */
export async function bundlePageScript(entry: string): Promise<string> {
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    target: 'es2022',
    legalComments: 'none',
    // It stands in a script element, which nothing in it may end.
    supported: { 'inline-script': false },
  });
  return outputFiles[0]?.text ?? '';
}
