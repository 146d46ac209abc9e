import type { App } from '../core/app.ts';
import { plainNumber, type SettingReader, settingOption } from '../core/tier-setting.ts';
import { appType } from './api.ts';
import { cache } from './cache.ts';
import { container, program } from './container.ts';
import { loadBalancer } from './load-balancer.ts';
import { pooler } from './pooler.ts';
import { primary } from './primary.ts';
import { referenceApp } from './reference-app.ts';
import { replica } from './replica.ts';
import type { ServiceType } from './service-type.ts';

const APP_KIND = 'api';

/** Every kind of service. A new one is a file beside this one and a line here. */
export function serviceTypes(app: App): readonly ServiceType[] {
  return [appType(APP_KIND, app), loadBalancer, pooler, primary, replica, cache, container, program];
}

/** Of a service of a tier that was read from a file, and so has a kind that exists. */
export function serviceType(kind: string, app: App): ServiceType {
  const type = serviceTypes(app).find((each) => each.kind === kind);
  if (type === undefined) throw new Error(`there is no kind of service called '${kind}'`);
  return type;
}

/** For files and reports, which know no app: the kind `api` is the app that ships with tierbench. */
export const shippedTypes: ReadonlyMap<string, ServiceType> = new Map(
  serviceTypes(referenceApp).map((type) => [type.kind, type]),
);

/** As the kind of service reads it, else the number that is written. A bare name is one of the app's. */
export const settingInUnit: SettingReader = (option, value, unit) => {
  const { kind, property } = settingOption(option);
  const { inUnit } = shippedTypes.get(kind ?? APP_KIND)?.settings ?? {};
  return inUnit === undefined ? plainNumber(value) : inUnit(property, value, unit);
};
