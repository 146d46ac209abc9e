import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { copyWithEcho } from '../test-support/extension/copy.ts';

it('a kind of service in one file and one line of the registry is in tier files and in the compose file', async () => {
  await using copy = await copyWithEcho();
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...[join(copy.folder, 'cli/tierbench.js'), 'compose', '--tier', copy.tierFile],
  ]);
  const { services, configs } = parse(stdout);
  expect(services).toEqual({
    'echoes-echo': expect.objectContaining({
      image: 'node:24-bookworm-slim',
      profiles: ['echoes'],
      entrypoint: ['node', '/etc/tierbench/echo.mjs', '0.0.0.0', '7007'],
      configs: [{ source: 'echoes-echo-echo.mjs', target: '/etc/tierbench/echo.mjs' }],
      ports: ['127.0.0.1:$' + '{ECHOES_PORT:-3000}:7007'],
    }),
  });
  expect(configs['echoes-echo-echo.mjs'].content).toContain('echo of');
});
