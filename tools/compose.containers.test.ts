import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { freePort } from '../harness/providers/local/free-port.ts';
import { lacks } from '../test-support/requirements.ts';

const file = join(import.meta.dirname, '../docker-compose.bench.yml');

it.skipIf(lacks('docker'))(
  'the compose file brings the single tier up, on 127.0.0.1 alone, and down again (needs docker)',
  async () => {
    const port = await freePort();
    const project = `tierbench-test-${process.pid}`;
    const environment = {
      ...process.env,
      API_PORT: String(port),
      JWT_SECRET: randomBytes(32).toString('hex'),
      POSTGRES_PASSWORD: randomBytes(16).toString('hex'),
    };
    const docker = (...words: string[]) => promisify(execFile)('docker', words, { env: environment });
    const compose = (...words: string[]) =>
      docker('compose', '-f', file, '-p', project, '--profile', 'single', ...words);
    try {
      await compose('up', '--build', '--wait');
      const ready = await fetch(`http://127.0.0.1:${port}/ready`);
      expect(await ready.json()).toMatchObject({ status: 'ready' });
      expect((await compose('port', 'api', '3000')).stdout.trim()).toBe(`127.0.0.1:${port}`);
    } finally {
      await compose('down', '--volumes', '--timeout', '5');
    }
    expect((await docker('ps', '-aq', '--filter', `label=com.docker.compose.project=${project}`)).stdout).toBe('');
  },
);
