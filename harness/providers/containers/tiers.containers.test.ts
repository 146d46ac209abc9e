import { describe } from 'vitest';
import { containerContext } from '../../../test-support/container-context.ts';
import { lacks } from '../../../test-support/requirements.ts';
import { describeProvider } from '../../contracts/providers/provider-contract.ts';
import { describeTier } from '../../contracts/providers/tier-contract.ts';
import { readTier } from '../../files/tier-file.ts';

const tiers = await Promise.all(['single', 'pooled', 'replicated', 'cached'].map((name) => readTier(name)));

describe.skipIf(lacks('docker'))('containers (needs docker)', () => {
  for (const tier of tiers) describeTier('containers', tier, containerContext);

  const [single] = tiers;
  if (single !== undefined) describeProvider('containers', '/ready', () => containerContext(single));
});
