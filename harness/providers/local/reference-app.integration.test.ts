import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { leftBehindIn } from '../../../test-support/left-behind.ts';
import type { SettingValue, Tier } from '../../core/tier.ts';
import { readTier } from '../../files/tier-file.ts';
import { newRunId } from '../../leftovers/run-record.ts';
import type { ProviderUnderTest } from '../provider-contract.ts';
import { localProvider } from './local-provider.ts';

const never = new AbortController().signal;

async function surroundings(apiSettings: Record<string, SettingValue> = {}): Promise<ProviderUnderTest> {
  const single = await readTier(fileURLToPath(new URL('../../tiers/single.yaml', import.meta.url)));
  const tier: Tier = {
    ...single,
    services: single.services.map((service) =>
      service.kind === 'api' ? { ...service, settings: { ...service.settings, ...apiSettings } } : service,
    ),
  };
  const folder = await mkdtemp(join(tmpdir(), 'tierbench-test-local-'));
  await chmod(folder, 0o711);
  return {
    tier,
    leftBehind: () => leftBehindIn(folder),
    provider: localProvider({ run: { id: newRunId(new Date()), folder, environment: {} } }),
    async [Symbol.asyncDispose]() {
      await rm(folder, { recursive: true });
    },
  };
}

describe('local provider with the reference app', () => {
  it('serves the data it was filled with', async () => {
    await using here = await surroundings({ BCRYPT_COST: 4 });
    await using deployment = await here.provider.deploy(here.tier, never);
    const password = randomBytes(15).toString('base64url');
    await deployment.prepareData?.({ users: 3, tasksPerUser: 5, seed: 1 }, password, never);
    const login = await fetch(`${deployment.baseUrl}/api/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: 'user-3@bench.example', password }),
    });
    expect(await login.text()).toContain('user-3@bench.example');
    expect(login.status).toBe(200);
  });

  it('shows what the reference app says of an option it cannot read', async () => {
    await using here = await surroundings({ BCRYPT_COST: 'much' });
    await expect(here.provider.deploy(here.tier, never)).rejects.toMatchObject({
      code: 'API_DID_NOT_START',
      message: expect.stringContaining('BCRYPT_COST'),
    });
  });
});
