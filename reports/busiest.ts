import { describeLoad } from '../harness/core/load.ts';
import type { MeasuredTrial, ProbeSample } from '../harness/core/trial.ts';
import { formatNumber, formatRatio, formatSeconds } from '../harness/core/units.ts';
import { samplesInWindow } from '../harness/judging/window-samples.ts';
import { mean } from '../harness/statistics/mean.ts';
import { list } from './figures.ts';
import type { ScenarioAnalysis } from './scenario-analysis.ts';

/** CPU of a process as the probes give it: 1 is one core kept busy. */
export function isCpu({ metric }: ProbeSample): boolean {
  return metric === 'cpu-utilization';
}

/** Queues worth a word, from this mean on. */
const queues = [
  {
    metric: 'password-hashes-waiting',
    from: 0.5,
    words: (mean: number) => `${formatNumber(mean)} waiting for a password hash`,
  },
  {
    metric: 'pool-waiting',
    from: 0.5,
    words: (mean: number) => `${formatNumber(mean)} waiting for a database connection`,
  },
  {
    metric: 'event-loop-lag-p99',
    from: 0.02,
    words: (mean: number) => `its event loop up to ${formatSeconds(mean)} late (p99)`,
  },
];

/**
 * What was busy and what queued at the highest load of each scenario, as means over the measured window. Facts only:
 * what was measured, not what it means. Scenarios without samples are left out.
 */
export function busiestSources(scenarios: readonly ScenarioAnalysis[]): readonly string[] {
  return scenarios.flatMap(({ name, trials }) => {
    const last = trials.at(-1);
    if (last === undefined) return [];
    const means = meansOf(last.measured);
    const cpu = means
      .filter(({ metric }) => metric === 'cpu-utilization')
      .toSorted((left, right) => right.mean - left.mean || (left.source < right.source ? -1 : 1))
      .slice(0, 4)
      .map(({ source, mean }) => `${source} used ${formatRatio(mean)} of a core`);
    const machine = means
      .filter(({ source, metric }) => source === 'machine' && metric === 'utilization')
      .map(({ mean }) => `the machine ${formatRatio(mean)} of all its cores`);
    const queued = queues.flatMap(({ metric, from, words }) =>
      means
        .filter((each) => each.metric === metric && each.mean >= from)
        .map(({ source, mean }) => `${source} had ${words(mean)}`),
    );
    const facts = [list([...cpu, ...machine]), ...queued].filter((fact) => fact !== '');
    return facts.length === 0 ? [] : [`${name} at ${describeLoad(last.summary.load)}: ${facts.join('; ')}`];
  });
}

interface Mean {
  readonly source: string;
  readonly metric: string;
  readonly mean: number;
}

function meansOf(trial: MeasuredTrial): readonly Mean[] {
  const measured = samplesInWindow(trial);
  return [...Map.groupBy(measured, ({ source, metric }) => JSON.stringify([source, metric])).values()].flatMap(
    (own) => {
      const [first] = own;
      if (first === undefined) return [];
      return [{ source: first.source, metric: first.metric, mean: mean(own.map(({ value }) => value)) }];
    },
  );
}
