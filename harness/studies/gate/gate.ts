import {
  type GateAnswer,
  type GatedMetric,
  type GateQuestion,
  gateAnswerSchema,
  gateQuestionSchema,
} from '../../core/gate.ts';
import { withoutAccepted } from '../../judging/accepted-metrics.ts';
import { gateVerdict, type JudgedMetric } from '../../judging/paired-metrics.ts';
import { judgePooled, overallOfGate } from '../../judging/pooled-targets.ts';
import { judgeChanges, type Look, looksWithin, type Side } from '../../models/paired-change.ts';
import { median } from '../../statistics/sums.ts';
import type { Study } from '../study.ts';
import { changesOf, measurePairs, metricsOfAll, type Pair, pairS, readingOf, timeOfPairs } from './pairs.ts';

/** Did a change make the app slower? Base and head run side by side and are measured in turns, in fresh processes each time. */
export const gate: Study<GateQuestion, GateAnswer> = {
  name: 'gate',
  question: gateQuestionSchema,
  answer: gateAnswerSchema,
  scenarios: ({ scenario }) => [scenario],
  groups: (subjects) => [subjects],
  *steps(group, question, context) {
    const looks = looksWithin(question.budgetS / pairS(question));
    let judged: readonly JudgedMetric[] = [];
    const measured = yield* measurePairs(group, question, looks.at(-1)?.pairs ?? 0, (pairs, elapsedS) => {
      const look = looks.find((each) => each.pairs === pairs.length);
      if (look === undefined) return false;
      judged = judgePairs(pairs, look, question);
      const nextLook = looks.find((each) => each.pairs > pairs.length);
      const untilNextS = nextLook === undefined ? 0 : (elapsedS / pairs.length) * nextLook.pairs;
      return gateVerdict(withoutAccepted(judged, question)) !== 'cannot-tell' || untilNextS > question.budgetS;
    });
    const { arrivalRatePerS, pairs, lost: lostPairs, ofHead } = measured;
    const targets = context.targets.filter(({ id }) => question.targets === null || question.targets?.includes(id));
    const [base = '', head = ''] = group.map(({ id }) => id);
    return {
      base,
      head,
      scenario: question.scenario,
      arrivalRatePerS,
      pairs: pairs.length,
      lostPairs,
      verdict: gateVerdict(judged),
      metrics: judged.map((each) => gated(each, pairs)),
      targets: judgePooled(targets, ofHead, { tier: group[1]?.tier.name ?? '', scenario: question.scenario }),
    };
  },
  estimate(_group, question) {
    const looks = looksWithin(question.budgetS / pairS(question));
    return timeOfPairs(question, looks[0]?.pairs ?? 0, looks.at(-1)?.pairs ?? 0);
  },
  verdict(answers) {
    const [answer] = answers;
    return answer === undefined ? 'inconclusive' : overallOfGate(answer.verdict, answer.targets);
  },
};

function judgePairs(pairs: readonly Pair[], look: Look, { toleranceRatio }: GateQuestion): readonly JudgedMetric[] {
  const metrics = metricsOfAll(pairs);
  const changes = judgeChanges(
    metrics.map((metric) => changesOf(metric, pairs)),
    look,
    toleranceRatio,
  );
  return changes.flatMap((change, index) => {
    const metric = metrics[index];
    return metric === undefined ? [] : [{ ...change, metric }];
  });
}

function gated({ metric, kind, ratio, noise }: JudgedMetric, pairs: readonly Pair[]): GatedMetric {
  const finite = (end: number) => (Number.isFinite(end) ? end : null);
  const medianOf = (side: Side) => median(pairs.flatMap((pair) => readingOf(metric, pair[side])?.value ?? [])) ?? 0;
  return {
    metric,
    kind,
    ratio: { value: ratio.value, low: finite(ratio.low), high: finite(ratio.high) },
    noise: finite(noise),
    base: medianOf('base'),
    head: medianOf('head'),
  };
}
