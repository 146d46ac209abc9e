import type { Service, SettingValue, Tier } from './tier.ts';

/** The value of an option as a number in the unit of a target, null where it is none (harness/services/registry.ts). */
export type SettingReader = (option: string, value: SettingValue, unit: string) => number | null;

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

/** A setting as it is written, if that is a number. */
export function plainNumber(setting: SettingValue): number | null {
  const value = typeof setting === 'string' && setting.trim() !== '' ? Number(setting) : setting;
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** What turns something off. */
export function isOff(setting: SettingValue): boolean {
  return setting === false || ['off', 'false', '0', 'no'].includes(String(setting).toLowerCase());
}
