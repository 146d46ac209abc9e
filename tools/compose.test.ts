import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { compose } from '../cli/commands/compose.ts';
import { processOutput } from '../cli/output/streams.ts';

it('docker-compose.bench.yml is what `tierbench compose` prints', async () => {
  let printed = '';
  await compose(
    {},
    {
      ...processOutput,
      out: (text) => {
        printed += `${text}\n`;
      },
    },
  );
  const committed = readFileSync(join(import.meta.dirname, '../docker-compose.bench.yml'), 'utf8');
  expect(committed, 'run `npx tierbench compose > docker-compose.bench.yml`').toBe(printed);
});
