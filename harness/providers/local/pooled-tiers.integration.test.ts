import { describe } from 'vitest';
import { localContext } from '../../../test-support/local-context.ts';
import { lacks } from '../../../test-support/requirements.ts';
import { describeTier } from '../../contracts/providers/tier-contract.ts';
import { readTier } from '../../files/tier-file.ts';

describeTier('local', await readTier('single'), localContext);
describe.skipIf(lacks('pgbouncer') || lacks('nginx'))('(needs pgbouncer and nginx)', async () => {
  describeTier('local', await readTier('pooled'), localContext);
});
