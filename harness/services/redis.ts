import type { Service } from '../core/tier.ts';
import type { Address } from './address.ts';

export interface RedisSurroundings {
  readonly listen: Address;
  readonly password: string;
  /** A folder it works in; nothing is kept there. */
  readonly folder: string;
}

/** redis.conf: a cache that keeps nothing on disk, and the settings of the service. */
export function redisConfiguration(service: Service, { listen, password, folder }: RedisSurroundings): string {
  const settings = {
    save: '""',
    appendonly: 'no',
    ...service.settings,
    bind: listen.host,
    port: listen.port,
    requirepass: password,
    // A path may hold spaces.
    dir: JSON.stringify(folder),
  };
  return `${Object.entries(settings)
    .map(([name, value]) => `${name} ${value}`)
    .join('\n')}\n`;
}
