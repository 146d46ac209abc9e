import type { Service, SettingValue } from '../core/tier.ts';

/** Settings of a server as words of its command line, those of the provider last, as the last one counts. */
export function postgresFlags(
  service: Service,
  ofProvider: Readonly<Record<string, SettingValue>> = {},
): readonly string[] {
  return Object.entries({ ...service.settings, ...ofProvider }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}
