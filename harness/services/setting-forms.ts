import type { SettingValue } from '../core/tier.ts';
import type { ServiceProblem } from './service-type.ts';

export function wrongValue(what: string, nextStep: string): Omit<ServiceProblem, 'at'> {
  return { part: 'value', what, nextStep };
}

export function isWhole(value: SettingValue): boolean {
  return /^\d{1,15}$/u.test(String(value));
}

/** The setting as a whole number, or its default where the tier leaves it out; undefined for anything else. */
export function whole(setting: SettingValue | undefined, fallback: SettingValue | undefined): number | undefined {
  const text = String(setting ?? fallback);
  return /^\d{1,9}$/u.test(text) ? Number(text) : undefined;
}

/** A value as it is quoted in a problem, cut after 40 characters. */
export function shown(value: SettingValue): string {
  const text = String(value);
  return text.length > 40 ? `'${text.slice(0, 39)}…'` : `'${text}'`;
}
