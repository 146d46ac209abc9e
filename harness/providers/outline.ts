import type { App } from '../core/app.ts';
import type { Service } from '../core/tier.ts';
import { serviceType, serviceTypes } from '../services/registry.ts';
import type { Peer, ServiceSpec } from '../services/service-type.ts';

/** A service of each kind that says by itself what it runs, with every connection it may have. */
export function builtInServices(app: App): readonly Service[] {
  return serviceTypes(app).flatMap((type) => {
    const { kind } = type;
    const alone: Service = { name: kind, kind, instances: 1, settings: {}, resources: {}, connectsTo: {} };
    if ((type.problems?.(alone, [alone], () => type) ?? []).length > 0) return [];
    return [{ ...alone, connectsTo: Object.fromEntries(Object.keys(type.roles(alone)).map((role) => [role, role])) }];
  });
}

/** A spec as far as it does not depend on addresses: its program, its image. */
export function outlineOf(service: Service, app: App, version?: string): ServiceSpec {
  const address = { host: '127.0.0.1', port: 1 };
  const end = { service, addresses: [address], url: 'http://127.0.0.1:1' };
  const peer: Peer = { ...end, lacks: [], end };
  return serviceType(service.kind, app).spec(service, {
    tier: { name: '', title: '', description: '', documents: [], entry: service.name, services: [service] },
    instance: 1,
    folder: '/',
    dataFolder: '/',
    temporaryFolder: '/',
    host: address.host,
    port: () => address.port,
    peer: () => peer,
    credentials: { user: 'user', password: 'password', database: 'database' },
    secret: (name) => name,
    ...(version !== undefined && { version }),
  });
}
