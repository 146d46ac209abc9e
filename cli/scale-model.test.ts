import { describe, expect, it } from 'vitest';
import { tierCpus } from '../harness/core/scale-model.ts';
import { readTier } from '../harness/files/tier-file.ts';
import type { Deployment, Provider } from '../harness/providers/provider.ts';
import { asScaleModel } from './scale-model.ts';

const tiers = await Promise.all(['single', 'cached'].map((name) => readTier(name)));

/** A provider on paper, which enforces the CPUs of all services but those named. */
function providerThatLimits(exceptFor: readonly string[] = []) {
  const disposed: string[] = [];
  const provider: Provider = {
    name: 'on paper',
    obstacles: async () => [],
    async deploy(tier): Promise<Deployment> {
      return {
        tier,
        provider: 'on paper',
        baseUrl: '',
        access: [],
        probes: [],
        notes: [
          {
            code: 'limits-not-enforced',
            service: 'database',
            limits: { cpus: 1 },
            detail: 'there are no control groups',
          },
        ],
        services: tier.services.map(({ name, kind, resources }) => ({
          name,
          kind,
          instances: [
            {
              name: `${name}/1`,
              host: '',
              port: 1,
              processIds: [],
              limits: exceptFor.includes(name) || resources.cpus === undefined ? {} : { cpus: resources.cpus },
            },
          ],
        })),
        onFailure() {},
        async [Symbol.asyncDispose]() {
          disposed.push(tier.name);
        },
      };
    },
  };
  return { provider, disposed };
}

const deployFirst = ({ provider, tiers: [tier] }: ReturnType<typeof asScaleModel>) => {
  if (tier === undefined) throw new Error('no tier');
  return provider.deploy(tier, new AbortController().signal);
};

describe('asScaleModel', () => {
  it('makes every tier smaller by one factor, so that the largest fits the CPUs', () => {
    const { factor, tiers: scaled } = asScaleModel(tiers, providerThatLimits().provider, 1);
    expect(factor).toBeLessThan(1);
    expect(Math.max(...scaled.map(tierCpus))).toBeCloseTo(1);
    for (const [index, tier] of tiers.entries()) {
      expect(tierCpus(scaled[index] ?? tier)).toBeCloseTo(tierCpus(tier) * factor);
    }
  });

  it('starts a tier whose services all have their CPUs limited', async () => {
    const { provider, disposed } = providerThatLimits();
    const deployment = await deployFirst(asScaleModel(tiers, provider, 1));
    expect(deployment.services).toHaveLength(tiers[0]?.services.length ?? 0);
    expect(disposed).toEqual([]);
  });

  it('takes a tier down again where a service may use every CPU, and says why', async () => {
    const { provider, disposed } = providerThatLimits(['database']);
    await expect(deployFirst(asScaleModel(tiers, provider, 1))).rejects.toMatchObject({
      code: 'SCALE_MODEL_IMPOSSIBLE',
      message: expect.stringMatching(/database\/1.*no control groups/),
    });
    expect(disposed).toEqual(['single']);
  });

  it('is refused before anything starts where limits cannot be enforced', () => {
    expect(() => asScaleModel(tiers, providerThatLimits().provider, 1, 'there is no root')).toThrow('there is no root');
  });
});
