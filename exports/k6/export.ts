import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Target } from '../../harness/core/target.ts';
import { bundleForK6 } from '../../harness/engines/k6/bundle.ts';
import { ownModule } from '../../harness/machine/own-package.ts';
import { type ExportPlan, readmeFile, scriptFile, usersExampleFile } from './export-files.ts';
import { thresholdsOf } from './export-thresholds.ts';

/**
 * The files of a folder that plain `k6 run` can run anywhere: name -> content. No secrets are in them.
 * @throws TierbenchError SCENARIO_CANNOT_BE_BUNDLED
 */
export async function exportForK6(
  scenarioFile: string,
  plan: ExportPlan,
  targets: readonly Target[],
): Promise<ReadonlyMap<string, string>> {
  const thresholds = thresholdsOf(targets, plan);
  return new Map([
    ['scenario.js', await bundleForK6({ source: entry(scenarioFile), resolveDir: dirname(scenarioFile) })],
    ['script.js', scriptFile(plan, thresholds)],
    ['users.example.json', usersExampleFile()],
    ['README.md', readmeFile(plan, thresholds)],
  ]);
}

function entry(scenarioFile: string): string {
  const drive = fileURLToPath(ownModule('./export-drive', import.meta.url));
  return `import scenario from ${JSON.stringify(scenarioFile)};
import { virtualUserInK6 } from ${JSON.stringify(drive)};
export const virtualUser = (users, load, modules, metrics) => virtualUserInK6(scenario, users, load, modules, metrics);
`;
}
