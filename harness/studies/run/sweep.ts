import type { Subject } from '../../core/app.ts';
import type { Note } from '../../core/findings.ts';
import type { RunAnswer, RunQuestion, SustainedRateAnswer } from '../../core/run.ts';
import { changeNumber } from '../../core/setting-change.ts';
import type { Answered } from '../study.ts';

/** What the values of a sweep that were measured say of the next one: where its search starts, or all that is asked. */

type Earlier = readonly Answered<RunAnswer>[];

interface Neighbour {
  readonly answer: RunAnswer;
  /** How many settings differ. */
  readonly differing: number;
  /** Of the setting that differs, where it is one and a number: the logarithm of its value over that of the subject. */
  readonly distance: number | null;
}

/** Iterations/s at which the search of a scenario starts: the sustained rate of the nearest value as its share of the pilot trial. */
export function startFrom(subject: Subject, earlier: Earlier, scenario: string, pilotPerS: number): number | null {
  const starts = neighboursOf(subject, earlier).flatMap(({ answer, differing, distance }) => {
    const found = answer.scenarios.find((each) => each.scenario === scenario);
    const valuePerS = middleOf(found?.sustainedRate ?? null);
    if (valuePerS === null || found?.pilotPerS === undefined) return [];
    return [{ differing, away: Math.abs(distance ?? 0), perS: (valuePerS * pilotPerS) / found.pilotPerS }];
  });
  const [nearest] = starts.toSorted((one, other) => one.differing - other.differing || one.away - other.away);
  return nearest?.perS ?? null;
}

function middleOf(rate: SustainedRateAnswer | null): number | null {
  if (rate === null) return null;
  const { valuePerS, lowPerS, highPerS } = rate;
  return valuePerS ?? (lowPerS !== null && highPerS !== null ? Math.sqrt(lowPerS * highPerS) : (lowPerS ?? highPerS));
}

/**
 * More of a resource makes no system slower than less of it did: a value lies between its two nearest ones. Where their
 * intervals together are within the precision of a search, a search would say no more.
 */
export function knownFrom(subject: Subject, question: RunQuestion, earlier: Earlier): Note | null {
  if (question.sweepsAll || (subject.variant ?? []).length === 0) return null;
  const beside = neighboursOf(subject, earlier).filter(
    ({ differing, distance }) => differing === 1 && distance !== null,
  );
  const nearest = (side: readonly Neighbour[]) =>
    side.toSorted((one, other) => Math.abs(one.distance ?? 0) - Math.abs(other.distance ?? 0))[0];
  const below = nearest(beside.filter(({ distance }) => (distance ?? 0) < 0));
  const above = nearest(beside.filter(({ distance }) => (distance ?? 0) > 0));
  if (below === undefined || above === undefined) return null;
  const predictions = question.scenarios.flatMap((scenario) => {
    const ends = [below, above].map(({ answer }) => answer.scenarios.find((each) => each.scenario === scenario));
    const rates = ends.flatMap((each) => each?.sustainedRate ?? []);
    const lows = rates.flatMap(({ lowPerS }) => lowPerS ?? []);
    const highs = rates.flatMap(({ highPerS }) => highPerS ?? []);
    if (lows.length < 2 || highs.length < 2) return [];
    const [lowPerS, highPerS] = [Math.min(...lows), Math.max(...highs)];
    return lowPerS > 0 && highPerS / lowPerS <= (1 + question.precisionRatio) ** 2
      ? [{ scenario, lowPerS, highPerS }]
      : [];
  });
  if (predictions.length < question.scenarios.length) return null;
  return {
    code: 'value-known',
    subject: subject.id,
    below: below.answer.subject,
    above: above.answer.subject,
    predictions,
  };
}

/** The same tier with other values of the same settings. */
function neighboursOf(subject: Subject, earlier: Earlier): readonly Neighbour[] {
  const own = subject.variant ?? [];
  return earlier.flatMap(({ group: [other], answer }): Neighbour[] => {
    if (other === undefined || other.tier.name !== subject.tier.name) return [];
    const differing = own.flatMap((change) => {
      const against = other.variant?.find(
        ({ service, setting }) => service === change.service && setting === change.setting,
      );
      return against === undefined || against.value === change.value ? [] : [{ change, against }];
    });
    const [only, ...more] = differing;
    const [one, two] = only === undefined ? [null, null] : [changeNumber(only.change), changeNumber(only.against)];
    const distance = more.length === 0 && one && two && one > 0 && two > 0 ? Math.log(two / one) : null;
    return [{ answer, differing: differing.length, distance }];
  });
}
