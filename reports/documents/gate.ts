import type { GateAnswer, GatedMetric, GateMetric, GateQuestion, GateResult } from '../../harness/core/gate.ts';
import {
  type Estimate,
  formatBound,
  formatBytes,
  formatNumber,
  formatQuantity,
  formatRate,
  formatRatio,
  formatSeconds,
} from '../../harness/core/units.ts';
import { MOST_NOISE } from '../../harness/models/paired-change.ts';
import {
  type Answer,
  type Block,
  type CellDraft,
  type Document,
  head,
  incompleteNote,
  left,
  right,
  table,
} from '../document.ts';
import { changeSize, dateTime, verdictWords } from '../figures.ts';
import { capitalized, list, plural } from '../text.ts';
import { acceptedAnswer, acceptedNotes, judgeAccepted } from './gate-accepted.ts';

/** What a gate answers: slower or not, by how much, what became slower, and how sure that is. */
export function gateDocument(record: GateResult): Document {
  const { facts, status, question, answers } = record;
  const { machine, tierbench } = facts;
  const [answer] = answers;
  const accepted = judgeAccepted(record);
  return {
    title: 'Gate: base against head',
    subtitle: `${dateTime(facts.startedAt)} · ${machine.cpuModel}, ${plural(machine.cpus, 'core')}, ${formatBytes(machine.memoryBytes)}`,
    blocks: [
      {
        kind: 'answer',
        answers: [
          answer === undefined || accepted === null
            ? noAnswer
            : acceptedAnswer(answerOf(answer, question), accepted, answer, changeText),
        ],
      },
      ...incompleteNote(status),
      ...(answer === undefined || accepted === null ? [] : acceptedNotes(accepted, answer, changeText)),
      ...(answer === undefined || answer.metrics.length === 0
        ? []
        : [{ kind: 'table' as const, table: metricsTable(answer, question) }]),
      ...targetsBlocks(record),
      { kind: 'paragraph', text: howItWasMeasured(question, answer) },
    ],
    footer: `Made by tierbench ${tierbench.version} from the results of run ${facts.runId}.`,
  };
}

const noAnswer: Answer = {
  about: 'gate',
  statement: 'no answer: it ended before the first look at its pairs.',
  because: '',
};

function answerOf(answer: GateAnswer, { toleranceRatio }: GateQuestion): Answer {
  const { scenario, metrics, pairs, arrivalRatePerS } = answer;
  const about = scenario;
  if (arrivalRatePerS === null) {
    return {
      about,
      statement: 'cannot tell: the base completed no iteration.',
      because: 'Check the scenario against the base.',
    };
  }
  const measured = `${plural(pairs, 'pair')} at ${formatRate(arrivalRatePerS)}`;
  const undecided = worstFirst(metrics.filter(({ kind }) => kind === 'undecided'));
  switch (answer.verdict) {
    case 'slower':
      return {
        about,
        statement: `head is slower (${measured}).`,
        because: `${capitalized(list(worstFirst(metrics.filter(({ kind }) => kind === 'slower')).map(changeText)))}.`,
      };
    case 'not-slower':
      return {
        about,
        statement: `head is not slower than base by more than ${formatRatio(toleranceRatio / 2)} (${measured}).`,
        because: undecided.length === 0 ? '' : `Not decided: ${list(undecided.slice(0, MOST_NAMED).map(changeText))}.`,
      };
    case 'cannot-tell':
      return {
        about,
        statement: `this machine cannot tell whether head is slower (${measured}).`,
        because: whyNot(undecided),
      };
  }
}

const MOST_NAMED = 3;

function whyNot(undecided: readonly GatedMetric[]): string {
  const noisy = undecided.filter(({ noise }) => noise !== null && noise > MOST_NOISE);
  const named = `Not decided: ${list(undecided.slice(0, MOST_NAMED).map(changeText))}.`;
  if (undecided.length === 0) return 'Too few pairs could be measured.';
  if (noisy.length < undecided.length / 2) return `${named} Allow more time.`;
  return `${named} The same code differs by more than ${formatRatio(MOST_NOISE)} from pair to pair: use a quieter machine, or longer trials.`;
}

export function worstFirst(metrics: readonly GatedMetric[]): readonly GatedMetric[] {
  return metrics.toSorted((one, other) => other.ratio.value - one.ratio.value);
}

/** `p95 of list tasks +23 % (14 to 33)` */
export function changeText({ metric, ratio }: GatedMetric): string {
  return `${nameOf(metric)} ${changeSize(estimateOf(ratio))}`;
}

/** Of eight pairs and more, which have both ends. */
export function estimateOf({ value, low, high }: GatedMetric['ratio']): Estimate {
  return { value, low: low ?? 0, high: high ?? Number.POSITIVE_INFINITY };
}

export function nameOf(metric: GateMetric): string {
  switch (metric.kind) {
    case 'latency':
      return `p${formatNumber(100 * metric.quantile)} of ${metric.step ?? 'all requests'}`;
    case 'cpu':
      return `CPU of ${metric.service ?? 'all services'} per request`;
    case 'throughput':
      return 'time per successful request';
    case 'errors':
      return 'errors';
  }
}

function valueText({ kind }: GateMetric, value: number): string {
  if (kind === 'throughput') return formatRate(value);
  return kind === 'errors' ? formatRatio(value) : formatSeconds(value);
}

const kindTexts = { slower: 'slower', 'not-slower': 'not slower', undecided: 'undecided' } as const;
const kindVerdicts = { slower: 'missed', 'not-slower': 'met', undecided: 'inconclusive' } as const;

function metricsTable({ metrics }: GateAnswer, { toleranceRatio }: GateQuestion) {
  return table(
    `Head over base with its 95 % interval; slower from +${formatRatio(toleranceRatio / 2)} on`,
    [head('Metric'), right('Base'), right('Head'), right('Change'), right('Noise'), left('Verdict')],
    metrics.map(({ metric, ratio, base, head: after, noise, kind }): CellDraft[] => [
      { text: nameOf(metric) },
      { text: valueText(metric, base) },
      { text: valueText(metric, after) },
      { text: changeSize(estimateOf(ratio)), strong: kind === 'slower' },
      { text: noise === null ? '' : formatRatio(noise) },
      { text: kindTexts[kind], verdict: kindVerdicts[kind] },
    ]),
  );
}

/** What the head was held against, whatever the base does. */
function targetsBlocks({ answers, targets }: GateResult): readonly Block[] {
  const judged = answers[0]?.targets ?? [];
  if (judged.length === 0) return [];
  const rows = judged.map(({ id, step, verdict, value }): CellDraft[] => {
    const target = targets.find((each) => each.id === id);
    return [
      { text: step === null ? (target?.title ?? id) : `${target?.title ?? id}: ${step}` },
      { text: target === undefined ? '' : formatBound(target) },
      { text: value === null || target === undefined ? '' : formatQuantity(value, target.unit) },
      { text: verdictWords[verdict], verdict },
    ];
  });
  const columns = [head('Target'), right('Value'), right('Head'), left('Verdict')];
  return [{ kind: 'table', table: table('Targets, held against all trials of head together', columns, rows) }];
}

function howItWasMeasured({ durationS, warmUpS, seed }: GateQuestion, answer: GateAnswer | undefined): string {
  const lost = answer?.lostPairs ?? 0;
  return [
    `Both versions run side by side and are measured in turns for ${formatSeconds(durationS)} after ${formatSeconds(warmUpS)} of warm-up, in fresh processes each time; which comes first is shuffled with seed ${seed}.`,
    'The change is the Hodges-Lehmann estimate over the pairs; an alarm is a signed-rank test at one of four looks, together for all metrics.',
    ...(lost > 0 ? [`${plural(lost, 'pair')} could not be used.`] : []),
  ].join(' ');
}
