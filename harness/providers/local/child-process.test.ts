import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { expect, it, vi } from 'vitest';
import { lacks } from '../../../test-support/requirements.ts';
import { redact } from '../../core/errors.ts';
import { programEnvironment } from '../../machine/environment.ts';
import { thisSystem } from '../../operating-system/this-system.ts';
import { type ChildOptions, startChild } from './child-process.ts';

async function stateOf(processId: number): Promise<string> {
  const stat = await readFile(`/proc/${processId}/stat`, 'utf8').catch(() => ') gone');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[0] ?? '';
}

function node(source: string, options: Partial<ChildOptions> = {}) {
  return startChild({
    command: process.execPath,
    arguments: ['--eval', source],
    folder: tmpdir(),
    environment: programEnvironment('/'),
    ...options,
  });
}

it('keeps secrets out of what it is quoted with', () => {
  expect(redact('password s3cret-word, postgres://me:hunter2@127.0.0.1/db and s3cret', ['s3cret', 's3cret-word'])).toBe(
    'password [redacted], postgres://me:[redacted]@127.0.0.1/db and [redacted]',
  );
});

it('keeps the last lines of a process that writes without end, and no half secrets', async () => {
  const child = node(`for (let i = 0; i < 20000; i += 1) console.log('line ' + i + ' topsecret');`, {
    secrets: ['topsecret'],
  });
  await child.ended;
  const lines = child.lastLines().split('\n');
  expect(lines).toHaveLength(30);
  expect(lines.at(-1)).toBe('line 19999 [redacted]');
  expect(child.lastLines()).not.toContain('secret ');
});

it('says how a process ended', async () => {
  expect(await node(`console.error('bad luck'); process.exit(3)`).ended).toEqual({
    exitCode: 3,
    what: 'ended with exit code 3\nbad luck',
  });
  const missing = startChild({ command: '/nowhere/x', arguments: [], folder: tmpdir(), environment: {} });
  expect((await missing.ended).what).toContain('could not be started');
  await missing.stop('SIGTERM', 1);
});

it('stops a process that is paused, and kills one that does not listen', async () => {
  for (const source of [
    'setInterval(() => {}, 1000)',
    `process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)`,
  ]) {
    const listening = Promise.withResolvers<void>();
    const child = node(`${source}; console.log('up')`, {
      onOutput: () => {
        listening.resolve();
        return false;
      },
    });
    await listening.promise;
    process.kill(child.processId, 'SIGSTOP');
    await child.stop('SIGTERM', 0.3);
    expect(() => process.kill(child.processId, 0)).toThrow('ESRCH');
  }
});

it('stops the whole family of a process', async () => {
  const grandchild = Promise.withResolvers<number>();
  const child = node(
    `const { spawn } = require('node:child_process');
     const grandchild = spawn(process.execPath, ['--eval', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' });
     console.log(grandchild.pid);`,
    {
      onOutput: (text) => {
        grandchild.resolve(Number(text));
        return false;
      },
    },
  );
  const processId = await grandchild.promise;
  await child.stop('SIGTERM', 2);
  // An orphan stays in the process table until the system's first process takes note of its end.
  await expect.poll(() => stateOf(processId)).toMatch(/gone|Z/);
});

it('has a group of its own, so that Ctrl-C in the terminal does not reach it', async () => {
  // Signals its whole group: were that ours, the test would end here.
  const child = node(`process.kill(0, 'SIGINT'); setTimeout(() => {}, 10_000)`);
  expect(await child.ended).toMatchObject({ what: 'ended with SIGINT' });
});

it.skipIf(lacks('taskset'))('keeps a process and what it starts to its CPUs (needs taskset)', async () => {
  const [cpu = 0] = thisSystem.allowedCpus();
  const showAllowed = `require('node:fs').readFileSync('/proc/self/status', 'utf8').match(/Cpus_allowed_list:.*/)[0]`;
  const child = node(
    `console.log(${showAllowed});
     console.log(require('node:child_process').execFileSync(process.execPath, ['--eval', \`console.log(${showAllowed})\`]).toString())`,
    { confinement: { cpus: [cpu] } },
  );
  expect((await child.ended).exitCode).toBe(0);
  expect(child.lastLines().match(/Cpus_allowed_list:\s*(.*)/g)).toEqual(
    Array.from({ length: 2 }, () => `Cpus_allowed_list:\t${cpu}`),
  );
});

it('has each process join its group', async () => {
  const joined: number[] = [];
  const child = node('', { confinement: { join: (processId) => joined.push(processId) } });
  await child.ended;
  expect(joined).toEqual([child.processId]);
});

it('signals nothing once the process has ended: its number may be that of another by then', async () => {
  const child = node('');
  await child.ended;
  const kill = vi.spyOn(process, 'kill');
  await child.stop('SIGTERM', 1);
  expect(kill).not.toHaveBeenCalled();
  kill.mockRestore();
});

it('starts as many processes as a tier has, without a warning', async () => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => warnings.push(warning);
  process.on('warning', onWarning);
  const children = Array.from({ length: 12 }, () => node(''));
  await Promise.all(children.map(({ ended }) => ended));
  process.off('warning', onWarning);
  expect(warnings).toEqual([]);
});

it('stops all processes when an uncaught error ends tierbench', async () => {
  const module = new URL('./child-process.ts', import.meta.url).href;
  const options = `{ command: process.execPath, arguments: ['--eval', 'setInterval(() => {}, 1000)'], folder: '/', environment: {} }`;
  const tierbench = node(
    `import(${JSON.stringify(module)}).then(({ startChild }) => {
       const children = [startChild(${options}), startChild(${options})];
       console.log('children ' + children.map(({ processId }) => processId).join(' '));
       setImmediate(() => { throw new Error('uncaught'); });
     })`,
  );
  expect((await tierbench.ended).exitCode).not.toBe(0);
  const children = /children (\d+) (\d+)/.exec(tierbench.lastLines())?.slice(1).map(Number) ?? [];
  expect(children).toHaveLength(2);
  for (const processId of children) {
    await expect.poll(() => stateOf(processId), { timeout: 15_000 }).toMatch(/gone|Z/);
  }
}, 30_000);
