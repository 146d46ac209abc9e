import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startTestServer } from '../harness/contracts/engines/server.ts';
import { lacks } from '../test-support/requirements.ts';
import { type Ended, workplaceForEach } from '../test-support/tierbench.ts';

const place = workplaceForEach();

/** What every mistake of a user must lead to. */
function expectClear({ exitCode, stderr }: Ended, code: string): void {
  expect(stderr).toContain(`error ${code}:`);
  expect(stderr, 'the next step').toMatch(/next: .{10}/);
  expect(stderr, 'no stack trace').not.toMatch(/^ {4}at /m);
  expect(exitCode).toBe(1);
}

const write = async (name: string, text: string) => {
  await writeFile(join(place.folder, name), text);
  return `./${name}`;
};

describe('words of the command line', () => {
  it.each([
    ['rn', 'COMMAND_LINE_INVALID', 'run'],
    ['run --durration 3', 'COMMAND_LINE_INVALID', '--duration'],
    ['run --duration', 'COMMAND_LINE_INVALID', '--duration'],
    ['run extra', 'COMMAND_LINE_INVALID', 'extra'],
    ['run --tier singel', 'TIER_UNKNOWN', "'single'"],
    ['run --tier ./missing.yaml', 'FILE_NOT_FOUND', 'missing.yaml'],
    ['run --scenario logn', 'SCENARIO_NOT_FOUND', "'login'"],
    ['run --scenario ./missing.ts', 'SCENARIO_NOT_FOUND', 'missing.ts'],
    ['run --engine autocanon', 'OPTIONS_INVALID', "'autocannon'"],
    ['run --provider locale', 'OPTIONS_INVALID', "'local'"],
    ['run --url localhost', 'OPTIONS_INVALID', 'http'],
    ['run --url http://127.0.0.1:1', 'URL_NOT_REACHABLE', '127.0.0.1:1'],
    ['run --url http://192.0.2.1', 'REMOTE_HOST_REFUSED', '--allow-remote'],
    ['run --concurrency 1,0,x --seed -1', 'OPTIONS_INVALID', "'x'"],
    ['run --tier single,single', 'OPTIONS_INVALID', "'single'"],
    ['run --fault kil:api --fault database', 'OPTIONS_INVALID', "'kill'"],
    ['run --tier single --fault kill:cache,pause:api/7', 'OPTIONS_INVALID', "no instance 'api/7'"],
    ['run --targets ./missing.yaml', 'FILE_NOT_FOUND', 'missing.yaml'],
    ['run --url http://127.0.0.1:1 --users ./missing.yaml', 'FILE_NOT_FOUND', 'missing.yaml'],
    ['run --tier singel --scenario logn --targets ./missing.yaml', 'INPUTS_INVALID', 'SCENARIO_NOT_FOUND'],
    ['report ./nowhere', 'RESULTS_NOT_READABLE', 'facts.json'],
    ['fit ./missing.csv', 'FILE_NOT_FOUND', 'missing.csv'],
    ['fit ./missing.csv --p95 20 --noise loud', 'OPTIONS_INVALID', '--noise'],
    ['plan ./nowhere --users 10', 'RESULTS_NOT_READABLE', 'facts.json'],
    ['plan ./nowhere --users 10 --rate ten', 'OPTIONS_INVALID', 'more than one'],
    ['up --tier single,single', 'OPTIONS_INVALID', 'one tier'],
    ['run --out=', 'OPTIONS_INVALID', '--out is empty'],
    ['compose --tier=', 'OPTIONS_INVALID', '--tier is empty'],
    ['run --url http://127.0.0.1:1 --users /dev/zero', 'FILE_NOT_READABLE', '/dev/zero'],
    ['run --targets /dev/stdin', 'FILE_NOT_READABLE', '/dev/stdin'],
    ['init scenario Checkout!', 'SCENARIO_NAME_INVALID', 'Checkout!'],
  ])('tierbench %s', async (words, code, mention) => {
    const ended = await place.run(words.split(' '));
    expectClear(ended, code);
    expect(ended.stderr).toContain(mention);
  });
});

describe('files of the user', () => {
  it('a scenario that is not one', async () => {
    const file = await write('mine.ts', 'export const iteration = 1;\n');
    expectClear(await place.run(['run', '--scenario', file]), 'SCENARIO_INVALID');
  });

  it('a scenario that loops when it is loaded: an error within seconds, nothing left running', async () => {
    const file = await write('loops.ts', 'for (;;);\n');
    expectClear(await place.run(['run', '--scenario', file]), 'SCENARIO_INVALID');
  });

  it('a command that is killed while a scenario loops as it is loaded leaves nothing', async () => {
    const file = await write('loops.ts', "console.error('loading');\nfor (;;);\n");
    const command = place.start(['export', 'k6', '--scenario', file, '--rate', '10', '--out', 'folder']);
    await expect.poll(() => place.orphans(), { timeout: 10_000 }).toHaveLength(2);
    command.process.kill('SIGKILL');
    await expect.poll(() => place.orphans(), { timeout: 5000 }).toEqual([]);
  });

  it('a tier with many mistakes: all at once, with line and column', async () => {
    const single = await readFile(join(import.meta.dirname, '../harness/tiers/single.yaml'), 'utf8');
    const file = await write('mine.yaml', single.replace('kind: api', 'kind: apy').replace('entry: api', 'entry: apx'));
    const ended = await place.run(['run', '--tier', file]);
    expectClear(ended, 'TIER_FILE_INVALID');
    expect(ended.stderr.match(/mine\.yaml:\d+:\d+/g)?.length).toBeGreaterThanOrEqual(2);
  });

  it('a targets file that is no YAML', async () => {
    const file = await write('targets.yaml', 'targets: [\n');
    expectClear(await place.run(['targets', '--targets', file]), 'TARGET_FILE_INVALID');
  });

  it('an option that the reference app does not know or take', async () => {
    const single = await readFile(join(import.meta.dirname, '../harness/tiers/single.yaml'), 'utf8');
    const file = await write('mine.yaml', single.replace(/DATABASE_POOL_MAX: .*/, 'DATABASE_POOL_MAX: many'));
    const ended = await place.run(['run', '--provider', 'local', '--tier', file, '--quick']);
    expectClear(ended, 'SERVICE_DID_NOT_START');
    expect(ended.stderr).toContain('DATABASE_POOL_MAX');
  });

  it('a file that is there already is not written over', async () => {
    const file = await write('checkout.ts', 'mine');
    expectClear(await place.run(['init', 'scenario', 'checkout']), 'FILE_EXISTS');
    expect(await readFile(join(place.folder, file), 'utf8')).toBe('mine');
  });
});

describe('whatever ends the process, its exit code is that of an error', () => {
  it('a command that waits for what never comes', async () => {
    const life = JSON.stringify(new URL('command-life.ts', import.meta.url).href);
    const streams = JSON.stringify(new URL('output/streams.ts', import.meta.url).href);
    const script = `import { failUntilConcluded } from ${life};
      import { processOutput } from ${streams};
      failUntilConcluded(processOutput);
      void new Promise(() => undefined);`;
    const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    expectClear({ exitCode: status, stdout: '', stderr }, 'COMMAND_ENDED');
  });

  it.each([
    ['process.exit(0)', 'process.exit(0)'],
    ["throw new Error('boom')", 'boom'],
    ['throw undefined', 'undefined'],
    ["Promise.reject(Symbol('no'))", 'Symbol(no)'],
  ])('a scenario that does %s in a timer: what was started is stopped, and there is a report', async (what, says) => {
    await using server = await startTestServer((_seen, _request, response) => response.end('{}'));
    const file = await write(
      'later.ts',
      `import { defineScenario, send } from 'tierbench/scenarios';
       setTimeout(() => { ${what} }, 500);
       export default defineScenario({ name: 'later', description: '', *iteration() {
         yield* send({ name: 'read', method: 'GET', path: '/' });
       } });`,
    );
    const words = '--engine autocannon --concurrency 1 --duration 60 --warm-up 0 --out out';
    const ended = await place.run(['run', '--url', server.baseUrl, '--scenario', file, ...words.split(' ')]);
    expectClear(ended, 'SCENARIO_THREW');
    expect(ended.stderr).toContain(says);
    expect(await readdir(join(place.folder, 'out'))).toContain('report.json');
  });

  it('a scenario that ends its generator process', async () => {
    await using server = await startTestServer((_seen, _request, response) => response.end('{}'));
    const file = await write(
      'exits.ts',
      `import { defineScenario, send } from 'tierbench/scenarios';
       export default defineScenario({ name: 'exits', description: '', *iteration() {
         yield* send({ name: 'read', method: 'GET', path: '/' });
         process.exit(0);
       } });`,
    );
    const words = '--rate 5 --duration 60 --warm-up 0 --out out';
    const ended = await place.run(['run', '--url', server.baseUrl, '--scenario', file, ...words.split(' ')]);
    expectClear(ended, 'SCENARIO_THREW');
    expect(ended.stderr).toContain('process.exit(0)');
  });
});

describe('the machine', () => {
  it('a busy port', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const single = await readFile(join(import.meta.dirname, '../harness/tiers/single.yaml'), 'utf8');
    const file = await write('mine.yaml', single.replace(/( *)DATABASE_POOL_MAX:/, `$1PORT: ${port}\n$&`));
    const ended = await place.run(['run', '--provider', 'local', '--tier', file, '--quick']);
    server.close();
    expectClear(ended, 'PORT_BUSY');
    expect(ended.stderr).toContain(String(port));
  });

  it('a reader of the output who has read enough', async () => {
    const command = place.start(['targets', '--json']);
    command.process.stdout?.destroy();
    expect(await command.ended).toMatchObject({ exitCode: 0, stderr: '' });
  });

  it('results in a folder that holds a run already', async () => {
    await mkdir(join(place.folder, 'out'));
    await write('out/facts.json', '{}');
    expectClear(await place.run(['run', '--quick', '--out', 'out']), 'RESULTS_FOLDER_IN_USE');
  });

  it('results below a file', async () => {
    await write('file', '');
    expectClear(await place.run(['run', '--quick', '--out', 'file/out']), 'CANNOT_WRITE');
  });

  it.skipIf(lacks('root'))('a file system that cannot be written (needs root)', async () => {
    await using place2 = await tmpfs('ro');
    expectClear(await place.run(['run', '--quick', '--out', join(place2.folder, 'out')]), 'CANNOT_WRITE');
  });

  it.skipIf(lacks('root'))(
    'a disk that is full in the middle of a run: what was measured is kept (needs root)',
    async () => {
      await using disk = await tmpfs('size=200k');
      const words =
        '--tier single --provider local --quick --scenario crud --concurrency 1,2,3,4,5,6,7,8 --duration 1 --warm-up 0 --cool-down 0 --user-count 10 --tasks-per-user 5';
      const out = join(disk.folder, 'out');
      const ended = await place.run(['run', ...words.split(' '), '--out', out]);
      expectClear(ended, 'CANNOT_WRITE');
      expect(ended.stderr).toContain('ENOSPC');
      const trials = await readdir(join(out, 'trials'));
      expect(trials.length).toBeGreaterThan(0);
      for (const [index, name] of trials.toSorted().entries())
        expect(JSON.parse(await readFile(join(out, 'trials', name), 'utf8'))).toMatchObject({ sequence: index + 1 });
    },
  );
});

/** A small file system of its own. */
async function tmpfs(options: string): Promise<AsyncDisposable & { readonly folder: string }> {
  const folder = join(place.folder, 'disk');
  await mkdir(folder);
  await chmod(folder, 0o777);
  const mounting = (program: string, ...words: string[]) => {
    const { status, stderr } = spawnSync(program, words, { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
  };
  mounting('mount', '-t', 'tmpfs', '-o', `mode=777,${options}`, 'tmpfs', folder);
  return {
    folder,
    async [Symbol.asyncDispose]() {
      mounting('umount', folder);
    },
  };
}
