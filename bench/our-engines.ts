import { autocannonEngine } from '../harness/engines/autocannon/autocannon.ts';
import type { LoadEngine } from '../harness/engines/engine.ts';
import { findK6 } from '../harness/engines/k6/find-k6.ts';
import { k6Engine } from '../harness/engines/k6/k6.ts';
import { openLoopEngine } from '../harness/engines/open-loop/open-loop.ts';

/** The engines of tierbench for benchmarks, by name. `folder` is where one that runs a program may write. */
export const ourEngines: Readonly<Record<string, (folder: string) => Promise<LoadEngine>>> = {
  'open-loop': async () => openLoopEngine(),
  autocannon: async () => autocannonEngine(),
  k6: async (folder) => k6Engine({ program: await findK6(), folder }),
};

/** Those that can run here; of the others `say` hears why not. */
export async function enginesHere(folder: string, say: (what: string) => void): Promise<readonly LoadEngine[]> {
  const engines: LoadEngine[] = [];
  for (const [name, make] of Object.entries(ourEngines)) {
    try {
      engines.push(await make(folder));
    } catch (error) {
      say(`without ${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return engines;
}
