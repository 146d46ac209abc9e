import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { freePort } from '../harness/machine/free-port.ts';
import { lacks } from '../test-support/requirements.ts';

const root = join(import.meta.dirname, '..');
const extension = join(root, 'test-support/extension');
const copied = ['harness', 'exports', 'cli', 'reports', 'scenarios', 'reference-app', 'package.json'];
const run = promisify(execFile);

/** Prints what the entry of the tier answers with each provider. */
const program = `import { readTier } from './harness/files/tier-file.ts';
import { registerRun } from './harness/orphans/register.ts';
import { containersProvider } from './harness/providers/containers/containers-provider.ts';
import { localProvider } from './harness/providers/local/local-provider.ts';
import { referenceApp } from './harness/services/reference-app.ts';

const tier = await readTier('./echo.yaml');
await using run = await registerRun();
for (const provider of [localProvider({ run }), containersProvider({ run })]) {
  await using deployment = await provider.deploy({ tier, app: referenceApp }, new AbortController().signal);
  console.log(provider.name, await (await fetch(deployment.baseUrl + '/there')).text());
}
`;

/** A copy of tierbench with the kind `echo`: one file, and in the registry its import and itself. */
async function copyWithEcho(): Promise<AsyncDisposable & { readonly folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'tierbench-extension-'));
  await Promise.all(copied.map((name) => cp(join(root, name), join(folder, name), { recursive: true })));
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  const kind = await readFile(join(extension, 'echo.ts'), 'utf8');
  const imported = kind.replace('../../harness/services/service-type.ts', './service-type.ts');
  await writeFile(join(folder, 'harness/services/echo.ts'), imported);
  const registry = join(folder, 'harness/services/registry.ts');
  const text = await readFile(registry, 'utf8');
  const extended = text
    .replace(/^import /mu, "import { echo } from './echo.ts';\nimport ")
    .replace(/return \[/u, 'return [echo, ');
  await writeFile(registry, extended);
  await cp(join(extension, 'echo.yaml'), join(folder, 'echo.yaml'));
  await writeFile(join(folder, 'try.ts'), program);
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

describe.skipIf(lacks('docker'))('a new kind of service (needs docker)', () => {
  it('is one file and one line, and runs as a process, in a container and from the compose file', async () => {
    await using copy = await copyWithEcho();
    const node = async (...words: string[]) => (await run(process.execPath, words, { cwd: copy.folder })).stdout;
    expect(await node('try.ts')).toBe('local echo of /there\ncontainers echo of /there\n');

    await writeFile(join(copy.folder, 'compose.yml'), await node('cli/tierbench.js', 'compose', '--tier', 'echo.yaml'));
    const port = await freePort();
    const project = ['-f', 'compose.yml', '-p', `tierbench-test-echo-${process.pid}`, '--profile', 'echoes'];
    const compose = (...words: string[]) =>
      run('docker', ['compose', ...project, ...words], {
        cwd: copy.folder,
        env: { ...process.env, ECHOES_PORT: String(port) },
      });
    try {
      await compose('up', '--wait');
      await expect
        .poll(() => fetch(`http://127.0.0.1:${port}/there`).then((response) => response.text(), String))
        .toBe('echo of /there');
    } finally {
      await compose('down', '--volumes', '--timeout', '1');
    }
  });
});
