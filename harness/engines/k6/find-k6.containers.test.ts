import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { lstat, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { askTestEngine } from '../../../test-support/container-context.ts';
import { lacks } from '../../../test-support/requirements.ts';
import { findOrphans } from '../../orphans/find.ts';
import { removeOrphans } from '../../orphans/remove.ts';
import { findK6 } from './find-k6.ts';
import type { K6Process } from './k6-program.ts';

/** Says that it runs, then sends nothing for a minute. */
const patientScript = `
  import { sleep } from 'k6';
  export const options = { vus: 1, iterations: 1, maxDuration: '1m' };
  export default () => { console.log('I run'); sleep(60); };
  export const handleSummary = () => ({ 'summary.txt': 'written as k6 ended' });
`;

/** Containers whose working folder is this one. */
async function containersIn(folder: string): Promise<readonly string[]> {
  const all = (await askTestEngine('GET', '/containers/json?all=1')) as { Id: string; Mounts: { Source: string }[] }[];
  return all.filter(({ Mounts }) => Mounts.some(({ Source }) => Source === folder)).map(({ Id }) => Id);
}

async function hasSaid(k6: Pick<K6Process, 'stderr'>, words: string): Promise<void> {
  let said = '';
  for await (const chunk of k6.stderr.iterator({ destroyOnReturn: false })) {
    said += chunk;
    if (said.includes(words)) return void k6.stderr.resume();
  }
  throw new Error(`it ended without saying '${words}':\n${said}`);
}

describe.skipIf(lacks('docker'))('k6 from its image (needs docker)', () => {
  let root = '';
  let folder = '';
  let records = '';

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'tierbench-test-k6-'));
    folder = join(root, 'trial');
    records = join(root, 'state', 'tierbench', 'runs');
    await mkdir(folder);
    await writeFile(join(folder, 'patient.js'), patientScript);
    vi.stubEnv('PATH', '/nowhere');
    vi.stubEnv('TMPDIR', root);
    vi.stubEnv('XDG_STATE_HOME', join(root, 'state'));
  });

  afterEach(async () => {
    vi.unstubAllEnvs();
    await rm(root, { recursive: true });
  });

  it('is taken where there is no program; it reaches 127.0.0.1, and its files are ours', async () => {
    const server = createServer((_, response) => response.end('an answer')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const found = await findK6();
      expect(found.version).toMatch(/^2\./);
      expect(found.origin).toMatch(/^the image grafana\/k6:2\.2\.0, Docker \d/);
      await writeFile(
        join(folder, 'script.js'),
        `import http from 'k6/http';
         export const options = { iterations: 1 };
         export default () => console.log(http.get(__ENV.BASE_URL).body);
         export const handleSummary = () => ({ 'summary.txt': 'a summary', stdout: 'on standard output' });`,
      );
      const { port } = server.address() as AddressInfo;
      const k6 = found.start(['run', '--quiet', '--log-format', 'raw', 'script.js'], {
        cwd: folder,
        env: { BASE_URL: `http://127.0.0.1:${port}` },
      });
      const closed = once(k6, 'close');
      expect(await Promise.all([text(k6.stdout), text(k6.stderr)])).toEqual(['on standard output', 'an answer\n']);
      expect(await closed).toEqual([0, null]);
      expect((await lstat(join(folder, 'summary.txt'))).uid).toBe(process.getuid?.());
      expect(await containersIn(folder)).toEqual([]);
      expect(await readdir(records)).toEqual([]);
    } finally {
      server.close();
    }
  });

  it('stops on a signal as k6 does, and passes on its exit code', async () => {
    const k6 = (await findK6()).start(['run', 'patient.js'], { cwd: folder, env: {} });
    const closed = once(k6, 'close');
    k6.stdout.resume();
    await hasSaid(k6, 'I run');
    k6.kill('SIGINT');
    const [exitCode] = await closed;
    // The code of k6 for a test that was interrupted.
    expect(exitCode).toBe(105);
    expect(await readdir(folder)).toContain('summary.txt');
    expect(await containersIn(folder)).toEqual([]);
  });

  it('is gone when it was killed', async () => {
    const k6 = (await findK6()).start(['run', 'patient.js'], { cwd: folder, env: {} });
    const closed = once(k6, 'close');
    k6.stdout.resume();
    await hasSaid(k6, 'I run');
    expect(k6.kill('SIGKILL')).toBe(true);
    expect(await closed).toEqual([137, null]);
    expect(await containersIn(folder)).toEqual([]);
    expect(k6.kill('SIGKILL')).toBe(false);
  });

  it('is gone soon after the command that started it was killed', async () => {
    const source = `
      import { findK6 } from ${JSON.stringify(import.meta.resolve('./find-k6.ts'))};
      const k6 = (await findK6()).start(['run', 'patient.js'], { cwd: ${JSON.stringify(folder)}, env: {} });
      k6.stderr.pipe(process.stderr);`;
    const command = spawn(process.execPath, ['--input-type=module', '--eval', source], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    await hasSaid(command, 'I run');
    expect(await containersIn(folder)).toHaveLength(1);
    command.kill('SIGKILL');
    await expect.poll(() => containersIn(folder)).toEqual([]);
    await expect.poll(() => readdir(records)).toEqual([]);
  });

  it('is found by the next command when all that attended it was killed', async () => {
    const k6 = (await findK6()).start(['run', 'patient.js'], { cwd: folder, env: {} });
    const closed = once(k6, 'close');
    k6.stdout.resume();
    await hasSaid(k6, 'I run');
    process.kill(k6.pid ?? 0, 'SIGKILL');
    await closed;
    const [container = ''] = await containersIn(folder);
    const places = { registries: [records], temporary: root };
    const { removed } = await removeOrphans(await findOrphans());
    expect(removed.join('\n')).toContain('container');
    expect(container).not.toBe('');
    expect(await containersIn(folder)).toEqual([]);
    expect((await findOrphans(places)).left).toEqual([]);
  });

  it('says why when the engine does not start it', async () => {
    const k6 = (await findK6()).start(['version'], { cwd: `${folder}:nonsense:`, env: {} });
    const [said, [exitCode]] = await Promise.all([text(k6.stderr), once(k6, 'close'), text(k6.stdout)]);
    expect(said).toMatch(/invalid/);
    expect(exitCode).toBe(125);
  });
});
