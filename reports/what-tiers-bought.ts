import type { Estimate } from '../harness/core/estimate.ts';
import { byLoad, describeLoad, loadLevel, type OfferedLoad } from '../harness/core/load.ts';
import { formatNumber } from '../harness/core/units.ts';
import type { ScenarioComparison, TierChange, TierComparison, TierRow } from '../harness/judging/compare-tiers.ts';
import { type CarriedByTier, carriedByTiers } from './carried-words.ts';
import { changeInWords } from './change-words.ts';
import { describeWhyNot } from './describe/verdicts.ts';
import { list, plural } from './figures.ts';
import { cacheHitRatio, longestQueue, meansOf } from './queues.ts';

/**
 * What the tiers of a run bought on its machine and what they did not, in plain words: what changed, what did not, what
 * cannot be said, and what queued or was busy meanwhile. Facts only: no cause that was not measured, and no advice.
 */
export function whatTiersBought(comparison: TierComparison, tiers: readonly CarriedByTier[]): string {
  const { scenarios } = comparison;
  return [
    ...notRunSentences(scenarios),
    ...carriedByTiers(tiers),
    ...scenarios.flatMap(changeSentences),
    ...scenarios.flatMap(unpairedSentences),
    ...unknownSentences(scenarios),
    ...queueSentences(scenarios),
    ...cacheSentences(scenarios),
    ...machineSentences(scenarios),
  ].join(' ');
}

const metrics = [
  { name: 'throughput', of: ({ throughput }: TierRow) => throughput },
  { name: 'p95', of: ({ p95 }: TierRow) => p95 },
] as const;

interface Compared {
  readonly metric: string;
  readonly before: string;
  readonly after: string;
  readonly load: OfferedLoad;
  readonly change: TierChange;
}

function comparedIn({ loads }: ScenarioComparison): readonly Compared[] {
  return loads.flatMap(({ load, rows }) =>
    rows.flatMap((row) =>
      metrics.flatMap(({ name, of }): Compared[] => {
        const change = of(row);
        if (change === null || row.before === null) return [];
        return [{ metric: name, before: row.before, after: row.tier, load, change }];
      }),
    ),
  );
}

/** The steps from one tier to the next, in the order of the run. */
function stepsOf(compared: readonly Compared[]): readonly (readonly Compared[])[] {
  return [...Map.groupBy(compared, ({ before, after }) => JSON.stringify([before, after])).values()];
}

function changeSentences(scenario: ScenarioComparison): readonly string[] {
  const compared = comparedIn(scenario);
  const known = compared.filter(({ change }) => change.kind !== 'unknown');
  if (known.length === 0) return [];
  const steps = stepsOf(known);
  if (known.every(({ change }) => change.kind === 'unclear') && areOfTheSameLoads(steps)) {
    const tiers = [...new Set(known.flatMap(({ before, after }) => [before, after]))];
    return [`Neither throughput nor p95 of ${scenario.scenario} changed beyond noise ${path(tiers)} ${at(known)}.`];
  }
  return steps.flatMap((step) => {
    const [{ before, after } = { before: '', after: '' }] = step;
    const changed = metrics.map(({ name }) =>
      step.filter(({ metric, change }) => metric === name && change.kind === 'changed'),
    );
    if (changed.every((own) => own.length === 0) && areOfTheSameLoads([step])) {
      return [
        `Neither throughput nor p95 of ${scenario.scenario} changed beyond noise from ${before} to ${after} ${at(step)}.`,
      ];
    }
    const [throughput = [], p95 = []] = changed;
    if (isOneStory(throughput, p95, step)) return [bothSentence(scenario.scenario, throughput, p95, before, after)];
    return metrics.flatMap(({ name }, index) => {
      const own = changed[index] ?? [];
      const others = step.filter(({ metric, change }) => metric === name && change.kind === 'unclear');
      return metricSentence(name, scenario.scenario, own, others, `from ${before} to ${after}`);
    });
  });
}

/** Whether both figures of each step are known at the same loads: else what is said of all is not known of some. */
function areOfTheSameLoads(steps: readonly (readonly Compared[])[]): boolean {
  const loads = steps.flatMap((step) =>
    metrics.map(({ name }) => step.flatMap(({ metric, load }) => (metric === name ? [describeLoad(load)] : [])).join()),
  );
  return new Set(loads).size === 1;
}

/** Both changed at every load that can be compared, each in one direction. */
function isOneStory(throughput: readonly Compared[], p95: readonly Compared[], step: readonly Compared[]): boolean {
  const oneWay = (own: readonly Compared[]) => new Set(own.map((each) => ratioOf(each).value >= 1)).size === 1;
  return (
    throughput.length === p95.length &&
    throughput.length + p95.length === step.length &&
    oneWay(throughput) &&
    oneWay(p95)
  );
}

function bothSentence(
  scenario: string,
  throughput: readonly Compared[],
  p95: readonly Compared[],
  before: string,
  after: string,
): string {
  const [last, lastP95] = [throughput.at(-1), p95.at(-1)];
  if (last === undefined || lastP95 === undefined) return '';
  const others = throughput.slice(0, -1);
  const too = others.length === 0 ? '' : `, and both the same way ${at(others)}`;
  return `From ${before} to ${after} throughput of ${scenario} ${changeInWords(ratioOf(last))} and its p95 ${changeInWords(ratioOf(lastP95))} ${at([last])}${too}.`;
}

/** The highest load at which it changed, with the size; of the others only which way. */
function metricSentence(
  metric: string,
  scenario: string,
  changed: readonly Compared[],
  unclear: readonly Compared[],
  fromTo: string,
): readonly string[] {
  const last = changed.at(-1);
  if (last === undefined) {
    return unclear.length === 0
      ? []
      : [`${capital(metric)} of ${scenario} did not change beyond noise ${fromTo} ${at(unclear)}.`];
  }
  const others = changed.slice(0, -1);
  const parts = [
    `${capital(metric)} of ${scenario} ${changeInWords(ratioOf(last))} ${fromTo} ${at([last])}`,
    ...(['rose', 'fell'] as const).flatMap((way) => {
      const own = others.filter((each) => ratioOf(each).value >= 1 === (way === 'rose'));
      const too = way === (ratioOf(last).value >= 1 ? 'rose' : 'fell') ? ' too' : '';
      return own.length === 0 ? [] : [`it ${way} ${at(own)}${too}`];
    }),
    ...(unclear.length === 0 ? [] : [`there was no change beyond noise ${at(unclear)}`]),
  ];
  return [`${parts.join('; ')}.`];
}

function ratioOf({ change }: Compared): Estimate {
  if (change.kind === 'unknown') throw new Error('what cannot be said has no size');
  return change.ratio;
}

/** `at concurrency 1, 10 and 50`, `at 500/s and 1,000/s`, `at 500/s and at concurrency 100` */
function at(compared: readonly { readonly load: OfferedLoad }[]): string {
  const loads = compared.map(({ load }) => load).toSorted(byLoad);
  const rates = new Set(loads.filter(({ model }) => model === 'open').map(describeLoad));
  const users = new Set(loads.filter(({ model }) => model === 'closed').map((load) => formatNumber(loadLevel(load))));
  return [
    ...(rates.size === 0 ? [] : [`at ${list([...rates])}`]),
    ...(users.size === 0 ? [] : [`at concurrency ${list([...users])}`]),
  ].join(' and ');
}

/** Each tier may have rates of its own: no figure of one load is held against that of another. */
function unpairedSentences({ scenario, unpaired }: ScenarioComparison): readonly string[] {
  if (unpaired.length === 0) return [];
  const parts = unpaired.map(({ tier, loads }) => `only ${tier} was measured ${at(loads.map((load) => ({ load })))}`);
  return [`Of ${scenario} ${parts.join(', ')}: nothing is compared there.`];
}

/** `from single to pooled`, `from one tier to the next (single, pooled, cached)` */
function path(tiers: readonly string[]): string {
  return tiers.length === 2 ? `from ${tiers.join(' to ')}` : `from one tier to the next (${tiers.join(', ')})`;
}

function notRunSentences(scenarios: readonly ScenarioComparison[]): readonly string[] {
  const rows = scenarios.flatMap(({ loads }) => loads.flatMap((load) => load.rows));
  const notRun = rows.flatMap(({ tier, why }) =>
    why?.code === 'tier-not-run' ? [`${tier} was ${describeWhyNot(why)}.`] : [],
  );
  return [...new Set(notRun)];
}

const MOST_REASONS = 3;

/** Each reason once, however many loads and scenarios it is about. */
function unknownSentences(scenarios: readonly ScenarioComparison[]): readonly string[] {
  const all = scenarios.flatMap(comparedIn);
  const unknown = all.flatMap(({ change }) => (change.kind === 'unknown' ? [change] : []));
  if (all.length === 0) return ['No two tiers were measured at the same load, so no change can be told.'];
  if (unknown.length === 0) return [];
  const alike = Map.groupBy(unknown, ({ tier, why }) =>
    JSON.stringify([tier, why.code, why.code === 'invalid' && why.reason.code]),
  );
  const reasons = [...alike.values()].flatMap((own) =>
    own.slice(0, 1).map(({ tier, why }) => `${tier}: ${describeWhyNot(why)}`),
  );
  const shown = reasons.slice(0, MOST_REASONS);
  const more = reasons.length - shown.length;
  const count = unknown.length === all.length ? 'None' : `${formatNumber(unknown.length)}`;
  return [
    `${count} of the ${plural(all.length, 'comparison')} ${unknown.length === all.length ? 'can' : 'cannot'} be made (${shown.join('; ')}${more > 0 ? `; and ${plural(more, 'more reason')}` : ''}).`,
  ];
}

/** Where a tier has a cache: how much of what could be read from it was. */
function cacheSentences(scenarios: readonly ScenarioComparison[]): readonly string[] {
  return scenarios.flatMap((scenario) => {
    const highest = highestLoad(scenario);
    const found = (highest?.rows ?? []).flatMap(({ tier, trial }) => {
      const ratio = trial === null ? null : cacheHitRatio(trial.record);
      return ratio === null ? [] : [`${formatNumber(Math.round(ratio * 100))} % in ${tier}`];
    });
    if (highest === undefined || found.length === 0) return [];
    return [`Of the cached reads of ${scenario.scenario} ${at([highest])} the cache answered ${list(found)}.`];
  });
}

interface HighestLoad {
  readonly load: OfferedLoad;
  /** Those that were measured there. */
  readonly rows: readonly TierRow[];
  /** Whether all tiers of the run were. */
  readonly isEveryTier: boolean;
}

/** The highest rate, or number of users, that more than one tier was measured at; of one tier alone where there is none. */
function highestLoad({ loads: all }: ScenarioComparison): HighestLoad | undefined {
  const rates = all.filter(({ load, rows }) => load.model === 'open' && rows.some(({ trial }) => trial !== null));
  const loads = rates.length > 0 ? rates : all;
  const measured = loads.map(({ load, rows }) => {
    const own = rows.filter(({ trial }) => trial !== null);
    return { load, rows: own, isEveryTier: own.length === rows.length };
  });
  return measured.findLast(({ rows }) => rows.length > 1) ?? measured.at(-1);
}

function queueSentences(scenarios: readonly ScenarioComparison[]): readonly string[] {
  return scenarios.flatMap((scenario) => {
    const highest = highestLoad(scenario);
    if (highest === undefined) return [];
    const seen = highest.rows.flatMap(({ tier, trial }) => {
      const queue = trial === null ? undefined : longestQueue(trial.record);
      return queue === undefined ? [] : [{ tier, queue }];
    });
    const queued = seen.flatMap(({ tier, queue }) => (queue === null ? [] : [{ tier, ...queue }]));
    if (queued.length === 0) return [];
    const isEverywhere = highest.isEveryTier && queued.length === highest.rows.length;
    const parts = [...Map.groupBy(queued, ({ waitsFor }) => waitsFor)].map(([waitsFor, own]) => {
      const tiers =
        own.length === queued.length && isEverywhere ? 'in every tier' : `in ${list(own.map(({ tier }) => tier))}`;
      return `${span(own.map(({ waiting }) => waiting))} waiting for ${waitsFor} ${tiers}`;
    });
    const without = seen.filter(({ queue }) => queue === null).map(({ tier }) => tier);
    const none = without.length === 0 ? '' : `; no queue was seen in ${list(without)}`;
    return [`${capital(at([highest]))} of ${scenario.scenario} the longest queue was ${parts.join('; ')}${none}.`];
  });
}

/** `31`, or `28 to 31`, as people count. */
function span(values: readonly number[]): string {
  const [low, high] = [formatNumber(Math.round(Math.min(...values))), formatNumber(Math.round(Math.max(...values)))];
  return `${low === high ? low : `${low} to ${high}`} ${high === '1' ? 'request' : 'requests'}`;
}

/** A machine that is this busy has little left for another tier to use. */
const BUSY_RATIO = 0.8;

function machineSentences(scenarios: readonly ScenarioComparison[]): readonly string[] {
  const highest = scenarios.flatMap((scenario) => {
    const load = highestLoad(scenario);
    return load === undefined ? [] : [{ scenario: scenario.scenario, ...load }];
  });
  const full = highest.flatMap(({ scenario, rows }) =>
    rows.flatMap(({ tier, trial }) => {
      const means = trial === null ? [] : meansOf(trial.record);
      const machine = means.find(({ source, metric }) => source === 'machine' && metric === 'machine-utilization');
      return machine === undefined || machine.mean < BUSY_RATIO ? [] : [{ scenario, tier, busyRatio: machine.mean }];
    }),
  );
  if (full.length === 0) return [];
  const ratios = full.map(({ busyRatio }) => busyRatio);
  const [low, high] = [Math.min(...ratios), Math.max(...ratios)].map((ratio) => formatNumber(Math.round(ratio * 100)));
  const range = `${low === high ? low : `${low} to ${high}`} %`;
  const isEverywhere = highest.every(({ isEveryTier, rows, scenario }) => {
    return isEveryTier && full.filter((each) => each.scenario === scenario).length === rows.length;
  });
  const where = isEverywhere
    ? 'in every tier'
    : [...Map.groupBy(full, ({ scenario }) => scenario)]
        .map(([scenario, own]) => `in ${scenario} on ${list(own.map(({ tier }) => tier))}`)
        .join(', ');
  return [`At these loads ${range} of the machine's CPU was in use ${where}.`];
}

function capital(text: string): string {
  return text === 'p95' ? text : text.slice(0, 1).toUpperCase() + text.slice(1);
}
