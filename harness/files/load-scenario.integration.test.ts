import { execFile, execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { scenarioTemplate } from './scenario-template.ts';

// Node itself loads the files here: the test runner's own loader would translate what Node refuses.
const LOADER = `
  import { createScenarioRunner } from ${JSON.stringify(new URL('../engines/shared/scenario-runner.ts', import.meta.url).href)};
  import { loadScenario } from ${JSON.stringify(new URL('load-scenario.ts', import.meta.url).href)};
  const outcomes = {};
  for (const reference of JSON.parse(process.argv[1])) {
    try {
      const scenario = await loadScenario(reference);
      const { name, description, hasThinkTime = false } = scenario;
      const user = { index: 0, email: 'user@example.org', password: '' };
      const runner = createScenarioRunner({ scenario, user, seed: 1, virtualUser: 0 });
      outcomes[reference] = { name, description, hasThinkTime, first: runner.startIteration() };
    } catch (error) {
      const { name, code, message, nextStep, problems } = error;
      outcomes[reference] = { error: name, code, message, nextStep, problems };
    }
  }
  console.log(JSON.stringify(outcomes));
`;

interface Outcome {
  readonly name?: string;
  /** What it does first. */
  readonly first?: unknown;
  readonly error?: string;
  readonly code?: string;
  readonly message?: string;
  readonly nextStep?: string;
  readonly problems?: readonly { readonly file?: string; readonly line?: number; readonly column?: number }[];
}

const good = (fields: string) => `import { defineScenario, send } from 'tierbench/scenarios';
export default defineScenario({ name: 'mine', description: 'd', *iteration() {}, ${fields} });
`;

/** File -> its text, what the message must tell, and the line it must name. */
const malformed: Readonly<Record<string, { text: string; says: string; line?: number; column?: number }>> = {
  'empty.ts': { text: '', says: 'has no default export' },
  'named-export.ts': { text: 'export const scenario = {};', says: 'has no default export' },
  'function.ts': { text: 'export default function* () {}', says: 'its default export is a function' },
  'text.ts': { text: "export default 'login';", says: 'its default export is a string' },
  'null.ts': { text: 'export default null;', says: 'not a scenario' },
  'no-fields.ts': { text: 'export default {};', says: 'iteration must be a generator' },
  'name-number.ts': { text: good('name: 5'), says: 'name must be 1 to 64 letters, digits, dots or dashes, but is 5' },
  'name-path.ts': { text: good("name: '../../etc'"), says: 'but is "../../etc"' },
  'no-description.ts': { text: good('description: undefined'), says: 'description must be a text' },
  'hasThinkTime-text.ts': { text: good("hasThinkTime: 'yes'"), says: 'hasThinkTime must be true or false' },
  'async-iteration.ts': { text: good('async *iteration() {}'), says: 'iteration must be a generator' },
  'async-begin.ts': { text: good('async begin() {}'), says: 'begin must be a generator' },
  'iteration-object.ts': { text: good('iteration: {}'), says: 'iteration must be a generator' },
  'misspelt.ts': { text: good('*iterations() {}'), says: "there is no field 'iterations': Did you mean 'iteration'?" },
  'syntax.ts': { text: 'const a = 1;\nexport default {;\n', says: 'Unexpected token `;`', line: 2, column: 17 },
  'twice.ts': { text: 'const a = 1;\nconst a = 2;\n', says: "'a' has already been declared" },
  'enum.ts': { text: '\n\nenum Kind { A }\n', says: 'enum is not supported in strip-only mode', line: 3, column: 1 },
  'exits.ts': { text: 'process.exit(0);\n', says: 'calls process.exit(0)' },
  'waits.ts': { text: 'await new Promise(() => {});\n', says: 'did not load within 10 s' },
  'kills-itself.ts': {
    text: "process.kill(process.pid, 'SIGTERM');\nfor (;;);\n",
    says: 'ends its process with SIGTERM',
  },
  'aborts.ts': { text: 'process.abort();\n', says: 'ends its process with SIGABRT' },
  'throws.ts': {
    text: "const a: number = 1;\nthrow new Error('boom');",
    says: 'throws when it is loaded: boom',
    line: 2,
  },
  'throws-text.ts': { text: "throw 'boom';", says: 'throws when it is loaded: boom' },
  'throws-nothing.ts': { text: 'throw undefined;', says: 'throws when it is loaded: undefined' },
  'throws-proxy.ts': {
    text: 'const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); throw proxy;',
    says: 'throws when it is loaded',
  },
  'getter.ts': { text: good("get description() { throw Symbol('no'); }"), says: 'Symbol(no)' },
  'name-bigint.ts': { text: good('name: 5n'), says: 'but is 5' },
  'missing-import.ts': { text: "import './nowhere.ts';", says: 'nowhere.ts' },
  'missing-package.ts': {
    text: "import 'no-such-package-at-all';",
    says: "Cannot find package 'no-such-package-at-all'",
  },
  'wrong-import.ts': {
    text: "import { sned } from 'tierbench/scenarios';\nsned();",
    says: "does not provide an export named 'sned'",
    line: 1,
  },
  'in-an-import.ts': {
    text: "import './broken-part.ts';\nexport default {};",
    says: 'Expression expected',
    line: 3,
  },
  'syntax.mjs': { text: 'export default {;', says: "Unexpected token ';'" },
  'scenario.json': { text: '{}', says: 'neither TypeScript nor JavaScript' },
};

const loadable: Readonly<Record<string, { text: string; name: string }>> = {
  'template.ts': { text: scenarioTemplate('checkout', 'tierbench run'), name: 'checkout' },
  'plain.js': { text: good(''), name: 'mine' },
  'own-mix.ts': {
    text: "import { mixedScenario } from 'tierbench/scenarios/mixed';\nexport default mixedScenario({ browse: 1, crud: 0, login: 0 });",
    name: 'mixed',
  },
  'with-parts.ts': { text: `import { fields } from './parts/fields.ts';\n${good('...fields')}`, name: 'mine' },
};

let folder: string;
let outcomes: Record<string, Outcome>;
const inFolder = (file: string): string => join(folder, file);

beforeAll(async () => {
  // Says `commonjs`, and has no tierbench installed: as any folder of a user may be.
  folder = await mkdtemp(join(tmpdir(), 'tierbench-scenarios-'));
  const texts: Record<string, string> = {
    'package.json': '{ "type": "commonjs" }',
    'broken-part.ts': '\n\nexport const a = ;\n',
    'parts/fields.ts':
      "import { send } from 'tierbench/scenarios';\nexport const fields = { hasThinkTime: send === undefined };\n",
  };
  for (const [file, { text }] of Object.entries({ ...malformed, ...loadable })) texts[file] = text;
  for (const [file, text] of Object.entries(texts)) {
    await mkdir(dirname(inFolder(file)), { recursive: true });
    await writeFile(inFolder(file), text);
  }
  execFileSync('sh', ['-c', 'mkfifo pipe.ts'], { cwd: folder });
  await writeFile(inFolder('large.ts'), '');
  await truncate(inFolder('large.ts'), 2 ** 40);
  const references = [
    ...[...Object.keys(malformed), ...Object.keys(loadable)].map(inFolder),
    ...['login', 'crud', 'mixed', 'browse', 'visit', 'logn', 'toString', './nowhere.ts', './parts/'],
    ...['./pipe.ts', './large.ts'],
  ];
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '-e', LOADER, JSON.stringify(references)],
    { cwd: folder },
  );
  expect(stderr).toBe('');
  outcomes = JSON.parse(stdout);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('loadScenario', () => {
  test.each(Object.entries(malformed))(
    '%s is refused with its place and the next step',
    (file, { says, line, column }) => {
      const outcome = outcomes[inFolder(file)];
      expect(outcome).toMatchObject({ error: 'TierbenchError', code: 'SCENARIO_INVALID' });
      expect(outcome?.message).toContain(says);
      expect(outcome?.message).toContain(folder);
      expect(outcome?.nextStep).not.toBe('');
      const [problem] = outcome?.problems ?? [];
      if (line !== undefined) expect(problem?.line).toBe(line);
      if (column !== undefined) expect(problem?.column).toBe(column);
    },
  );

  test('all that is wrong with its fields is reported at once', () => {
    expect(outcomes[inFolder('no-fields.ts')]?.problems).toHaveLength(3);
    expect(outcomes[inFolder('in-an-import.ts')]?.problems?.[0]?.file).toBe(inFolder('broken-part.ts'));
  });

  test.each(Object.entries(loadable))('%s loads, though tierbench is not installed beside it', (file, { name }) => {
    expect(outcomes[inFolder(file)]).toMatchObject({ name });
  });

  test('what `tierbench init scenario` writes runs as it is', () => {
    const request = { name: 'front page', method: 'GET', path: '/', headers: {} };
    expect(outcomes[inFolder('template.ts')]?.first).toEqual({ kind: 'send', request });
  });

  test.each(['login', 'crud', 'mixed', 'browse', 'visit'])('the built-in %s loads', (name) => {
    expect(outcomes[name]).toMatchObject({ name, hasThinkTime: name === 'browse' || name === 'visit' });
  });

  test('what is not there is not found, with the nearest name', () => {
    expect(outcomes.logn).toMatchObject({
      code: 'SCENARIO_NOT_FOUND',
      nextStep: expect.stringContaining("Did you mean 'login'?"),
    });
    expect(outcomes.toString).toMatchObject({ code: 'SCENARIO_NOT_FOUND' });
    expect(outcomes['./nowhere.ts']).toMatchObject({
      code: 'SCENARIO_NOT_FOUND',
      message: expect.stringContaining(inFolder('nowhere.ts')),
    });
    expect(outcomes['./parts/']).toMatchObject({ code: 'SCENARIO_NOT_FOUND' });
  });

  test('what would keep its reader for ever, or is far too large, is not read', () => {
    expect(outcomes['./pipe.ts']).toMatchObject({ code: 'SCENARIO_NOT_FOUND' });
    expect(outcomes['./large.ts']).toMatchObject({ code: 'SCENARIO_INVALID' });
  });
});
