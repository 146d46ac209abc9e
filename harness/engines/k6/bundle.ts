import { isBuiltin } from 'node:module';
import { relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BuildFailure, Message, Plugin } from 'esbuild';
import { describeThrown, type Problem, TierbenchError } from '../../core/errors.ts';
import { ownModule } from '../../machine/own-package.ts';

/** A module that is not in a file, and the folder its relative imports start from. */
export interface BundleEntry {
  readonly source: string;
  readonly resolveDir: string;
}

/** What is imported from k6 itself stays an import. */
const ofK6 = /^k6($|\/)/;

/**
 * One ES module with all that the entry imports, for k6, which knows neither npm nor folders outside its own: types
 * stripped, names and lines kept readable. `tierbench/scenarios` is our own kit, installed or not.
 * @throws TierbenchError SCENARIO_CANNOT_BE_BUNDLED with each place that needs what k6 has not
 */
export async function bundleForK6({ source, resolveDir }: BundleEntry): Promise<string> {
  // Loaded here, because it starts a process of its own.
  const { build } = await import('esbuild');
  try {
    const { outputFiles, metafile } = await build({
      stdin: { contents: source, resolveDir, sourcefile: 'entry.ts', loader: 'ts' },
      absWorkingDir: resolveDir,
      bundle: true,
      write: false,
      metafile: true,
      format: 'esm',
      platform: 'neutral',
      mainFields: ['module', 'main'],
      target: 'es2022',
      charset: 'utf8',
      // Many packages ask for it; k6 has no `process`.
      define: { 'process.env.NODE_ENV': '"production"' },
      // As in Node, which strips types and reads no tsconfig.json.
      tsconfigRaw: {},
      logLevel: 'silent',
      plugins: [onlyWhatK6Has],
    });
    return withPlainNames(outputFiles[0]?.text ?? '', Object.keys(metafile.inputs), resolveDir);
  } catch (error) {
    throw cannotBeBundled(error, resolveDir);
  }
}

const onlyWhatK6Has: Plugin = {
  name: 'only-what-k6-has',
  setup({ onResolve }) {
    onResolve({ filter: /^tierbench\/scenarios$/ }, () => ({ path: ownScenarioFile('kit') }));
    onResolve({ filter: /^tierbench\/scenarios\/mixed$/ }, () => ({ path: ownScenarioFile('mixed') }));
    onResolve({ filter: ofK6 }, ({ path }) => ({ path, external: true }));
    onResolve({ filter: /.*/ }, ({ path }) => {
      const why = whyNot(path);
      return why === undefined ? undefined : { errors: [{ text: `imports ${path}, ${why}` }] };
    });
  },
};

function whyNot(specifier: string): string | undefined {
  if (isBuiltin(specifier)) return 'a module of Node, which k6 does not have';
  if (specifier.endsWith('.node')) return 'native code, which k6 cannot load';
  if (/^https?:/.test(specifier)) return 'which is on the network: a load must not change by itself';
  return undefined;
}

function ownScenarioFile(name: 'kit' | 'mixed'): string {
  return fileURLToPath(ownModule(`../../../scenarios/${name}`, import.meta.url));
}

/** A comment says which file each part is from: not where on this machine that file is. */
function withPlainNames(bundle: string, inputs: readonly string[], resolveDir: string): string {
  const ownFolder = fileURLToPath(new URL('../../../', import.meta.url));
  const plain = new Map(
    inputs.map((input) => {
      const inOwn = relative(ownFolder, resolve(resolveDir, input));
      const name = inOwn.startsWith('..') ? input.replace(/^(\.\.\/)+/, '') : `tierbench/${inOwn}`;
      return [`// ${input}`, `// ${name}`];
    }),
  );
  return bundle
    .split('\n')
    .map((line) => plain.get(line) ?? line)
    .join('\n');
}

function cannotBeBundled(error: unknown, resolveDir: string): TierbenchError {
  const messages = isBuildFailure(error) ? error.errors : [];
  if (messages.length === 0) {
    return new TierbenchError(
      'SCENARIO_CANNOT_BE_BUNDLED',
      `the scenario cannot be bundled for k6: ${describeThrown(error)}`,
      'Run `npm install --include=optional` where tierbench is installed: esbuild, which bundles, may be incomplete.',
      { cause: error },
    );
  }
  const problems = messages.map((message) => problemOf(message, resolveDir));
  return new TierbenchError(
    'SCENARIO_CANNOT_BE_BUNDLED',
    'the scenario cannot be bundled for k6',
    'Import `tierbench/scenarios`, your own files and packages that are pure JavaScript; the other engines run in Node.',
    { problems, cause: error },
  );
}

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && 'errors' in error && Array.isArray(error.errors);
}

/** Lines count from 1 and columns from 0 there. */
function problemOf({ text, location }: Message, resolveDir: string): Problem {
  if (location === null) return { what: text };
  const { file, line, column } = location;
  return { what: text, file: resolve(resolveDir, file), line, column: column + 1 };
}
