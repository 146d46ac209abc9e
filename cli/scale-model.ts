import { TierbenchError } from '../harness/core/errors.ts';
import { scaleModel, withScaledCpus } from '../harness/core/scale-model.ts';
import type { Tier } from '../harness/core/tier.ts';
import type { Deployment, Provider } from '../harness/providers/provider.ts';
import { describeNote } from '../reports/describe/notes.ts';

export interface ScaleModel {
  readonly factor: number;
  readonly tiers: readonly Tier[];
  readonly provider: Provider;
}

/**
 * The tiers with the CPUs of every service scaled by one factor, so that the largest tier fits `cpus`, and a provider
 * that rejects a deployment in which a service has no CPU limit.
 * @throws TierbenchError SCALE_MODEL_IMPOSSIBLE
 */
export function asScaleModel(tiers: readonly Tier[], provider: Provider, cpus: number, whyNot?: string): ScaleModel {
  if (whyNot !== undefined) throw notLimited(whyNot);
  const factor = scaleModel(tiers, cpus);
  return { factor, tiers: tiers.map((tier) => withScaledCpus(tier, factor)), provider: onlyWithLimits(provider) };
}

function onlyWithLimits(provider: Provider): Provider {
  return {
    ...provider,
    async deploy(...asked) {
      const deployment = await provider.deploy(...asked);
      const unlimited = instancesWithoutLimit(deployment);
      if (unlimited.length === 0) return deployment;
      await deployment[Symbol.asyncDispose]();
      throw notLimited(
        `${unlimited.join(', ')} may use every CPU. ${deployment.notes.map(describeNote).join('; ')}`.trim(),
      );
    },
  };
}

function instancesWithoutLimit({ services }: Deployment): readonly string[] {
  return services
    .flatMap(({ instances }) => instances)
    .filter(({ limits }) => limits?.cpus === undefined)
    .map(({ name }) => name);
}

function notLimited(why: string): TierbenchError {
  return new TierbenchError(
    'SCALE_MODEL_IMPOSSIBLE',
    `a scale model needs services that are held to their CPUs, and here they are not: ${why}`,
    'Run it in containers or as root, or without a scale model.',
  );
}
