import type { Service, SettingValue, Tier } from './tier.ts';

/**
 * Which setting of a tier is meant. `pooler.default_pool_size` is a setting of the services of that kind, and
 * `api.instances`, `api.cpus` and `api.memory` are what such a service has in every tier. A bare name is a setting of any
 * service that has it, such as an environment variable of the app.
 */
export interface SettingChoice {
  readonly option: string;
  /** Only services that another one connects to in this role: `reader`. */
  readonly as?: string;
}

export type TierSettings =
  /** Services of that kind are not in the tier, or nothing connects to one in that role. */
  | { readonly kind: 'no-such-service'; readonly service: string }
  /** The tier leaves it to the service. */
  | { readonly kind: 'open' }
  /** One value for each service that sets it; of `instances` their total. */
  | { readonly kind: 'set'; readonly values: readonly [SettingValue, ...SettingValue[]] };

/** What a tier sets an option to, as it is written in the tier file; resources in CPUs and bytes. */
export function tierSettings({ services }: Tier, { option, as }: SettingChoice): TierSettings {
  const { kind, property } = settingOption(option);
  const inRole = (name: string) =>
    as === undefined || services.some(({ connectsTo }) => Object.hasOwn(connectsTo, as) && connectsTo[as] === name);
  const meant = services.filter((service) => (kind === null || service.kind === kind) && inRole(service.name));
  if (kind !== null && meant.length === 0) return { kind: 'no-such-service', service: kind };
  if (kind !== null && property === 'instances') {
    return { kind: 'set', values: [meant.reduce((total, { instances }) => total + instances, 0)] };
  }
  const [first, ...others] = meant.flatMap((service) => settingOf(service, kind, property) ?? []);
  return first === undefined ? { kind: 'open' } : { kind: 'set', values: [first, ...others] };
}

function settingOf({ resources, settings }: Service, kind: string | null, property: string): SettingValue | undefined {
  if (kind !== null && property === 'cpus') return resources.cpus;
  if (kind !== null && property === 'memory') return resources.memoryBytes;
  return Object.hasOwn(settings, property) ? settings[property] : undefined;
}

/** `api.cpus` -> kind `api`, property `cpus`. A bare name has no kind. */
export function settingOption(option: string): { readonly kind: string | null; readonly property: string } {
  const dot = option.indexOf('.');
  return dot < 0 ? { kind: null, property: option } : { kind: option.slice(0, dot), property: option.slice(dot + 1) };
}

const secondsIn = { s: 1, m: 60, h: 3600 } as const;

/**
 * The value as a number in `unit`, that of a target; null where it is none. An option says its unit in the end of its name
 * (`_MS`); `100/15m` is a number of requests and their window.
 */
export function settingInSi(option: string, setting: SettingValue, unit: string): number | null {
  const limit = /^(\d+)\/(\d+)([smh])$/u.exec(String(setting));
  if (limit !== null) {
    const windowS = Number(limit[2]) * secondsIn[limit[3] as keyof typeof secondsIn];
    return unit === 'requests' ? Number(limit[1]) : unit === 's' ? windowS : null;
  }
  const value = typeof setting === 'string' && setting.trim() !== '' ? Number(setting) : setting;
  if (typeof value !== 'number' || !Number.isFinite(value)) return null;
  return option.endsWith('_MS') ? value / 1000 : value;
}

/** What turns something off. */
export function isOff(setting: SettingValue): boolean {
  return setting === false || ['off', 'false', '0', 'no'].includes(String(setting).toLowerCase());
}
