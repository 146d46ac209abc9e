import { execFile, execFileSync } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { lacks } from '../test-support/requirements.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** A kind of service in one file: a server that answers every request with its greeting. */
const echoKind = `import type { ServiceType } from './service-type.ts';

const server = "require('node:http').createServer((_, response) => response.end(process.env.GREETING)).listen(process.env.PORT, process.env.HOST)";

export const echo: ServiceType = {
  kind: 'echo',
  roles: () => ({}),
  offers: () => 'http',
  settings: { reserved: [], defaults: { greeting: 'hello' }, problem: () => undefined },
  ports: () => ({ main: 8080 }),
  spec: ({ settings }, at) => ({
    image: { name: 'node:24-bookworm-slim' },
    command: { program: { from: 'path', name: 'node' }, arguments: ['--eval', server] },
    environment: { GREETING: String(settings.greeting ?? 'hello'), HOST: at.host, PORT: String(at.port('main')) },
    secretEnvironment: {},
    files: [],
    prepare: [],
    steps: [],
    health: { protocol: 'http', port: 'main', path: '/' },
    stop: { signal: 'SIGKILL', graceS: 0 },
    secrets: [],
    lacks: [],
    notes: [],
  }),
  probes: [],
  shownSettings: ['greeting'],
};
`;

const tierFile = `name: echoing
title: Echoing
description: One server of a kind that was just added.
documents: []
entry: voice
services:
  voice:
    kind: echo
    settings: { greeting: good day }
    resources: { cpus: 1, memory: 256 MiB }
`;

/** Prints what the entry of the tier answers, by each provider, and whether the compose file has it. */
const program = `import { composeFile } from './exports/compose/compose-file.ts';
import { readTier } from './harness/files/tier-file.ts';
import { registerRun } from './harness/orphans/register.ts';
import { containersProvider } from './harness/providers/containers/containers-provider.ts';
import { localProvider } from './harness/providers/local/local-provider.ts';
import { referenceApp } from './harness/services/reference-app.ts';

const tier = await readTier('./echoing.yaml');
await using run = await registerRun();
for (const provider of [localProvider({ run }), containersProvider({ run })]) {
  await using deployment = await provider.deploy({ tier, app: referenceApp }, new AbortController().signal);
  console.log(provider.name, await (await fetch(deployment.baseUrl)).text());
}
const compose = JSON.stringify(composeFile([tier]));
console.log('compose', ['node:24-bookworm-slim', 'good day', '--eval'].every((part) => compose.includes(part)));
`;

describe.skipIf(lacks('docker'))('a new kind of service (needs docker)', () => {
  it('is one file and one line, and runs as a process, in a container and in the compose file', async () => {
    const copy = await mkdtemp(join(tmpdir(), 'tierbench-test-kind-'));
    try {
      const files = execFileSync(
        'git',
        ['ls-files', 'harness', 'scenarios', 'exports', 'reference-app', 'package.json'],
        {
          cwd: root,
          encoding: 'utf8',
        },
      );
      for (const file of files.trim().split('\n')) await cp(join(root, file), join(copy, file));
      await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
      await writeFile(join(copy, 'harness/services/echo.ts'), echoKind);
      const registry = join(copy, 'harness/services/registry.ts');
      const text = await readFile(registry, 'utf8');
      const changed = `import { echo } from './echo.ts';\n${text.replace('[appType(', '[echo, appType(')}`;
      await writeFile(registry, changed);
      await writeFile(join(copy, 'echoing.yaml'), tierFile);
      await writeFile(join(copy, 'try.ts'), program);
      const { stdout } = await promisify(execFile)(process.execPath, ['try.ts'], { cwd: copy });
      expect(stdout.trim().split('\n')).toEqual(['local good day', 'containers good day', 'compose true']);
    } finally {
      await rm(copy, { recursive: true });
    }
  });
});
