import type { SettingValue } from './tier.ts';
import { plainNumber } from './tier-setting.ts';
import { parseIn } from './units.ts';

/** What a sweep changes in a tier. */

/** A setting of the services of that name, or of that kind: `{ service: 'api', setting: 'instances', value: 2 }`. */
export interface SettingChange {
  readonly service: string;
  readonly setting: string;
  readonly value: SettingValue;
}

/** One of a sweep, and the values that are measured. */
export interface SweptSetting extends Omit<SettingChange, 'value'> {
  readonly values: readonly SettingValue[];
}

/** A change that makes a subject of a sweep. `isOwn`: the tier file has the same value. */
export interface VariedSetting extends SettingChange {
  readonly isOwn: boolean;
}

/** `pooled@api.instances=2,api.cpus=0.5`: a name of a tier has no `@`. */
export function variantId(tier: string, changes: readonly SettingChange[]): string {
  if (changes.length === 0) return tier;
  return `${tier}@${changes.map(({ service, setting, value }) => `${service}.${setting}=${value}`).join(',')}`;
}

/** The name of the tier of a subject: targets are about tiers, whatever a sweep changes in them. */
export function tierOfSubject(id: string): string {
  return id.split('@', 1)[0] ?? id;
}

/** The value of a change as a number, memory in bytes; null where it is none. */
export function changeNumber({ setting, value }: SettingChange): number | null {
  const parsed = setting === 'memory' ? parseIn(String(value), 'bytes') : undefined;
  return parsed === undefined ? plainNumber(value) : 'value' in parsed ? parsed.value : null;
}
