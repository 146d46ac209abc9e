import type { Service, SettingValue } from '../core/tier.ts';

/** What a server gets when its tier does not say otherwise. */
const postgresDefaults = {
  // What a replica that went away may keep of the log: otherwise it fills the disk of the primary.
  max_slot_wal_keep_size: '1GB',
} as const;

/** Settings of a server as words of its command line, those of the provider last, as the last one counts. */
export function postgresFlags(
  service: Pick<Service, 'settings'>,
  ofProvider: Readonly<Record<string, SettingValue>> = {},
): readonly string[] {
  return Object.entries({ ...postgresDefaults, ...service.settings, ...ofProvider }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ]);
}
