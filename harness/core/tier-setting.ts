import { type ServiceKind, type SettingValue, serviceKinds, type Tier } from './tier.ts';

/**
 * What a tier sets an option to, as a number in `unit` (the unit of a target); null where the tier leaves it open.
 *
 * `DATABASE_POOL_MAX` is an option of the reference app. `pooler.default_pool_size` is a setting of the services of
 * that kind, and `api.instances`, `api.cpus` and `api.memory` are what such a service has in every tier.
 * `load-balancer.backends` is the number of instances behind it.
 */
export function tierSetting(tier: Tier, option: string, unit: string): number | null {
  const { kind, property } = settingOption(option);
  const services = tier.services.filter((service) => service.kind === kind);
  if (services.length === 0) return null;
  if (property === 'instances') return services.reduce((total, { instances }) => total + instances, 0);
  const [service] = services;
  if (property === 'backends') {
    return tier.services.find(({ name }) => name === service?.connectsTo.backend)?.instances ?? null;
  }
  if (property === 'cpus') return service?.resources.cpus ?? null;
  if (property === 'memory') return service?.resources.memoryBytes ?? null;
  const setting = service?.settings[property];
  return setting === undefined ? null : settingInSi(property, setting, unit);
}

/** `api.cpus` -> kind `api`, property `cpus`. A bare name is one of the reference app's options. */
export function settingOption(option: string): { readonly kind: ServiceKind; readonly property: string } {
  const kind = serviceKinds.find((candidate) => option.startsWith(`${candidate}.`));
  return kind === undefined ? { kind: 'api', property: option } : { kind, property: option.slice(kind.length + 1) };
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
