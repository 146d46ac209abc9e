import type { CapabilityCheck } from '../../core/machine.ts';
import type { Tier } from '../../core/tier.ts';
import { checksOf } from './what-it-needs.ts';

/** Why this machine cannot bring the tier up as processes, each with the next step; empty when it can. */
export async function obstaclesHere(tier: Tier, checksOfKind = checksOf): Promise<readonly string[]> {
  const needs = tier.services.flatMap((service) =>
    checksOfKind(service.kind).map((check) => ({ check, service: service.name })),
  );
  const obstacles = [...Map.groupBy(needs, ({ check }) => check)].map(([check, needing]) =>
    obstacle(
      check,
      needing.map(({ service }) => service),
    ),
  );
  return (await Promise.all(obstacles)).filter((text) => text !== undefined);
}

async function obstacle({ name, find }: CapabilityCheck, services: readonly string[]): Promise<string | undefined> {
  const { state, detail, install } = await find();
  if (state !== 'missing') return undefined;
  const step = install === undefined ? '' : `; install it with \`${install}\``;
  return `${name} is missing, which ${services.join(' and ')} ${services.length === 1 ? 'needs' : 'need'}: ${detail}${step}`;
}
