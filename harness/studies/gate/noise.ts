import { type NoiseAnswer, type NoiseQuestion, noiseAnswerSchema, noiseQuestionSchema } from '../../core/gate.ts';
import { isEvidence } from '../../judging/paired-metrics.ts';
import { MOST_NOISE, visibleRatio } from '../../models/paired-change.ts';
import { variance } from '../../statistics/sums.ts';
import type { Study } from '../study.ts';
import { changesOf, measurePairs, metricsOfAll, timeOfPairs } from './pairs.ts';

/** What can be seen here? The same code is measured against itself, and what differs is noise. */
export const noise: Study<NoiseQuestion, NoiseAnswer> = {
  name: 'noise',
  question: noiseQuestionSchema,
  answer: noiseAnswerSchema,
  scenarios: ({ scenario }) => [scenario],
  groups: (subjects) => [subjects],
  *steps(group, question) {
    const { scenario, gatePairs, toleranceRatio } = question;
    const {
      arrivalRatePerS,
      pairs,
      lost: lostPairs,
    } = yield* measurePairs(group, question, question.pairs, () => false);
    const found = pairs.length < 2 ? [] : metricsOfAll(pairs);
    const metrics = found.map((metric, index) => {
      const between = Math.sqrt(variance(changesOf(metric, pairs)));
      const judged = { metrics: found.length, isFirst: index === 0, toleranceRatio };
      return { metric, noise: between, visibleRatio: visibleRatio(between, gatePairs, judged) };
    });
    const evidence = metrics.filter(({ metric }) => isEvidence(metric));
    return {
      scenario,
      arrivalRatePerS,
      pairs: pairs.length,
      lostPairs,
      isTooNoisy: !evidence.some((each) => each.noise <= MOST_NOISE),
      metrics,
    };
  },
  estimate: (_group, question) => timeOfPairs(question, question.pairs, question.pairs),
  verdict: (answers) => (answers.some(({ isTooNoisy }) => !isTooNoisy) ? 'met' : 'inconclusive'),
};
