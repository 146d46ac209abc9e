import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../harness/contracts/engines/server.ts';
import { lacks, programFor } from '../test-support/requirements.ts';
import { workplaceForEach } from '../test-support/tierbench.ts';

const place = workplaceForEach();
let server: TestServer;
beforeEach(async () => {
  server = await startTestServer((_seen, _request, response) => response.end('{}'));
});
afterEach(() => server[Symbol.asyncDispose]());

describe.skipIf(lacks('k6'))('run --engine k6 (needs k6)', () => {
  it('killed while k6 makes load: the next command finds k6 and the passwords, and removes both', async () => {
    await writeFile(
      join(place.folder, 'ask.ts'),
      `import { defineScenario, send } from 'tierbench/scenarios';
      export default defineScenario({
        name: 'ask', description: 'One GET.',
        *iteration() { yield* send({ name: 'ask', method: 'GET', path: '/asked' }); },
      });`,
    );
    await writeFile(
      join(place.folder, 'users.json'),
      JSON.stringify([{ email: 'a@bench.example', password: 'correct-horse' }]),
    );
    const words = `run --url ${server.baseUrl} --engine k6 --k6 ${programFor('k6')} --scenario ask.ts --concurrency 1`;
    const command = place.start([...words.split(' '), '--users', 'users.json', '--duration', '600', '--out', 'out']);
    await command.said('trial 1 of 1');
    const asked = server.seen.length;
    await expect.poll(() => server.seen.length).toBeGreaterThan(asked + 10);
    command.process.kill('SIGKILL');
    await command.ended;
    expect((await place.orphans()).length).toBeGreaterThan(0);
    const doctor = await place.run(['doctor', '--json']);
    expect(await place.orphans(), doctor.stdout + doctor.stderr).toEqual([]);
  });
});
