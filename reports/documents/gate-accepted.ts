import type { Accepted } from '../../harness/core/accepted.ts';
import type { GateAnswer, GatedMetric, GateMetric, GateResult } from '../../harness/core/gate.ts';
import { formatRatio } from '../../harness/core/units.ts';
import { type AcceptedGate, type AcceptedMetric, applyAccepted } from '../../harness/judging/accepted-metrics.ts';
import type { Answer, Block } from '../document.ts';
import { sentence } from '../document.ts';
import { list } from '../text.ts';

/** What a report says of slowdowns that were accepted before. */

export type MetricText = (metric: GatedMetric) => string;

/** The answer of a gate, judged with what its question accepts. */
export function judgeAccepted({ answers, question, facts }: GateResult): AcceptedGate | null {
  const [answer] = answers;
  return answer === undefined ? null : applyAccepted(answer, question.accepted ?? [], facts.startedAt);
}

export function acceptedAnswer(answer: Answer, applied: AcceptedGate, own: GateAnswer, textOf: MetricText): Answer {
  if (applied.verdict !== 'accepted') return answer;
  const undecided = own.metrics.filter(({ kind }) => kind === 'undecided').length;
  return {
    ...answer,
    statement: `${answer.statement.replace(/\.$/u, '')}, as accepted.`,
    because: [
      ...applied.accepted.map((each) => acceptedText(each, own, textOf)),
      ...(undecided === 0 ? [] : [`Not decided: ${undecided} other metrics.`]),
    ].join(' '),
  };
}

/** `p95 of list tasks +12 % (8 to 16): accepted up to 15 % until 2026-12-31. The list shows the owner.` */
function acceptedText({ metric, by }: AcceptedMetric, { metrics }: GateAnswer, textOf: MetricText): string {
  return `${textIn(metrics, metric, textOf)}: accepted up to ${formatRatio(by.upToRatio)} until ${by.until}. ${sentence(by.why)}`;
}

export function acceptedNotes(applied: AcceptedGate, own: GateAnswer, textOf: MetricText): readonly Block[] {
  const { verdict, accepted, exceeded, expired } = applied;
  const note = (title: string, items: readonly string[]): readonly Block[] =>
    items.length === 0 ? [] : [{ kind: 'note', title, text: items.join(' ') }];
  return [
    ...note('Accepted', verdict === 'accepted' ? [] : accepted.map((each) => acceptedText(each, own, textOf))),
    ...note(
      'More than accepted',
      exceeded.map(
        ({ metric, by }) =>
          `${textIn(own.metrics, metric, textOf)}: accepted were up to ${formatRatio(by.upToRatio)} until ${by.until}.`,
      ),
    ),
    ...note(
      'No longer accepted',
      expired.map((each) => `${entryText(each)} until ${each.until}: ${sentence(each.why)}`),
    ),
  ];
}

function textIn(metrics: readonly GatedMetric[], metric: GateMetric, textOf: MetricText): string {
  const found = metrics.find((each) => each.metric === metric);
  return found === undefined ? '' : textOf(found);
}

/** `latency-p95 of list tasks up to 15 %` */
function entryText({ metric, scenario, step, service, upToRatio }: Accepted): string {
  const about = [step, service, scenario].filter((part) => part !== null);
  return `${metric}${about.length === 0 ? '' : ` of ${list(about)}`} up to ${formatRatio(upToRatio)}`;
}
