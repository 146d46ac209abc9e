import { cache } from './cache.ts';
import type { ServiceType } from './service-type.ts';

/** Every kind of service. A new one is a file beside this one and a line here. */
export const serviceTypes: readonly ServiceType[] = [cache];
