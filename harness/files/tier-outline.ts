import { type ServiceKind, type SettingValue, serviceKinds } from '../core/tier.ts';
import { group } from './mistake.ts';

/** A service as far as it could be read: other checks speak about the rest. */
export interface Outline {
  readonly name: string;
  readonly kind: ServiceKind | undefined;
  readonly instances: number;
  readonly connections: readonly (readonly [role: string, target: string])[];
  readonly settings: readonly (readonly [name: string, value: SettingValue])[];
}

export function outline([name, written]: [string, unknown]): Outline {
  const service = group(written);
  return {
    name,
    kind: serviceKinds.find((kind) => kind === service.kind),
    instances: Number.isInteger(service.instances) ? Number(service.instances) : 1,
    connections: Object.entries(group(service.connectsTo)).filter(
      (connection): connection is [string, string] => typeof connection[1] === 'string',
    ),
    settings: Object.entries(group(service.settings)).filter(
      (setting): setting is [string, SettingValue] =>
        ['string', 'number', 'boolean'].includes(typeof setting[1]) && !Number.isNaN(setting[1]),
    ),
  };
}

export function settingOf({ settings }: Outline, name: string): SettingValue | undefined {
  return settings.find(([written]) => written === name)?.[1];
}
