import { type Problem, TierbenchError } from '../../harness/core/errors.ts';
import type { Service, ServiceKind, Tier } from '../../harness/core/tier.ts';
import { apiParts, oneShotParts } from './api-services.ts';
import { type ComposeParts, type ComposeService, SEED_PROFILE } from './parts.ts';
import { balancerParts, cacheParts, poolerParts, primaryParts, replicaParts } from './server-services.ts';

/** A compose file as a plain object. */
export interface ComposeFile {
  readonly name: string;
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly volumes: Readonly<Record<string, object>>;
  readonly configs: Readonly<Record<string, { readonly content: string }>>;
}

const FIRST_PORT = 3000;

/**
 * The tiers as one compose file: a profile, a port and names of their own each, so that two of them can be up at once.
 * They share compose's default network: others than that it makes for every profile and removes for one.
 * @throws TierbenchError COMPOSE_NAMES_CLASH where two things of it would have one name.
 */
export function composeFile(tiers: readonly Tier[]): ComposeFile {
  const parts = tiers.flatMap((tier, index) => tierParts(tier, FIRST_PORT + index));
  refuseDoubles([SEED_PROFILE, ...tiers.map(({ name }) => name)]);
  refuseDoubles(parts.flatMap(({ services }) => Object.keys(services)));
  const merged = <Key extends keyof ComposeParts>(key: Key): ComposeParts[Key] =>
    Object.assign({}, ...parts.map((each) => each[key]));
  return {
    name: 'tierbench',
    services: merged('services'),
    volumes: merged('volumes'),
    configs: merged('configs'),
  };
}

function tierParts(tier: Tier, port: number): readonly ComposeParts[] {
  return [
    ...tier.services.flatMap((service) => partsOf[service.kind]?.(tier, service, port) ?? []),
    oneShotParts(tier),
  ];
}

const partsOf: Readonly<Record<ServiceKind, (tier: Tier, service: Service, port: number) => ComposeParts>> = {
  'load-balancer': balancerParts,
  api: apiParts,
  pooler: poolerParts,
  primary: primaryParts,
  replica: replicaParts,
  cache: cacheParts,
};

function refuseDoubles(names: readonly string[]): void {
  const doubles = new Set(names.filter((name, index) => names.indexOf(name) !== index));
  if (doubles.size === 0) return;
  throw new TierbenchError(
    'COMPOSE_NAMES_CLASH',
    'two things in one compose file would have the same name',
    'Give the tiers or their services other names, or write a compose file for each tier.',
    { problems: [...doubles].map((name): Problem => ({ what: `'${name}' is there twice` })) },
  );
}
