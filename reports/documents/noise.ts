import type { NoiseAnswer, NoiseQuestion, NoiseResult } from '../../harness/core/gate.ts';
import { formatBytes, formatRate, formatRatio, formatSeconds } from '../../harness/core/units.ts';
import { MOST_NOISE } from '../../harness/models/paired-change.ts';
import { type Answer, type CellDraft, type Document, head, incompleteNote, right, table } from '../document.ts';
import { dateTime } from '../figures.ts';
import { list, plural } from '../text.ts';
import { nameOf } from './gate.ts';

/** What a gate can see on this machine. */
export function noiseDocument({ facts, status, question, answers }: NoiseResult): Document {
  const { machine, tierbench } = facts;
  const [answer] = answers;
  return {
    title: 'Noise: the same code against itself',
    subtitle: `${dateTime(facts.startedAt)} · ${machine.cpuModel}, ${plural(machine.cpus, 'core')}, ${formatBytes(machine.memoryBytes)}`,
    blocks: [
      { kind: 'answer', answers: [answerOf(answer, question)] },
      ...incompleteNote(status),
      ...(answer === undefined || answer.metrics.length === 0
        ? []
        : [{ kind: 'table' as const, table: metricsTable(answer, question) }]),
      {
        kind: 'paragraph',
        text: `${formatSeconds(question.durationS)} were measured after ${formatSeconds(question.warmUpS)} of warm-up, in fresh processes each time. Noise is the standard deviation of the logarithm of the ratio between pairs; longer trials have less of it.`,
      },
    ],
    footer: `Made by tierbench ${tierbench.version} from the results of run ${facts.runId}.`,
  };
}

function answerOf(answer: NoiseAnswer | undefined, { gateS, gatePairs }: NoiseQuestion): Answer {
  const about = 'noise';
  if (answer === undefined || answer.metrics.length === 0) {
    return { about, statement: 'too few pairs could be measured.', because: 'The app must answer the scenario.' };
  }
  const { isTooNoisy, metrics, pairs, arrivalRatePerS } = answer;
  const measured = `${plural(pairs, 'pair')}${arrivalRatePerS === null ? '' : ` at ${formatRate(arrivalRatePerS)}`}`;
  const [quietest] = metrics;
  const p95 = metrics.find(
    ({ metric }) => metric.kind === 'latency' && metric.step === null && metric.quantile === 0.95,
  );
  if (isTooNoisy) {
    return {
      about,
      statement: `this machine is too noisy for a gate (${measured}).`,
      because: `The same code differs by more than ${formatRatio(MOST_NOISE)} from pair to pair: use a quieter machine, or longer trials.`,
    };
  }
  const seen = [...new Set([quietest, p95])].flatMap((each) => (each === undefined ? [] : [visible(each)]));
  return {
    about,
    statement: `in ${formatSeconds(gateS)} (${plural(gatePairs, 'pair')}) a gate sees ${list(seen)}.`,
    because: `Each in nine of ten cases, from the noise of ${measured}.`,
  };
}

/** `+12 % of the CPU of api per request` */
function visible({ metric, visibleRatio, noise }: NoiseAnswer['metrics'][number]): string {
  const name = nameOf(metric);
  if (visibleRatio === null || noise > MOST_NOISE) return `no change of ${name}`;
  return `+${formatRatio(visibleRatio - 1)} of ${name}`;
}

function metricsTable({ metrics }: NoiseAnswer, { gateS }: NoiseQuestion) {
  return table(
    `Noise between pairs, and the least change that a gate of ${formatSeconds(gateS)} finds in nine of ten cases`,
    [head('Metric'), right('Noise'), right('Visible')],
    metrics.map(({ metric, noise, visibleRatio }): CellDraft[] => [
      { text: nameOf(metric) },
      { text: formatRatio(noise), strong: noise > MOST_NOISE },
      { text: visibleRatio === null ? 'none' : `+${formatRatio(visibleRatio - 1)}` },
    ]),
  );
}
