import { describe } from 'vitest';
import { localContext } from '../../../test-support/local-context.ts';
import { lacks } from '../../../test-support/requirements.ts';
import { describeTier } from '../../contracts/providers/tier-contract.ts';
import { readTier } from '../../files/tier-file.ts';

describe.skipIf(lacks('pgbouncer') || lacks('nginx') || lacks('redis'))(
  '(needs pgbouncer, nginx and redis)',
  async () => {
    for (const name of ['replicated', 'cached']) describeTier('local', await readTier(name), localContext);
  },
);
