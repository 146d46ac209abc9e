import type { Service, SettingValue, Tier } from './tier.ts';

/**
 * What a tier sets an option to, as a number in `unit` (the unit of a target); null where the tier does not set it.
 *
 * `pooler.default_pool_size` is a setting of the services of that kind, and `api.instances`, `api.cpus` and `api.memory`
 * are what such a service has in every tier. `load-balancer.backend.instances` follows the connection of that role. A bare
 * name is a setting of any service that has it, such as an environment variable of the app.
 */
export function tierSetting(tier: Tier, option: string, unit: string): number | null {
  const { kind, property } = settingOption(option);
  const services = tier.services.filter((service) =>
    kind === null ? property in service.settings : service.kind === kind,
  );
  const [first] = services;
  if (first === undefined) return null;
  const [role = '', ...rest] = property.split('.');
  const peer = first.connectsTo[role];
  if (rest.length > 0 && peer !== undefined) {
    const service = tier.services.find(({ name }) => name === peer);
    return service === undefined ? null : propertyOf([service], rest.join('.'), unit);
  }
  return propertyOf(services, property, unit);
}

function propertyOf(services: readonly Service[], property: string, unit: string): number | null {
  const [service] = services;
  if (property === 'instances') return services.reduce((total, { instances }) => total + instances, 0);
  if (property === 'cpus') return service?.resources.cpus ?? null;
  if (property === 'memory') return service?.resources.memoryBytes ?? null;
  const setting = service?.settings[property];
  return setting === undefined ? null : settingInSi(property, setting, unit);
}

/** `api.cpus` -> kind `api`, property `cpus`. A bare name has no kind. */
export function settingOption(option: string): { readonly kind: string | null; readonly property: string } {
  const dot = option.indexOf('.');
  return dot < 0 ? { kind: null, property: option } : { kind: option.slice(0, dot), property: option.slice(dot + 1) };
}

const secondsIn = { s: 1, m: 60, h: 3600 } as const;

/** An option says its unit in the end of its name (`_MS`); `100/15m` is a number of requests and their window. */
function settingInSi(option: string, setting: SettingValue, unit: string): number | null {
  const limit = /^(\d+)\/(\d+)([smh])$/u.exec(String(setting));
  if (limit !== null) {
    const windowS = Number(limit[2]) * secondsIn[limit[3] as keyof typeof secondsIn];
    return unit === 'requests' ? Number(limit[1]) : unit === 's' ? windowS : null;
  }
  const value = typeof setting === 'string' && setting.trim() !== '' ? Number(setting) : setting;
  if (typeof value !== 'number' || !Number.isFinite(value)) return null;
  return option.endsWith('_MS') ? value / 1000 : value;
}
