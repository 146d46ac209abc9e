import type { ServiceKind, Tier } from '../../core/tier.ts';

const runnable: ReadonlySet<ServiceKind> = new Set(['api', 'primary']);

/** Why the shape of this tier cannot be brought up as processes, each with the next step; empty when it can. */
export function tierObstacles(tier: Tier): readonly string[] {
  const services = (kind: ServiceKind) => tier.services.filter((service) => service.kind === kind);
  const obstacles = tier.services
    .filter((service) => !runnable.has(service.kind))
    .map(
      (service) =>
        `service '${service.name}' is a ${service.kind}, which the local provider does not bring up yet; ` +
        'use `--tier single`, or `--url` against a deployment that has one',
    );
  for (const service of tier.services) {
    if (service.kind === 'primary' && service.instances !== 1) {
      obstacles.push(`service '${service.name}' has ${service.instances} instances; a primary has exactly 1`);
    }
  }
  if (services('primary').length > 1) obstacles.push('the tier has more than one primary; leave one');
  if (services('load-balancer').length === 0) {
    const apis = services('api');
    const instances = apis.reduce((sum, service) => sum + service.instances, 0);
    if (instances > 1) {
      obstacles.push(
        `${instances} instances of the API (${apis.map(({ name }) => name).join(', ')}) need a load balancer before them; ` +
          'set `instances: 1`',
      );
    }
  }
  const entry = tier.services.find((service) => service.name === tier.entry);
  if (entry === undefined || (entry.kind !== 'api' && entry.kind !== 'load-balancer')) {
    obstacles.push(
      `the entry '${tier.entry}' is not an API or load balancer of the tier; name the one that takes the load`,
    );
  }
  for (const service of services('api')) {
    const stores = Object.values(service.connectsTo).map((name) => tier.services.find((other) => other.name === name));
    if (!stores.some((store) => store?.kind === 'primary')) {
      obstacles.push(
        `service '${service.name}' connects to no primary; add \`connectsTo: { writer: ... }\` with the primary's name`,
      );
    }
  }
  return obstacles;
}
