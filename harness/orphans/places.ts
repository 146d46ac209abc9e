import { lstat, mkdir } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { type EngineAddress, engineAddress } from '../container-engine/engine.ts';
import { accountId } from './processes.ts';

/** Where runs are written down and where their folders are. */
export interface Places {
  /** The registry: the first that can be written is used, all are read. */
  readonly registries: readonly string[];
  readonly temporary: string;
  /** The container engine; absent where there is none. */
  readonly engine?: EngineAddress | undefined;
}

/** `$XDG_STATE_HOME/tierbench/runs`, by default in `~/.local/state`; where that cannot be written, in the temporary folder. */
export function placesOfThisAccount(environment: NodeJS.ProcessEnv = process.env): Places {
  const temporary = tmpdir();
  const stated = environment.XDG_STATE_HOME ?? '';
  // The specification wants relative paths ignored.
  const state = isAbsolute(stated) ? stated : join(homedir(), '.local', 'state');
  return {
    registries: [join(state, 'tierbench', 'runs'), join(temporary, `tierbench-runs-${accountId()}`)],
    temporary,
    engine: engineAddress(environment),
  };
}

/** Makes the folder if it is not there; false when it cannot be trusted or made. */
export async function canKeepRecords(registry: string): Promise<boolean> {
  try {
    await mkdir(registry, { recursive: true, mode: 0o700 });
    return await isOurs(registry);
  } catch {
    return false;
  }
}

/** A real folder of this account that no other may write in: anyone may make one in the temporary folder. */
export async function isOurs(folder: string): Promise<boolean> {
  const status = await lstat(folder).catch(() => undefined);
  if (status === undefined || !status.isDirectory()) return false;
  return process.getuid === undefined || (status.uid === accountId() && (status.mode & 0o022) === 0);
}
