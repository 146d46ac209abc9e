import { linux } from './linux.ts';
import { macos } from './macos.ts';
import type { OperatingSystem } from './operating-system.ts';

/** Any system but Linux is asked as macOS is: what it lacks besides is missing in the answers. */
export function systemOf(platform: string): OperatingSystem {
  return platform === 'linux' ? linux : { ...macos(), platform };
}

/** The one this process runs on. */
export const thisSystem: OperatingSystem = systemOf(process.platform);
