import {
  formatBound,
  formatBytes,
  formatNumber,
  formatQuantity,
  formatRate,
  formatRatio,
  formatSeconds,
} from '../harness/core/units.ts';
import type { JudgedTarget, SummarizedTrial } from '../harness/judging/summary.ts';
import type { Analysis, TierAnalysis } from './analysis.ts';
import {
  dateTime,
  estimateInterval,
  estimateValue,
  loadText,
  plural,
  sourceOf,
  verdictReasons,
  verdictWords,
} from './figures.ts';
import type { ScenarioAnalysis } from './scenario-analysis.ts';

/** A table of a report in words, whatever it is rendered to. */
export interface Table {
  readonly caption: string;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Cell[])[];
}

interface Column {
  readonly title: string;
  readonly align: 'left' | 'right';
}

export type VerdictKind = JudgedTarget['verdict']['kind'];

export interface Cell {
  readonly text: string;
  /** The cell says this verdict. */
  readonly verdict?: VerdictKind;
  /** Smaller print below the text. */
  readonly detail?: string;
  /** Sentences below the text, each on a line of its own: they hold semicolons themselves. */
  readonly reasons?: readonly string[];
}

const left = (title: string): Column => ({ title, align: 'left' });
const right = (title: string): Column => ({ title, align: 'right' });

/** The targets that were judged: each verdict with its value, interval, target and source. */
export function judgedTable({ name, targets }: TierAnalysis): Table {
  return {
    caption: `Targets judged for ${name}`,
    columns: [
      left('Verdict'),
      left('Target'),
      left('Limit'),
      left('Scenario'),
      right('Value (95 % interval)'),
      left('Evidence'),
      left('Source'),
    ],
    rows: targets.filter(({ verdict }) => verdict.kind !== 'not-judged').map(judgedRow),
  };
}

function judgedRow({ target, scenario, verdict, value, evidence }: JudgedTarget): readonly Cell[] {
  const format = (figure: number) => formatQuantity(figure, target.unit);
  return [
    { text: verdictWords[verdict.kind], verdict: verdict.kind },
    { text: target.title },
    { text: formatBound(target) },
    { text: scenario ?? 'all' },
    value === null ? { text: '–' } : estimateCell(value, format),
    // What a missed target violates is what its evidence says.
    evidenceCell(evidence, verdict.kind === 'missed' && evidence !== '' ? [] : verdictReasons(verdict)),
    { text: sourceOf(target) },
  ];
}

/** What is the same for every load is told of the first; the table of the scenario has them all. */
const MOST_REASONS = 2;

function evidenceCell(evidence: string, reasons: readonly string[]): Cell {
  if (reasons.length === 0) return { text: evidence };
  const more = reasons.length - MOST_REASONS;
  const shown = [...reasons.slice(0, MOST_REASONS), ...(more > 0 ? [`and ${plural(more, 'more reason')}`] : [])];
  return { text: evidence, reasons: shown };
}

/** The targets that were not judged, and why not. */
export function notJudgedTable({ name, targets }: TierAnalysis): Table {
  return {
    caption: `Targets not judged for ${name}`,
    columns: [left('Target'), left('Limit'), left('Why it was not judged'), left('Source')],
    rows: targets.flatMap(({ target, verdict }) =>
      verdict.kind === 'not-judged'
        ? [[{ text: target.title }, { text: formatBound(target) }, { text: verdict.why }, { text: sourceOf(target) }]]
        : [],
    ),
  };
}

export function scenarioTable({ name, trials }: ScenarioAnalysis): Table {
  return {
    caption: `${name}: what each load gave`,
    columns: [
      right(trials[0]?.summary.load.model === 'open' ? 'Arrival rate' : 'Concurrency'),
      right('Throughput'),
      right('p50'),
      right('p95'),
      right('p99'),
      right('Errors'),
      left('Sound'),
    ],
    rows: trials.map(({ summary }) => [
      { text: loadText(summary.load) },
      estimateCell(summary.throughputPerS, formatRate),
      estimateCell(summary.latency.p50S, formatSeconds),
      estimateCell(summary.latency.p95S, formatSeconds),
      estimateCell(summary.latency.p99S, formatSeconds),
      { text: formatRatio(summary.errorRatio) },
      summary.soundness.kind === 'sound'
        ? { text: 'yes' }
        : { text: 'no', reasons: summary.soundness.reasons, verdict: 'inconclusive' },
    ]),
  };
}

function estimateCell(estimate: Parameters<typeof estimateValue>[0], format: (value: number) => string): Cell {
  const interval = estimateInterval(estimate, format);
  const text = estimateValue(estimate, format);
  return estimate === null || interval === 'exact' ? { text } : { text, detail: interval };
}

/** Every request name of every load of a scenario. */
export function stepsTable({ name, trials }: ScenarioAnalysis): Table {
  return {
    caption: `${name}: each request`,
    columns: [
      right('Load'),
      left('Request'),
      right('Sent'),
      right('Throughput'),
      right('p50'),
      right('p95'),
      right('p99'),
      right('Errors'),
      left('Answers'),
    ],
    rows: trials.flatMap(({ measured, summary }) =>
      summary.steps.map((step) => [
        { text: loadText(summary.load) },
        { text: step.name },
        { text: formatNumber(step.requests) },
        { text: estimateValue(step.throughputPerS, formatRate) },
        { text: estimateValue(step.latency.p50S, formatSeconds) },
        { text: estimateValue(step.latency.p95S, formatSeconds) },
        { text: estimateValue(step.latency.p99S, formatSeconds) },
        { text: formatRatio(step.errorRatio) },
        { text: answers(measured, step.name) },
      ]),
    ),
  };
}

/** `200 × 4,120, 503 × 3, timeout × 2` */
function answers(measured: SummarizedTrial['measured'], step: string): string {
  const result = measured.trial.steps.find((each) => each.name === step);
  if (result === undefined) return '–';
  const unanswered = (['refused', 'reset', 'timeout', 'malformed', 'wrong-answer'] as const)
    .filter((outcome) => result.outcomes[outcome] > 0)
    .map((outcome) => [outcome, result.outcomes[outcome]] as const);
  const counts = [...Object.entries(result.statuses), ...unanswered];
  return counts.length === 0 ? 'none' : counts.map(([what, count]) => `${what} × ${formatNumber(count)}`).join(', ');
}

/** What a reader must know to believe the run, or to repeat it. */
export function factsTable({ facts, status }: Analysis): Table {
  const { machine, settings, tierbench } = facts;
  const ended = status.state === 'running' ? 'not known' : dateTime(status.endedAt);
  const rows: [string, string][] = [
    ['Run', facts.runId],
    ['Started', dateTime(facts.startedAt)],
    ['Ended', `${ended} (${status.state})`],
    [
      'tierbench',
      `${tierbench.version}${tierbench.commit === null ? '' : `, commit ${tierbench.commit.slice(0, 12)}`}`,
    ],
    ['CPU', `${machine.cpuModel}, ${plural(machine.cpus, 'core')}${limited(machine.limits.cpus, formatNumber)}`],
    ['Memory', `${formatBytes(machine.memoryBytes)}${limited(machine.limits.memoryBytes, formatBytes)}`],
    ['Container', machine.container ?? 'none'],
    ['Operating system', `${machine.operatingSystem}, ${machine.kernel}`],
    ['Node.js', machine.node],
    ['Engine and provider', `${settings.engine}, ${settings.provider}`],
    ['Scenarios', settings.scenarios.join(', ')],
    ['Concurrencies', settings.ladder.join(', ')],
    [
      'Each trial',
      `${formatSeconds(settings.durationS)} measured after ${formatSeconds(settings.warmUpS)} of warm-up, then ${formatSeconds(settings.coolDownS)} to cool down${settings.quick ? ' (quick run)' : ''}`,
    ],
    ['Timeout', formatSeconds(settings.timeoutS)],
    ['Think times', settings.skipThinkTimes ? 'left out' : 'kept'],
    ['Seed', String(settings.seed)],
  ];
  return factTable('Facts of the run', rows);
}

function limited(limit: number | undefined, format: (value: number) => string): string {
  return limit === undefined ? '' : `, of which this run may use ${format(limit)}`;
}

export function tierFactsTable({ name, facts }: TierAnalysis): Table {
  if (facts === null) return factTable(`Facts of ${name}`, []);
  const { data } = facts;
  const ran = facts.notRun.length === 0;
  const rows: [string, string][] = [
    ['Description', facts.tier.description],
    ['Brought up by', ran ? `${facts.provider}, in ${formatSeconds(facts.bringUpS)}` : ''],
    [
      'Data',
      data === null
        ? ran
          ? 'not made by this run'
          : ''
        : `${plural(data.users, 'user')} with ${plural(data.tasksPerUser, 'task')} each (seed ${data.seed}), in ${formatSeconds(facts.prepareDataS)}`,
    ],
    ...facts.services.map(({ name: service, version, instances }): [string, string] => [
      `Service ${service}`,
      `${plural(instances.length, 'instance')}${version === undefined ? '' : `, ${version}`}`,
    ]),
    ...facts.tier.services
      .filter(({ settings }) => Object.keys(settings).length > 0)
      .map(({ name: service, settings }): [string, string] => [
        `Settings of ${service}`,
        Object.entries(settings)
          .toSorted(([one], [other]) => (one < other ? -1 : 1))
          .map(([option, value]) => `${option}=${value}`)
          .join(', '),
      ]),
    ['Described in', facts.tier.documents.map(({ document, section }) => `${document}, ${section}`).join('; ')],
  ];
  return factTable(
    `Facts of ${name}`,
    rows.filter(([, value]) => value !== ''),
  );
}

function factTable(caption: string, rows: readonly (readonly [string, string])[]): Table {
  return {
    caption,
    columns: [left('Fact'), left('Value')],
    rows: rows.map(([fact, value]) => [{ text: fact }, { text: value }]),
  };
}
