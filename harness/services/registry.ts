import type { App } from '../core/app.ts';
import { appType } from './api.ts';
import { cache } from './cache.ts';
import { container, program } from './container.ts';
import { loadBalancer } from './load-balancer.ts';
import { pooler } from './pooler.ts';
import { primary } from './primary.ts';
import { referenceApp } from './reference-app.ts';
import { replica } from './replica.ts';
import type { ServiceType } from './service-type.ts';

/** Every kind of service. A new one is a file beside this one and a line here. */
export function serviceTypes(app: App = referenceApp): readonly ServiceType[] {
  return [appType('api', app), loadBalancer, pooler, primary, replica, cache, container, program];
}

const ofReferenceApp = serviceTypes();

/** Undefined where there is no such kind. */
export function findServiceType(kind: string, app: App = referenceApp): ServiceType | undefined {
  return (app === referenceApp ? ofReferenceApp : serviceTypes(app)).find((type) => type.kind === kind);
}

/** Of a service of a tier that was read from a file, and so has a kind that exists. */
export function serviceType(kind: string, app: App = referenceApp): ServiceType {
  const type = findServiceType(kind, app);
  if (type === undefined) throw new Error(`there is no kind of service called '${kind}'`);
  return type;
}
