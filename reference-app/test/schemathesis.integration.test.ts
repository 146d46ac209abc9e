import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startTestApp, testConfig } from './app.ts';
import { newDatabase, query } from './postgres.ts';
import { findProgram, lacks } from './programs.ts';

/** They end what they are signed in with, and must not end the session of all other requests. */
const ending = ['POST /api/auth/logout', 'DELETE /api/auth/sessions', 'DELETE /api/auth/sessions/{id}'];

describe.skipIf(lacks('schemathesis'))(
  'every answer is as the description of the API says (needs schemathesis)',
  () => {
    test('in all checks of schemathesis', { timeout: 180_000 }, async () => {
      const databaseUrl = await newDatabase();
      await using app = await startTestApp(testConfig(databaseUrl));
      const address = await app.app.listen({ host: '127.0.0.1', port: 0 });
      const header = async (email: string) => {
        await app.register(email);
        await query(databaseUrl, `update users set role = 'admin' where email = $1`, [email]);
        return `headers = { Authorization = "Bearer ${(await app.logIn(email)).accessToken}" }\n`;
      };
      let configuration = await header('all@example.com');
      for (const name of ending) {
        configuration += `[[operations]]\ninclude-name = "${name}"\n${await header(`${ending.indexOf(name)}@example.com`)}`;
      }
      // A schema counts characters, and bcrypt bytes: 72 characters that take more are refused.
      for (const name of ['POST /api/auth/register', 'POST /api/auth/reset-password']) {
        configuration += `[[operations]]\ninclude-name = "${name}"\n[operations.checks]\n`;
        configuration += `positive_data_acceptance.expected-statuses = ["2xx", "400", "404", "409"]\n`;
      }
      await using folder = await mkdtempDisposable(join(tmpdir(), 'reference-app-test-'));
      const file = join(folder.path, 'schemathesis.toml');
      await writeFile(file, configuration);
      const options = ['--max-examples', '10', '--seed', '1', '--no-color', '--warnings', 'off'];
      const child = spawn(
        findProgram('schemathesis') ?? 'schemathesis',
        ['--config-file', file, 'run', `${address}/openapi.json`, ...options],
        { cwd: folder.path, stdio: ['ignore', 'pipe', 'pipe'] },
      );
      let output = '';
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8').on('data', (text: string) => {
          output += text;
        });
      }
      const [exitCode] = await once(child, 'close');
      expect(exitCode, output).toBe(0);
      expect(Number(/(\d+) generated/.exec(output)?.[1]), output).toBeGreaterThan(500);
    });
  },
);
