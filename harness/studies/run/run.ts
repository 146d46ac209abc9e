import type { Subject } from '../../core/app.ts';
import type { Note } from '../../core/findings.ts';
import { loadLevel } from '../../core/load.ts';
import { type RunAnswer, type RunQuestion, runAnswerSchema, runQuestionSchema } from '../../core/run.ts';
import type { Target } from '../../core/target.ts';
import type { JudgedTrial } from '../../judging/judged-trial.ts';
import { rateGoals } from '../../judging/rate-goals.ts';
import { sustainedRates } from '../../judging/sustained-rate.ts';
import { exactTime, lengthS, type Step, type Study, type StudyContext, sumOfTimes } from '../study.ts';
import { faultSteps } from './faults.ts';
import { loadSteps, type ScenarioOnSubject, timeOfLoadSteps } from './load-steps.ts';
import { documentedLoads } from './loads.ts';
import { knownFrom, startFrom } from './sweep.ts';

/** What does each tier sustain within its targets? Tiers run one after the other, each through the same scenarios. */
export const run: Study<RunQuestion, RunAnswer> = {
  name: 'run',
  question: runQuestionSchema,
  answer: runAnswerSchema,
  scenarios: ({ scenarios }) => scenarios,
  groups: (subjects) => subjects.map((subject) => [subject]),
  *steps(group, question, context, earlier = []): Generator<Step, RunAnswer, JudgedTrial | undefined> {
    const subject = onlyOne(group);
    const scenarios = scenariosOn(subject, question, context);
    const answer: RunAnswer['scenarios'][number][] = [];
    const rest = { kind: 'rest', subject: subject.id, durationS: context.coolDownS } as const;
    yield { kind: 'note', subject: subject.id, note: cachesNote(question) };
    for (const [index, scenario] of scenarios.entries()) {
      if (index > 0) yield rest;
      const after = timeAfter(index, scenarios, subject, question, context);
      const { trials, sustainedRate, pilotPerS } = yield* loadSteps(question, scenario, after, (pilot) =>
        startFrom(subject, earlier, scenario.name, pilot),
      );
      const sustained = sustainedIn(context.targets, trials);
      answer.push({ scenario: scenario.name, sustainedRate, ...(pilotPerS !== null && { pilotPerS }), sustained });
    }
    for (const step of faultSteps(question, subject)) {
      yield rest;
      yield step;
    }
    const place = ({ scenario }: (typeof answer)[number]) => question.scenarios.indexOf(scenario);
    return { subject: subject.id, scenarios: answer.toSorted((one, other) => place(one) - place(other)) };
  },
  known: (group, question, earlier) => knownFrom(onlyOne(group), question, earlier),
  estimate(group, question, context) {
    const subject = onlyOne(group);
    const scenarios = scenariosOn(subject, question, context);
    const [first] = scenarios;
    if (first === undefined) return exactTime(0);
    return sumOfTimes([timeOfLoadSteps(question, first), timeAfter(0, scenarios, subject, question, context)]);
  },
};

function onlyOne([subject]: readonly Subject[]): Subject {
  if (subject === undefined) throw new Error('a group has a subject');
  return subject;
}

/**
 * In the order in which they are measured: those that are loaded with many users come last, since what these leave in flight
 * keeps a slow system busy for seconds.
 */
function scenariosOn(subject: Subject, { scenarios }: RunQuestion, context: StudyContext): ScenarioOnSubject[] {
  const all = scenarios.flatMap((name) => {
    const traits = context.scenarios.get(name);
    if (traits === undefined) return [];
    const documented = documentedLoads(context.targets, subject.tier.name, name);
    const goals = rateGoals(context.targets, subject.tier.name, name);
    return { ...traits, subject: subject.id, documented, goals, userCount: context.userCount };
  });
  const mostUsers = ({ documented: { concurrencies } }: ScenarioOnSubject) => Math.max(0, ...concurrencies);
  return all.toSorted((one, other) => mostUsers(one) - mostUsers(other));
}

/** What comes after the scenario at that index: the other scenarios and the faults, each after a rest. */
function timeAfter(
  index: number,
  scenarios: readonly ScenarioOnSubject[],
  subject: Subject,
  question: RunQuestion,
  { coolDownS }: StudyContext,
) {
  const later = scenarios.slice(index + 1).map((scenario) => timeOfLoadSteps(question, scenario));
  const faults = faultSteps(question, subject).map((step) => exactTime(lengthS(step)));
  return sumOfTimes([...later, ...faults].flatMap((time) => [exactTime(coolDownS), time]));
}

function cachesNote({ warmUpS, arrivalRatesPerS }: RunQuestion): Note {
  if (warmUpS > 0) return { code: 'caches', state: 'warm' };
  return { code: 'caches', state: arrivalRatesPerS === null ? 'pilot-only' : 'cold' };
}

function sustainedIn(
  targets: readonly Target[],
  trials: readonly JudgedTrial[],
): RunAnswer['scenarios'][number]['sustained'] {
  return sustainedRates({ targets }, trials).map(({ target, trial, next }) => ({
    target: target?.id ?? null,
    highest: trial && rateOf(trial),
    next: next && { ...rateOf(next.trial), why: next.why },
  }));
}

function rateOf({ summary, record }: JudgedTrial) {
  return { arrivalRatePerS: loadLevel(summary.load), sequence: record.sequence };
}
