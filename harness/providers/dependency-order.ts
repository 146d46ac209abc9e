import { TierbenchError } from '../core/errors.ts';
import type { Service } from '../core/tier.ts';

/**
 * The services so that each comes after all it connects to.
 * @throws TierbenchError TIER_NOT_CONNECTED for a cycle or a service that does not exist.
 */
export function inDependencyOrder(services: readonly Service[]): readonly Service[] {
  const ordered: Service[] = [];
  const visit = (service: Service, path: readonly string[]) => {
    if (ordered.includes(service)) return;
    if (path.includes(service.name)) {
      throw notConnected(`the services depend on each other in a circle: ${[...path, service.name].join(' -> ')}`);
    }
    for (const name of Object.values(service.connectsTo)) {
      const other = services.find((candidate) => candidate.name === name);
      if (other === undefined) {
        throw notConnected(`'${service.name}' connects to '${name}', which the tier does not have`);
      }
      visit(other, [...path, service.name]);
    }
    ordered.push(service);
  };
  for (const service of services) visit(service, []);
  return ordered;
}

function notConnected(what: string): TierbenchError {
  return new TierbenchError('TIER_NOT_CONNECTED', what, 'Fix `connectsTo` in the tier file.');
}
