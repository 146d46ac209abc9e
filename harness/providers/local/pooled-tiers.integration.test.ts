import { describe } from 'vitest';
import { localSurroundings } from '../../../test-support/local-surroundings.ts';
import { lacks } from '../../../test-support/requirements.ts';
import { describeTier } from '../../contracts/providers/tier-contract.ts';
import { readTier } from '../../files/tier-file.ts';

describeTier('local', await readTier('single'), localSurroundings);
describe.skipIf(lacks('pgbouncer') || lacks('nginx'))('(needs pgbouncer and nginx)', async () => {
  describeTier('local', await readTier('pooled'), localSurroundings);
});
