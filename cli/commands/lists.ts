import { exactly } from '../../harness/core/plan.ts';
import { builtInScenarios, loadScenario } from '../../harness/files/load-scenario.ts';
import { readTargets } from '../../harness/files/target-file.ts';
import { builtInTiers, readTier } from '../../harness/files/tier-file.ts';
import { workloadFrom } from '../../harness/files/workload-file.ts';
import { judgeClaims } from '../../reports/claims.ts';
import { claimsDocument, claimsReport } from '../../reports/documents/claims.ts';
import { exitCodes, type Output } from '../output/streams.ts';
import { targetsTable } from '../output/targets-table.ts';
import { tiersTable } from '../output/tiers-table.ts';
import { describeWhere, whereItRuns } from '../where-tiers-run.ts';
import { readAnalysis, scenarioOf } from './plan.ts';
import { printDocument } from './report.ts';

/** What the plans are for that judge claims; each claim scales them to its own load. */
const MILLION_USERS = 1_000_000;

export async function targets(
  options: {
    readonly targets?: string;
    readonly json?: boolean;
    readonly result?: string;
    readonly scenario?: string;
    readonly out?: string;
  },
  output: Output,
): Promise<number> {
  const all = await readTargets(options.targets === undefined ? undefined : [options.targets]);
  if (options.result !== undefined) {
    const analysis = await readAnalysis(options.result);
    const scenario = scenarioOf(analysis, options.scenario ?? null);
    const workload = workloadFrom({ amount: { kind: 'daily-users', value: exactly(MILLION_USERS) } });
    const claims = judgeClaims(analysis, all, { workload, scenario, prices: null });
    const json = claimsReport(claims, analysis, scenario);
    const document = claimsDocument(claims, analysis, scenario);
    await printDocument({ document, json: () => json, verdict: null }, options, output);
    return exitCodes.met;
  }
  output.out(options.json ? JSON.stringify(all, null, 2) : targetsTable(all, output.width));
  return exitCodes.met;
}

export async function scenarios(options: { readonly json?: boolean }, output: Output): Promise<number> {
  const all = await Promise.all(builtInScenarios().map((name) => loadScenario(name)));
  const described = all.map(({ name, description, hasThinkTime = false }) => ({ name, description, hasThinkTime }));
  if (options.json) {
    output.out(JSON.stringify(described, null, 2));
  } else {
    const width = Math.max(...described.map(({ name }) => name.length));
    for (const { name, description, hasThinkTime } of described) {
      output.out(`${name.padEnd(width)}  ${description}${hasThinkTime ? ' (pauses as people do)' : ''}`);
    }
    output.out('\nYour own: `tierbench init scenario NAME`, then `tierbench run --scenario ./NAME.ts`.');
  }
  return exitCodes.met;
}

export async function tiers(options: { readonly json?: boolean }, output: Output): Promise<number> {
  const all = await Promise.all(
    (await builtInTiers()).map(async (name) => {
      const tier = await readTier(name);
      return { ...tier, here: await whereItRuns(tier) };
    }),
  );
  output.out(
    options.json
      ? JSON.stringify(all, null, 2)
      : all.map(({ here, ...tier }) => `${tiersTable([tier], output.width)}\n${describeWhere(here)}`).join('\n\n'),
  );
  return exitCodes.met;
}
