import { describeLoad } from '../harness/core/load.ts';
import type { ProbeSample } from '../harness/core/trial.ts';
import { formatRatio } from '../harness/core/units.ts';
import { list } from './figures.ts';
import { meansOf, queueFacts } from './queues.ts';
import { mainLadder, type ScenarioAnalysis } from './scenario-analysis.ts';

/** CPU of a process as the probes give it: 1 is one core kept busy. */
export function isCpu({ metric }: ProbeSample): boolean {
  return metric === 'cpu-cores';
}

/**
 * What was busy and what queued at the highest load of each scenario, as means over the measured window. Facts only:
 * what was measured, not what it means. Scenarios without samples are left out.
 */
export function busiestSources(scenarios: readonly ScenarioAnalysis[]): readonly string[] {
  return scenarios.flatMap(({ name, trials }) => {
    const last = mainLadder(trials).at(-1);
    if (last === undefined) return [];
    const means = meansOf(last.record);
    const cpu = means
      .filter(({ metric }) => metric === 'cpu-cores')
      .toSorted((left, right) => right.mean - left.mean || (left.source < right.source ? -1 : 1))
      .slice(0, 4)
      .map(({ source, mean }) => `${source} used ${formatRatio(mean)} of a core`);
    const machine = means
      .filter(({ source, metric }) => source === 'machine' && metric === 'machine-utilization')
      .map(({ mean }) => `the machine ${formatRatio(mean)} of all its cores`);
    const facts = [list([...cpu, ...machine]), ...queueFacts(means)].filter((fact) => fact !== '');
    return facts.length === 0 ? [] : [`${name} at ${describeLoad(last.summary.load)}: ${facts.join('; ')}`];
  });
}
