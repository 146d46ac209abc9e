import type { App } from '../../harness/core/app.ts';
import { type Problem, TierbenchError } from '../../harness/core/errors.ts';
import type { Tier } from '../../harness/core/tier.ts';
import { interpolation } from './interpolation.ts';
import { type ComposeService, DATA_PROFILE, tierEntries } from './tier-services.ts';

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
export function composeFile(tiers: readonly Tier[], app: App): ComposeFile {
  const of = interpolation();
  const entries = tiers.map((tier, index) => tierEntries(tier, app, FIRST_PORT + index, of));
  refuseDoubles([DATA_PROFILE, ...tiers.map(({ name }) => name)]);
  refuseDoubles(entries.flatMap(({ services }) => services.map(([name]) => name)));
  return {
    name: 'tierbench',
    services: Object.fromEntries(entries.flatMap(({ services }) => services)),
    volumes: Object.fromEntries(entries.flatMap(({ volumes }) => volumes.map((name) => [name, {}]))),
    configs: Object.fromEntries(entries.flatMap(({ configs }) => configs)),
  };
}

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
