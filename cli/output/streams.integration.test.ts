import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const command = join(import.meta.dirname, '../tierbench.js');
const shell = (script: string) =>
  promisify(execFile)('bash', ['-c', script.replace('tierbench', `'${process.execPath}' '${command}'`)]).catch(
    (error: { stderr: string; stdout: string }) => error,
  );

test.each([
  [
    'a reader that has read enough',
    'set -o pipefail; tierbench targets | head -1; echo "rc $?"',
    /^\w.*\nrc 0\n$/,
    /^$/,
  ],
  [
    'a full disk',
    'tierbench targets > /dev/full; echo "rc $?"',
    /^rc 1\n$/,
    /^error CANNOT_WRITE: .*ENOSPC.*\nnext: .*\n$/,
  ],
  ['nothing can be written', 'tierbench targets > /dev/full 2> /dev/full; echo "rc $?"', /^rc 1\n$/, /^$/],
])('%s: an exit code and no stack trace', async (_, script, stdout, stderr) => {
  const ended = await shell(script);
  expect(ended.stdout).toMatch(stdout);
  expect(ended.stderr).toMatch(stderr);
});
