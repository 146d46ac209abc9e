import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { referenceEmail } from '../harness/services/reference-app.ts';
import { startFakeTaskApi } from '../test-support/fake-task-api.ts';
import { lacks, programFor } from '../test-support/requirements.ts';
import { randomStream } from './kit.ts';

const source = (path: string): string => JSON.stringify(fileURLToPath(new URL(path, import.meta.url)));

/** One iteration of a scenario in k6, by the same runner the other engines use. */
function entryFile(name: string): string {
  return `
    import http from 'k6/http';
    import scenario from ${source(`${name}.ts`)};
    import { randomStream } from ${source('kit.ts')};
    import { createScenarioRunner } from ${source('../harness/engines/shared/scenario-runner.ts')};

    export const options = { vus: 1, iterations: 1 };

    const email = '${referenceEmail(1)}';
    const user = { index: 0, email, password: 'password of ' + email };
    const runner = createScenarioRunner({ scenario, user, seed: 1, virtualUser: 0 });

    function perform(first) {
      for (let next = first; next.kind !== 'done'; ) {
        if (next.kind === 'think') {
          next = runner.resume();
          continue;
        }
        const { method, path, headers, body } = next.request;
        const jar = new http.CookieJar();
        const answer = http.request(method, __ENV.BASE_URL + path, body, { headers, jar });
        const step = runner.answer({
          kind: 'answered',
          status: answer.status,
          bodyBytes: 0,
          header: (name) => answer.headers[Object.keys(answer.headers).find((key) => key.toLowerCase() === name)],
          setCookies: () => Object.keys(answer.cookies).map((name) => name + '=' + answer.cookies[name][0].value),
          text: () => answer.body ?? '',
        });
        console.log('ENDED ' + JSON.stringify([step.ended.step, step.ended.outcome, step.ended.describe()]));
        next = step.next;
      }
    }

    export default function () {
      const random = randomStream(7, 3, 5);
      console.log('RANDOM ' + JSON.stringify([random(), random(), random()]));
      perform(runner.begin());
      perform(runner.startIteration());
    }
  `;
}

describe.skipIf(lacks('k6'))('in real k6 (needs k6)', () => {
  test.each(['login', 'crud', 'mixed', 'browse', 'visit'])(
    '%s runs unchanged, and every answer is right',
    async (name) => {
      await using api = await startFakeTaskApi();
      const folder = await mkdtemp(join(tmpdir(), 'tierbench-k6-'));
      try {
        const entry = join(folder, 'entry.ts');
        await writeFile(entry, entryFile(name));
        const { stdout } = await promisify(execFile)(
          programFor('k6') ?? 'k6',
          [
            'run',
            '--quiet',
            '--no-usage-report',
            '--address',
            '',
            '--log-format',
            'raw',
            '--log-output',
            'stdout',
            entry,
          ],
          { env: { ...process.env, BASE_URL: api.baseUrl, HOME: folder } },
        );
        const reported = (word: string): unknown[] =>
          stdout
            .split('\n')
            .filter((line) => line.startsWith(`${word} `))
            .map((line) => JSON.parse(line.slice(word.length)));
        const ended = reported('ENDED') as [string, string, string][];
        expect(ended.length).toBe(api.requests.length);
        expect(ended.length).toBeGreaterThan(0);
        expect(ended.filter(([, outcome]) => outcome !== 'ok')).toEqual([]);
        const random = randomStream(7, 3, 5);
        expect(reported('RANDOM')).toEqual([[random(), random(), random()]]);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  );
});
