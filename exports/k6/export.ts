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
    ['scenario.js', await bundleForK6({ source: entry(scenarioFile, plan), resolveDir: dirname(scenarioFile) })],
    ['script.js', scriptFile(plan, thresholds)],
    ['users.example.json', usersExampleFile()],
    ['README.md', readmeFile(plan, thresholds)],
  ]);
}

function entry(scenarioFile: string, { load, virtualUsers, mix }: ExportPlan): string {
  const [drive, virtualUser] = ['drive-in-k6', 'virtual-user-in-k6'].map((name) =>
    JSON.stringify(fileURLToPath(ownModule(`../../harness/engines/k6/${name}`, import.meta.url))),
  );
  const file = JSON.stringify(scenarioFile);
  const importScenario =
    mix === undefined
      ? `import scenario from ${file};`
      : `import { mixedScenario } from ${file};\nconst scenario = mixedScenario(${JSON.stringify(mix)});`;
  return `${importScenario}
import { driveInK6 } from ${drive};
import { metricsObserver, usersIn } from ${virtualUser};
export { usersIn };
export function iterationOf(users, load, k6, metrics) {
  const plan = {
    ...load,
    isOpen: ${load.model === 'open'},
    executorS: load.warmUpS + load.durationS,
    virtualUsers: ${virtualUsers},
    longestBeginningS: 0,
    isTrial: false,
  };
  const observe = (_virtualUser, originMs) => metricsObserver(plan, metrics, originMs);
  return driveInK6(scenario, plan, users, k6, observe).iterate;
}
`;
}
