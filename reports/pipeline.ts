import type { GateMetric, GateResult } from '../harness/core/gate.ts';
import { isGate } from '../harness/core/gate.ts';
import { isRun, type RunResult } from '../harness/core/run.ts';
import type { StudyRecord, StudyStatus } from '../harness/core/study-record.ts';
import { formatBound, formatQuantity } from '../harness/core/units.ts';
import type { JudgedTarget } from '../harness/judging/judged-target.ts';
import { type Analysis, analyse } from './analysis.ts';
import { type Block, type Document, details, head, left, right, type Table, table, tableBlocks } from './document.ts';
import { changeText, estimateOf, gateDocument, nameOf, worstFirst } from './documents/gate.ts';
import { judgeAccepted } from './documents/gate-accepted.ts';
import { genericDocument } from './documents/generic.ts';
import { runDocument } from './documents/run.ts';
import { changeSize, estimateWithInterval, evidenceText, verdictReasons, verdictWords } from './figures.ts';
import { list } from './text.ts';

/** What a pipeline reads of a study: each check with its outcome, figures to keep over time, and a short text. */
export interface PipelineResult {
  /** Names what was asked, the same for each commit: `gate-crud-single`. */
  readonly id: string;
  readonly title: string;
  readonly startedAt: string;
  readonly durationS: number;
  readonly checks: readonly Check[];
  readonly values: readonly PipelineValue[];
  /** Why the study gave no answer; null where it did. */
  readonly failure: { readonly code: string; readonly text: string } | null;
  /** The answer and a table that fits a phone; the rest is folded. */
  readonly blocks: readonly Block[];
  readonly footer: string;
}

/** `undecided`: measured, and it decides nothing. */
export interface Check {
  readonly group: string;
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'undecided';
  readonly text: string;
}

/** A figure that may be kept for each commit. `measure` is what Bencher calls it; times in seconds. */
export interface PipelineValue {
  readonly name: string;
  readonly measure: 'latency' | 'cpu-time' | 'throughput' | 'error-ratio' | 'head-over-base';
  readonly value: number;
  readonly low: number | null;
  readonly high: number | null;
}

export function pipelineResult(record: StudyRecord): PipelineResult {
  if (isGate(record)) return gateResult(record);
  if (isRun(record)) return runResult(record);
  return { ...common(record, [], genericDocument(record), []), checks: [], values: [] };
}

function common(record: StudyRecord, scenarios: readonly string[], document: Document, tables: readonly Table[]) {
  const { study, facts, status, subjects } = record;
  const tiers = [...new Set(subjects.map(({ tier }) => tier.name))];
  return {
    id: [study, ...scenarios, ...tiers].join('-').replaceAll(/[^\w.]+/gu, '-'),
    title: document.title,
    startedAt: facts.startedAt,
    durationS: status.state === 'running' ? 0 : (Date.parse(status.endedAt) - Date.parse(facts.startedAt)) / 1000,
    failure: failureOf(status),
    blocks: shortBlocks(document, tables),
    footer: document.footer,
  };
}

function failureOf(status: StudyStatus): PipelineResult['failure'] {
  switch (status.state) {
    case 'finished':
      return null;
    case 'failed':
      return { code: status.code, text: `${status.what} ${status.nextStep}` };
    default:
      return { code: 'INTERRUPTED', text: 'It was interrupted: there is no answer.' };
  }
}

/** Answer and notes first, then the tables that are short, and what else the document has without its charts. */
export function shortBlocks({ blocks, subtitle }: Document, tables: readonly Table[]): readonly Block[] {
  const isFirst = ({ kind }: Block) => kind === 'answer' || kind === 'note';
  return [
    ...blocks.filter(isFirst),
    ...tables.flatMap(tableBlocks),
    ...details('Details', [
      { kind: 'paragraph', text: subtitle },
      ...withoutCharts(blocks.filter((block) => !isFirst(block))),
    ]),
  ];
}

function withoutCharts(blocks: readonly Block[]): readonly Block[] {
  return blocks.flatMap((block): readonly Block[] => {
    if (block.kind === 'figure' || block.kind === 'drawing') return [];
    return block.kind === 'details' ? details(block.summary, withoutCharts(block.blocks)) : [block];
  });
}

const gateOutcomes = { slower: 'failed', 'not-slower': 'passed', undecided: 'undecided' } as const;
const measures = {
  latency: 'latency',
  cpu: 'cpu-time',
  throughput: 'throughput',
  errors: 'error-ratio',
} as const satisfies Record<GateMetric['kind'], PipelineValue['measure']>;
/** More do not fit a phone; what is folded has all. */
const MOST_ROWS = 8;

function gateResult(record: GateResult): PipelineResult {
  const [answer] = record.answers;
  const metrics = answer?.metrics ?? [];
  const slower = worstFirst(metrics.filter(({ kind }) => kind === 'slower')).slice(0, MOST_ROWS);
  const shown = [...slower, ...metrics.filter((each) => each.kind !== 'slower' && isMain(each.metric))];
  const accepted = new Map(judgeAccepted(record)?.accepted.map(({ metric, by }) => [metric, by]));
  const short = table(
    '',
    [head('Head against base'), right('Change'), left('')],
    shown.map(({ metric, ratio, kind }) => [
      { text: nameOf(metric) },
      { text: changeSize(estimateOf(ratio)), strong: kind === 'slower' },
      { text: accepted.has(metric) ? 'accepted' : kind === 'not-slower' ? 'not slower' : kind },
    ]),
  );
  const group = `gate.${record.question.scenario}`;
  const targets = gateTargets(record);
  const openTargets = table(
    '',
    [head('Target'), right('Head'), left('')],
    targets
      .filter(({ outcome }) => outcome !== 'passed')
      .slice(0, MOST_ROWS)
      .map(({ name, value, outcome }) => [
        { text: name },
        { text: value },
        { text: outcome === 'failed' ? 'missed' : 'inconclusive', strong: outcome === 'failed' },
      ]),
  );
  return {
    ...common(record, [record.question.scenario], gateDocument(record), [short, openTargets]),
    checks: [
      ...metrics.map((each) => {
        const by = accepted.get(each.metric);
        return {
          group,
          name: nameOf(each.metric),
          outcome: by === undefined ? gateOutcomes[each.kind] : 'passed',
          text: `${changeText(each)}${by === undefined ? '' : `, accepted until ${by.until}: ${by.why}`}`,
        };
      }),
      ...targets.map(({ name, value, outcome }) => ({ group: `${group}.targets`, name, outcome, text: value })),
    ],
    values: metrics.flatMap(({ metric, ratio, head: value }): PipelineValue[] => {
      const name = `${record.question.scenario}: ${nameOf(metric)}`;
      return [
        { name, measure: 'head-over-base', ...ratio },
        { name, measure: measures[metric.kind], value, low: null, high: null },
      ];
    }),
  };
}

/** What the head was held against, whatever the base does. */
function gateTargets({ answers, targets }: GateResult) {
  return (answers[0]?.targets ?? []).flatMap(({ id, step, verdict, value }) => {
    const target = targets.find((each) => each.id === id);
    if (target === undefined || verdict === 'not-judged') return [];
    const about = step === null ? target.title : `${target.title}, ${step}`;
    return [
      {
        name: `${about} ${formatBound(target)} (${id})`,
        outcome: runOutcomes[verdict],
        value: value === null ? '' : formatQuantity(value, target.unit),
      },
    ];
  });
}

/** What decides that head is not slower. */
function isMain(metric: GateMetric): boolean {
  return metric.kind === 'latency' ? metric.step === null && metric.quantile === 0.95 : metric.kind !== 'errors';
}

const runOutcomes = { met: 'passed', missed: 'failed', inconclusive: 'undecided' } as const;

function runResult(record: RunResult): PipelineResult {
  const analysis = analyse(record);
  const judged = analysis.tiers.flatMap(({ targets }) => targets);
  const open = (['missed', 'inconclusive'] as const)
    .flatMap((kind) => judged.filter(({ verdict }) => verdict.kind === kind))
    .slice(0, MOST_ROWS);
  const short = table(
    '',
    [head('Target'), right('Measured'), left('')],
    open.map((each) => [
      { text: targetName(each) },
      { text: measuredText(each) },
      { text: verdictWords[each.verdict.kind], strong: each.verdict.kind === 'missed' },
    ]),
  );
  return {
    ...common(record, record.question.scenarios, runDocument(analysis), [short]),
    checks: judged.flatMap(checkOf),
    values: runValues(analysis),
  };
}

/** None where the target is not about what was measured. */
function checkOf({ target, tier, scenario, verdict, evidence }: JudgedTarget): readonly Check[] {
  if (verdict.kind === 'not-judged') return [];
  const text = [evidenceText(evidence), list(verdictReasons(verdict, target))].filter((part) => part !== '').join('. ');
  return [
    {
      group: [tier, scenario].filter((part) => part !== null).join('.'),
      name: `${target.title} ${formatBound(target)} (${target.id})`,
      outcome: runOutcomes[verdict.kind],
      text,
    },
  ];
}

function targetName({ target, tier, scenario }: JudgedTarget): string {
  return `${[tier, scenario].filter((part) => part !== null).join(', ')}: ${target.title} ${formatBound(target)}`;
}

function measuredText({ value, target }: JudgedTarget): string {
  return value === null ? '–' : estimateWithInterval(value, (each) => formatQuantity(each, target.unit));
}

/** What each scenario sustains and what a request costs; p95 depends on the load, so it is that of the highest sustained. */
function runValues({ tiers }: Analysis): readonly PipelineValue[] {
  return tiers.flatMap(({ name: tier, scenarios }) =>
    scenarios.flatMap(({ name: scenario, searched, demands }): PipelineValue[] => {
      const name = `${tier}: ${scenario}`;
      const p95 = searched?.at?.summary.latency.p95S ?? null;
      return [
        ...(searched?.valuePerS == null
          ? []
          : [
              {
                name,
                measure: 'throughput' as const,
                value: searched.valuePerS,
                low: searched.lowPerS,
                high: searched.highPerS,
              },
            ]),
        ...(p95 === null ? [] : [{ name: `${name}, p95`, measure: 'latency' as const, ...p95 }]),
        ...(demands?.services ?? []).map(({ service, cpuS, interval }) => ({
          name: `${name}, CPU of ${service} per request`,
          measure: 'cpu-time' as const,
          value: cpuS,
          low: interval?.lowS ?? null,
          high: interval?.highS ?? null,
        })),
      ];
    }),
  );
}
