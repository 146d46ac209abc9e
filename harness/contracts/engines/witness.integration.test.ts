import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

/** Everything else of it is held by what the engines are held to. */
test('a witness that was stopped asks no more: nothing keeps its process', async () => {
  const source = `
    import { startConstantDelayServer } from './server.ts';
    import { startWitness } from './witness.ts';
    await using server = await startConstantDelayServer(1);
    const witness = await startWitness(server.baseUrl);
    await new Promise((resolve) => setTimeout(resolve, 50));
    console.log((await witness.stop()).count);`;
  const options = { cwd: import.meta.dirname, timeout: 20_000 };
  const { stdout } = await promisify(execFile)(process.execPath, ['--eval', source], options);
  // One every 5 ms, and what was scheduled while the machine did something else is asked for too.
  expect(Number(stdout)).toBeGreaterThanOrEqual(10);
});
