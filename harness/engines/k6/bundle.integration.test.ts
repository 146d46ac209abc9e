import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { randomStream } from '../../../scenarios/kit.ts';
import { lacks, programFor, requirements } from '../../../test-support/requirements.ts';
import { bundleForK6 } from './bundle.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tierbench-test-bundle-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
}

/** A scenario that needs files of several folders, JSON and two packages, and types that only TypeScript has. */
const scenarioOfAUser = {
  'project/package.json': '{ "type": "commonjs" }',
  'project/tsconfig.json': '{ "extends": "@nowhere/to-be-found" }',
  'project/load/shop.ts': `
    import { defineScenario, randomStream, type Request, send } from 'tierbench/scenarios';
    import { greet } from 'greetings';
    import shout from 'shouting';
    import settings from '../settings.json' with { type: 'json' };
    import { pathOf } from '../shared/paths.ts';

    const request = { name: 'read', method: 'GET', path: pathOf(settings.article) } satisfies Request;
    export const reported = [greet('Ada'), shout('hey'), randomStream(1, 2, 3)()] as const;
    export default defineScenario({
      name: 'shop',
      description: 'reads an article',
      *iteration() { yield* send(request); },
    });`,
  'project/shared/paths.ts': `
    export function pathOf(article: number): string { return \`/articles/\${article}\`; }`,
  'project/settings.json': '{ "article": 42 }',
  'node_modules/greetings/package.json': '{ "type": "module", "exports": { "import": "./greet.js" } }',
  'node_modules/greetings/greet.js': `
    import { hello } from './words.js';
    export const greet = (name) => process.env.NODE_ENV === 'production' ? hello + ' ' + name : '';`,
  'node_modules/greetings/words.js': "export const hello = 'Grüß Gott';",
  'node_modules/shouting/package.json': '{ "main": "lib/shout" }',
  'node_modules/shouting/lib/shout.js': "module.exports = (words) => words.toUpperCase() + '!';",
};

const entry = {
  source: `
    import scenario, { reported } from './project/load/shop.ts';
    export const options = { vus: 1, iterations: 1 };
    export default function (): void {
      const action = scenario.iteration({}).next().value;
      console.log(JSON.stringify([...reported, scenario.name, action.request.path]));
    }`,
};

describe('in real k6', () => {
  it.for(['k6', 'k6-1'] as const)(
    "runs a user's scenario with all it imports, from another folder (needs %s)",
    async (name, { skip }) => {
      skip(lacks(name), requirements[name].how);
      const program = programFor(name) ?? name;
      await write(scenarioOfAUser);
      const bundle = await bundleForK6({ ...entry, resolveDir: folder });
      await write({ 'elsewhere/script.js': bundle });
      await rm(join(folder, 'project'), { recursive: true });
      // Without its own server, for whose port k6 1.x complains of any other that runs meanwhile.
      const { stderr } = await promisify(execFile)(
        program,
        [
          'run',
          '--quiet',
          '--no-usage-report',
          '--address',
          '',
          '--log-format',
          'raw',
          join(folder, 'elsewhere', 'script.js'),
        ],
        { cwd: tmpdir(), env: { HOME: folder } },
      );
      expect(JSON.parse(stderr)).toEqual(['Grüß Gott Ada', 'HEY!', randomStream(1, 2, 3)(), 'shop', '/articles/42']);
    },
  );
});

it('can be read, contains no folder of this machine, and is the same each time', async () => {
  await write(scenarioOfAUser);
  const bundle = await bundleForK6({ ...entry, resolveDir: folder });
  expect(bundle).toContain('function pathOf(article) {\n');
  expect(bundle).toContain('// project/shared/paths.ts\n');
  expect(bundle).toMatch(/^\/\/ tierbench\/scenarios\/kit\.[tj]s$/m);
  expect(bundle).not.toContain(folder);
  expect(bundle).not.toMatch(/\.\.\/|^import /m);
  expect(await bundleForK6({ ...entry, resolveDir: folder })).toBe(bundle);
});

it('leaves the modules of k6 to k6', async () => {
  const source =
    "import http from 'k6/http'; import { sleep } from 'k6'; export default () => sleep(http.get('/').status);";
  const bundle = await bundleForK6({ source, resolveDir: folder });
  expect(bundle).toMatch(/^import .*"k6\/http";$/m);
  expect(bundle).toMatch(/^import .*"k6";$/m);
});

it('names every place that needs what k6 has not', async () => {
  await write({
    'shop.ts': `import { readFileSync } from 'node:fs';
import { send } from 'tierbench/scenarios';
import { pages } from './parts/pages.ts';
import native from 'native';
import { gone } from 'not-installed';
import remote from 'https://127.0.0.1/remote.js';
export default [readFileSync, send, pages, native, gone, remote];`,
    'parts/pages.ts': "export const one = 1;\nexport { cpus as pages } from 'os';",
    'node_modules/native/index.js': "\n\nmodule.exports = require('./build/Release/native.node');",
    'node_modules/native/build/Release/native.node': 'ELF',
  });
  const refused = bundleForK6({ source: "export { default } from './shop.ts';", resolveDir: folder });
  const at = (file: string, line: number, what: string) =>
    expect.objectContaining({
      file: join(folder, file),
      line,
      column: expect.any(Number),
      what: expect.stringContaining(what),
    });
  const error = await refused.catch((thrown) => thrown);
  expect(error).toMatchObject({ code: 'SCENARIO_CANNOT_BE_BUNDLED', nextStep: expect.stringContaining('pure') });
  expect(error.problems).toHaveLength(5);
  expect(error.problems).toEqual(
    expect.arrayContaining([
      at('shop.ts', 1, 'imports node:fs, a module of Node'),
      at('shop.ts', 5, 'not-installed'),
      at('shop.ts', 6, 'imports https://127.0.0.1/remote.js, which is on the network'),
      at('parts/pages.ts', 2, 'imports os, a module of Node'),
      at('node_modules/native/index.js', 3, 'native code'),
    ]),
  );
});

it('says where a file cannot be read as TypeScript', async () => {
  await write({ 'shop.ts': "export const fine = 1;\nexport const = 'broken';" });
  const error = await bundleForK6({ source: "import './shop.ts';", resolveDir: folder }).catch((thrown) => thrown);
  expect(error).toMatchObject({
    code: 'SCENARIO_CANNOT_BE_BUNDLED',
    problems: [{ file: join(folder, 'shop.ts'), line: 2 }],
  });
});

it('loads what bundles only when something is bundled', async () => {
  const source = `
    import { createRequire } from 'node:module';
    import { bundleForK6 } from ${JSON.stringify(import.meta.resolve('./bundle.ts'))};
    const isLoaded = () => Object.keys(createRequire(import.meta.url).cache).some((file) => file.includes('/esbuild/'));
    const before = isLoaded();
    await bundleForK6({ source: '', resolveDir: '/' });
    console.log(before, isLoaded());`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', source], {
    cwd: import.meta.dirname,
  });
  expect(stdout).toBe('false true\n');
});
