import type { SettingValue } from '../core/tier.ts';
import type { ServiceProblem } from './service-type.ts';

export function wrongValue(what: string, nextStep: string): Omit<ServiceProblem, 'at'> {
  return { part: 'value', what, nextStep };
}

/** A value as it is quoted in a problem, cut after 40 characters. */
export function shown(value: SettingValue): string {
  const text = String(value);
  return text.length > 40 ? `'${text.slice(0, 39)}…'` : `'${text}'`;
}
