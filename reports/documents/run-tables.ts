import { loadLevel } from '../../harness/core/load.ts';
import {
  type Estimate,
  formatBound,
  formatNumber,
  formatQuantity,
  formatRate,
  formatRatio,
  formatSeconds,
} from '../../harness/core/units.ts';
import type { ScenarioComparison, TierChange, TierRow } from '../../harness/judging/compare-tiers.ts';
import type { LoadVerdict } from '../../harness/judging/judge-at-load.ts';
import type { JudgedTarget } from '../../harness/judging/judged-target.ts';
import { isValid, type JudgedTrial } from '../../harness/judging/judged-trial.ts';
import { type ScenarioAnalysis, type TierAnalysis, wasRun } from '../analysis.ts';
import { type CellDraft, head, left, right, type Table, table, type VerdictKind } from '../document.ts';
import {
  changeSize,
  estimateInterval,
  evidenceText,
  type Format,
  loadWords,
  sourceOf,
  verdictReasons,
  verdictWords,
} from '../figures.ts';
import { list } from '../text.ts';
import { lostWork, workOf } from '../work.ts';
import { whyCareful, whyInvalid, whyInvalidMost, whyNotCompared, whyOpen, whyOpenMost } from './run-why.ts';

/** One scenario: each tier at each load that more than one was measured at, with the change from the tier before. */
export function comparisonTable({ scenario, loads }: ScenarioComparison): Table {
  const tiers = loads[0]?.rows.map(({ tier }) => tier) ?? [];
  return table(
    scenario,
    [head('Load', 'right'), head(''), ...tiers.map((name) => right(name))],
    loads.flatMap(({ load, rows }) => [
      [
        { text: loadWords(load) },
        { text: 'throughput' },
        ...rows.map((row) => figureCell(row, 'throughput', loadLevel(load))),
      ],
      [
        { text: loadWords(load), repeated: true },
        { text: 'p95' },
        ...rows.map((row) => figureCell(row, 'p95', loadLevel(load))),
      ],
    ]),
  );
}

function figureCell(row: TierRow, metric: 'throughput' | 'p95', level: number): CellDraft {
  const { tier, trial, why } = row;
  if (trial === null) {
    return { text: '–', ...(metric === 'throughput' && why !== null && { why: [whyNotCompared(tier, why, level)] }) };
  }
  const { throughputPerS, latency } = trial.summary;
  const text = metric === 'throughput' ? figure(throughputPerS, formatRate) : figure(latency.p95S, formatSeconds);
  const verdict = metric === 'p95' ? worst(row.verdicts.p95) : undefined;
  const reasons = whyInvalidMost(trial);
  const change = row[metric];
  return {
    text,
    ...(verdict !== undefined && verdict.kind !== 'not-reached' && { verdict: verdict.kind }),
    ...(change !== null && changeDetail(change)),
    ...(reasons.length > 0
      ? { why: reasons }
      : change?.kind === 'unknown' && { why: [whyNotCompared(change.tier, change.why, level)] }),
  };
}

function changeDetail(change: TierChange): { readonly detail?: string } {
  switch (change.kind) {
    case 'changed':
      return { detail: changeSize(change.ratio) };
    case 'unclear':
      return { detail: 'no change' };
    case 'unknown':
      return {};
  }
}

const severity = { missed: 0, inconclusive: 1, met: 2, 'not-reached': 3 } as const;

function worst(verdicts: readonly LoadVerdict[]): LoadVerdict | undefined {
  return verdicts.toSorted((one, other) => severity[one.kind] - severity[other.kind])[0];
}

/** How many targets each tier met and missed: `single: 3 met, 1 missed`; tiers with the same counts together. */
export function targetCounts(tiers: readonly TierAnalysis[]): string {
  const counts = tiers.map(({ name, facts, targets }) => {
    if (!wasRun(facts)) return { name, text: 'not run' };
    const own = (['met', 'missed', 'inconclusive'] as const).map((kind) => ({
      kind,
      count: targets.filter(({ verdict }) => verdict.kind === kind).length,
    }));
    const texts = own.filter(({ count }) => count > 0).map(({ kind, count }) => `${count} ${kind}`);
    return { name, text: texts.join(', ') };
  });
  return [...Map.groupBy(counts, ({ text }) => text)]
    .filter(([text]) => text !== '')
    .map(([text, own]) => `${list(own.map(({ name }) => name))}: ${text}`)
    .join('; ');
}

/**
 * Rows targets, columns tiers; what was missed first. Those that no tier was judged by are left out. `by`: those that were
 * measured, or those about the settings of a tier.
 */
export function targetsTable(tiers: readonly TierAnalysis[], by: 'measured' | 'setting'): Table {
  return table(
    by === 'measured' ? 'Targets' : 'Settings',
    [head('Target'), head('Limit'), head('Scenario'), ...tiers.map(({ name }) => left(name))],
    targetRows(tiers)
      .filter((own) => own.some(({ verdict }) => verdict.kind !== 'not-judged'))
      .filter(([{ target }]) => (target.judged.by === 'setting') === (by === 'setting'))
      .toSorted((one, other) => worstOf(one) - worstOf(other))
      .map(([first, ...others], index, all): CellDraft[] => {
        const own = [first, ...others] as const;
        const repeated = all[index - 1]?.[0].target === first.target;
        return [
          { text: first.target.title, detail: sourceOf(first.target), repeated },
          { text: formatBound(first.target), repeated },
          { text: first.scenario ?? 'all' },
          ...tiers.map((tier) => verdictCell(tier, own)),
        ];
      }),
  );
}

/** The targets that no tier was judged by. */
export function notJudgedTable(tiers: readonly TierAnalysis[]): Table {
  return table(
    'Targets that were not judged',
    [head('Target'), head('Limit'), left('Why it was not judged'), left('Source')],
    targetRows(tiers)
      .filter((own) => own.every(({ verdict }) => verdict.kind === 'not-judged'))
      .map((own): CellDraft[] => [
        { text: own[0].target.title },
        { text: formatBound(own[0].target) },
        { text: reasonsByTier(own) },
        { text: sourceOf(own[0].target) },
      ]),
  );
}

/** Each reason once; with the names of its tiers where tiers have different ones. */
function reasonsByTier(row: NonEmptyTargets): string {
  const reasons = row.map(({ tier, verdict, target }) => ({ tier, text: verdictReasons(verdict, target).join(' ') }));
  const tiersOf = Map.groupBy(reasons, ({ text }) => text);
  const texts = [...tiersOf].map(([text, own]) =>
    tiersOf.size === 1 ? text : `${list([...new Set(own.map(({ tier }) => tier))])}: ${text}`,
  );
  return texts.join(' ');
}

type NonEmptyTargets = readonly [JudgedTarget, ...JudgedTarget[]];

/** One target and scenario each. A tier that was not run has no verdict of its own. */
function targetRows(tiers: readonly TierAnalysis[]): readonly NonEmptyTargets[] {
  const judged = tiers.flatMap((tier) =>
    wasRun(tier.facts) ? tier.targets : tier.targets.filter(({ verdict }) => verdict.kind === 'not-judged'),
  );
  const rows = Map.groupBy(judged, ({ target, scenario }) => JSON.stringify([target.id, scenario]));
  return [...rows.values()].flatMap(([first, ...others]) => (first === undefined ? [] : [[first, ...others] as const]));
}

function verdictCell(tier: TierAnalysis, row: NonEmptyTargets): CellDraft {
  if (!wasRun(tier.facts)) return { text: 'not run' };
  const judged = row.find((each) => each.tier === tier.name);
  if (judged === undefined) return { text: '–' };
  const { verdict, value, target } = judged;
  return {
    text: followed(verdict) ?? verdictWords[verdict.kind],
    ...(verdict.kind !== 'not-judged' && { verdict: verdict.kind }),
    ...(value !== null && { detail: formatQuantity(value.value, target.unit) }),
    ...(verdict.kind === 'inconclusive' && {
      why: whyOpenMost(verdict.reasons, judged.scenario === null ? tier.name : `${judged.scenario} on ${tier.name}`),
    }),
  };
}

/** Where documents contradict each other about a setting: the one that the tier follows. */
function followed(verdict: JudgedTarget['verdict']): string | undefined {
  return verdict.kind === 'not-judged' && verdict.why.code === 'follows-other'
    ? `follows ${verdict.why.document}`
    : undefined;
}

const verdictOrder: Record<VerdictKind, number> = { missed: 0, inconclusive: 1, met: 2, 'not-judged': 3 };

function worstOf(row: NonEmptyTargets): number {
  return Math.min(...row.map(({ verdict }) => verdictOrder[verdict.kind]));
}

/** Each verdict of a tier with its value, interval and evidence; missed ones first. */
export function verdictsTable({ name, targets }: TierAnalysis): Table {
  const judged = targets
    .filter(({ verdict }) => verdict.kind !== 'not-judged')
    .toSorted((one, other) => verdictOrder[one.verdict.kind] - verdictOrder[other.verdict.kind]);
  return table(
    `Verdicts of ${name}`,
    [left('Verdict'), left('Target'), left('Limit'), left('Scenario'), right('Value'), left('Evidence')],
    judged.map(({ target, scenario, verdict, value, evidence }) => {
      const format = (figure: number) => formatQuantity(figure, target.unit);
      return [
        {
          text: verdictWords[verdict.kind],
          verdict: verdict.kind,
          ...(verdict.kind === 'inconclusive' && { why: whyOpen(verdict.reasons, scenario ?? '') }),
        },
        { text: target.title, detail: sourceOf(target) },
        { text: formatBound(target) },
        { text: scenario ?? 'all' },
        value === null ? { text: '–' } : estimateCell(value, format),
        { text: evidenceText(evidence) },
      ];
    }),
  );
}

/** What each load gave. */
export function trialsTable({ name, trials }: ScenarioAnalysis): Table {
  return table(
    name,
    [
      head('Load', 'right'),
      right('Throughput'),
      right('p50'),
      right('p95'),
      right('p99'),
      right('Iterations'),
      right('Errors'),
      left('Valid'),
    ],
    trials.map((trial): CellDraft[] => {
      const { summary } = trial;
      const work = workOf(trial.record.trial);
      const lost = lostWork(work).join(', ');
      return [
        { text: loadWords(summary.load) },
        estimateCell(summary.throughputPerS, formatRate),
        estimateCell(summary.latency.p50S, formatSeconds),
        estimateCell(summary.latency.p95S, formatSeconds),
        estimateCell(summary.latency.p99S, formatSeconds),
        { text: formatNumber(work.scheduled) },
        { text: formatRatio(summary.errorRatio), ...(lost !== '' && { detail: lost }) },
        {
          text: isValid(trial) ? 'yes' : 'no',
          ...(!isValid(trial) && { verdict: 'inconclusive' as const }),
          why: [...whyInvalid(trial), ...whyCareful(trial)],
        },
      ];
    }),
  );
}

/** Every request name of every load of a scenario. */
export function stepsTable({ name, trials }: ScenarioAnalysis): Table {
  return table(
    `${name}: each request`,
    [
      head('Load', 'right'),
      head('Request'),
      right('Sent'),
      right('Throughput'),
      right('p50'),
      right('p95'),
      right('p99'),
      right('Errors'),
      left('Responses'),
    ],
    trials.flatMap(({ record, summary }) =>
      summary.steps.map((step, index): CellDraft[] => [
        { text: loadWords(summary.load), repeated: index > 0 },
        { text: step.name },
        { text: formatNumber(step.requests) },
        { text: figure(step.throughputPerS, formatRate) },
        { text: figure(step.latency.p50S, formatSeconds) },
        { text: figure(step.latency.p95S, formatSeconds) },
        { text: figure(step.latency.p99S, formatSeconds) },
        { text: formatRatio(step.errorRatio) },
        { text: responses(record, step.name) },
      ]),
    ),
  );
}

/** `200 × 4,120, 503 × 3, timeout × 2` */
function responses({ trial }: JudgedTrial['record'], step: string): string {
  const result = trial.steps.find((each) => each.name === step);
  if (result === undefined) return '–';
  const unanswered = (['refused', 'reset', 'timeout', 'malformed', 'wrong-answer', 'generator-limit'] as const)
    .filter((outcome) => result.outcomes[outcome] > 0)
    .map((outcome) => [outcome, result.outcomes[outcome]] as const);
  const counts = [...Object.entries(result.statuses), ...unanswered];
  return counts.length === 0 ? 'none' : counts.map(([what, count]) => `${what} × ${formatNumber(count)}`).join(', ');
}

/** Trials that a person can repeat with a command. */
export function repeatTable({ name, scenarios }: TierAnalysis): Table {
  return table(
    `How to repeat a trial of ${name}`,
    [head('Scenario'), head('Load', 'right'), left('Command')],
    scenarios.flatMap((scenario) =>
      scenario.trials.flatMap(({ record: { trial } }) =>
        trial.repeatWith === undefined
          ? []
          : [[{ text: scenario.name }, { text: loadWords(trial.plan.load) }, { text: trial.repeatWith }]],
      ),
    ),
  );
}

function figure(estimate: Estimate | null, format: Format): string {
  return estimate === null ? 'too few' : format(estimate.value);
}

function estimateCell(estimate: Estimate | null, format: Format): CellDraft {
  const interval = estimateInterval(estimate, format);
  const text = figure(estimate, format);
  return estimate === null || interval === 'exact' ? { text } : { text, detail: interval };
}
