import type { CapabilityCheck } from '../../harness/core/machine.ts';
import { k6Check } from '../../harness/engines/k6/k6-check.ts';
import { capabilities, chartDrawingCheck } from '../../harness/machine/capabilities.ts';
import { machineFacts } from '../../harness/machine/facts.ts';
import { installMissing } from '../../harness/machine/install.ts';
import { findOrphans } from '../../harness/orphans/find.ts';
import { removeOrphans } from '../../harness/orphans/remove.ts';
import { containersCanRun } from '../../harness/providers/containers/obstacles.ts';
import { localProviderChecks } from '../../harness/providers/local/requirements.ts';
import { loadPictures } from '../../reports/charts/png.ts';
import { describeObstacle } from '../../reports/describe/notes.ts';
import { app } from '../app.ts';
import { execute } from '../install-missing.ts';
import { doctorText } from '../output/doctor-text.ts';
import { exitCodes, type Output } from '../output/streams.ts';

export async function doctor(
  options: { readonly install?: boolean; readonly json?: boolean; readonly noise?: boolean },
  output: Output,
): Promise<number> {
  const found = await findOrphans();
  const { removed, kept: notRemoved } = await removeOrphans(found);
  const kept = [...notRemoved, ...found.foreign.map(({ path, why }) => ({ what: path, why }))];
  const look = () =>
    capabilities([...localProviderChecks(app), containersCheck, k6Check, chartDrawingCheck(loadPictures)]);
  if (options.install) await installMissing(await look(), { say: output.err, execute });
  const report = {
    machine: machineFacts(),
    capabilities: await look(),
    orphans: { removed, kept, running: found.running, limits: found.limits },
  };
  output.out(options.json ? JSON.stringify(report, null, 2) : doctorText(report));
  if (notRemoved.length > 0) return exitCodes.couldNotRun;
  if (options.noise !== true) return exitCodes.met;
  return (await import('./gate.ts')).measureNoise({ noise: true }, output, app);
}

/** More than an engine that answers: every image is here, or a registry has it. */
const containersCheck: CapabilityCheck = {
  name: 'containers',
  neededFor: 'the provider that `auto` prefers',
  async find() {
    const obstacles = await containersCanRun(app);
    if (obstacles.length === 0) return { state: 'ready', detail: 'every image is here or can be had' };
    return { state: 'missing', detail: obstacles.map(describeObstacle).join('; ') };
  },
};
