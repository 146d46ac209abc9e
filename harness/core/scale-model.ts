import { type Problem, TierbenchError } from './errors.ts';
import type { Tier } from './tier.ts';

/**
 * What the CPUs of every service of all tiers are multiplied by so that the largest tier fits into `cpus`: one factor
 * for all, at most 1, so that the tiers can still be compared with each other.
 * @throws TierbenchError SCALE_MODEL_IMPOSSIBLE with every service that says no CPUs, or where `cpus` is not above 0.
 */
export function scaleModel(tiers: readonly Tier[], cpus: number): number {
  if (!(cpus > 0)) throw impossible(`${cpus} CPUs are left for the services`, []);
  const unlimited = tiers.flatMap((tier) =>
    tier.services
      .filter(({ resources }) => resources.cpus === undefined)
      .map(({ name }): Problem => ({ what: `the service '${name}' of tier '${tier.name}' says no cpus` })),
  );
  if (unlimited.length > 0) {
    throw impossible('a service without a limit takes what it gets, however small the others are made', unlimited);
  }
  return Math.min(1, cpus / Math.max(0, ...tiers.map(tierCpus)));
}

/** The same tier with the CPUs of each service multiplied; memory, pools and instances stay as they are. */
export function withScaledCpus(tier: Tier, factor: number): Tier {
  return {
    ...tier,
    services: tier.services.map((service) => ({
      ...service,
      resources: {
        ...service.resources,
        ...(service.resources.cpus !== undefined && { cpus: service.resources.cpus * factor }),
      },
    })),
  };
}

/** CPUs of all instances of all services that say any. */
export function tierCpus({ services }: Tier): number {
  return services.reduce((total, { instances, resources }) => total + instances * (resources.cpus ?? 0), 0);
}

function impossible(what: string, problems: readonly Problem[]): TierbenchError {
  return new TierbenchError(
    'SCALE_MODEL_IMPOSSIBLE',
    `the tiers cannot be made smaller: ${what}`,
    'Give every service `resources: { cpus: ... }` in the tier file, and run on a machine with a CPU for them.',
    { problems },
  );
}
