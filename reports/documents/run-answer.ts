import { describeLoad, loadLevel, type OfferedLoad } from '../../harness/core/load.ts';
import { formatBound, formatRate, formatRatio, formatSeconds } from '../../harness/core/units.ts';
import type { JudgedTrial } from '../../harness/judging/judged-trial.ts';
import { type Sustained, type TierAnalysis, wasRun } from '../analysis.ts';
import { describeObstacle } from '../describe/notes.ts';
import { type Answer, type CellDraft, left, right, type Table, table } from '../document.ts';
import { estimateWithInterval, list, loadWords } from '../figures.ts';
import { limitTexts } from './run-limits.ts';
import { whyInvalid, whyNotRun, whySo } from './run-why.ts';

/** The answer of a run: the highest load of each tier and scenario that met the p95 target, its p95, and what limited it. */

interface OfTier {
  readonly tier: string;
  readonly sustained: Sustained;
}

/** Those of one scenario and one target, in the order of the tiers. */
interface Question {
  readonly scenario: string;
  /** `p95 < 200 ms`; null where no target applies. */
  readonly target: string | null;
  readonly tiers: readonly OfTier[];
}

function questionsOf(tiers: readonly TierAnalysis[]): readonly Question[] {
  const all = tiers.flatMap(({ name: tier, scenarios }) =>
    scenarios.flatMap(({ name: scenario, sustained }) =>
      sustained.map((each) => ({
        tier,
        scenario,
        target: each.target === null ? null : `p95 ${formatBound(each.target)}`,
        sustained: each,
      })),
    ),
  );
  const groups = Map.groupBy(all, ({ scenario, target }) => JSON.stringify([scenario, target]));
  return [...groups.values()].flatMap((own) => {
    const [first] = own;
    return first === undefined ? [] : [{ scenario: first.scenario, target: first.target, tiers: own }];
  });
}

/** One for each scenario and target. */
export function answersOf(tiers: readonly TierAnalysis[]): readonly Answer[] {
  const questions = questionsOf(tiers);
  if (questions.length === 0) return [nothingMeasured(tiers)];
  return questions.map((question) => {
    const best = bestOf(question);
    const [first] = best;
    if (first === undefined) return noneSustained(question);
    const p95 = first.sustained.trial?.summary.latency.p95S ?? null;
    const at = p95 === null ? '' : ` at p95 ${estimateWithInterval(p95, formatSeconds)}`;
    const within = question.target === null ? '' : `; the target is ${question.target}`;
    return {
      statement: `${question.scenario}: ${whoSustained(question, best, first)}${at}${within}.`,
      because: [whatLimited(best, first), ...nextBest(question, best)].join(' '),
    };
  });
}

function nothingMeasured(tiers: readonly TierAnalysis[]): Answer {
  if (tiers.length === 0 || tiers.some(({ facts }) => wasRun(facts))) {
    return { statement: 'No trial was measured, so there is no answer.', because: '' };
  }
  const why = tiers.flatMap(({ name, facts }) =>
    (facts?.notRun ?? []).map((obstacle) => `${name}: ${describeObstacle(obstacle)}.`),
  );
  return { statement: 'No tier was run here.', because: why.join(' ') };
}

/** The tiers that sustained most; several where their highest loads are the same. */
function bestOf({ tiers }: Question): readonly OfTier[] {
  const most = Math.max(...tiers.map(({ sustained }) => levelOf(sustained)));
  return most <= 0 ? [] : tiers.filter(({ sustained }) => levelOf(sustained) === most);
}

function levelOf({ trial }: Sustained): number {
  return trial === null ? 0 : loadLevel(trial.summary.load);
}

/** `cached sustained most, 480/s` */
function whoSustained({ tiers }: Question, best: readonly OfTier[], first: OfTier): string {
  const load = sustainedLoad(first.sustained);
  if (tiers.length === 1) return `${first.tier} sustained ${load}`;
  if (best.length === tiers.length) return `all tiers sustained the same load, ${load},`;
  return `${list(best.map(({ tier }) => tier))} sustained most, ${load}`;
}

function nextBest({ tiers }: Question, best: readonly OfTier[]): readonly string[] {
  const [second] = tiers
    .filter((each) => !best.includes(each))
    .toSorted((one, other) => levelOf(other.sustained) - levelOf(one.sustained));
  return second === undefined ? [] : [`Next: ${second.tier} with ${sustainedLoad(second.sustained)}.`];
}

function sustainedLoad({ trial }: Sustained): string {
  return trial === null ? 'no measured load' : loadWords(trial.summary.load);
}

/** Of the tier that sustained most, at the next load. */
function whatLimited(best: readonly OfTier[], { tier, sustained: { next, limit } }: OfTier): string {
  if (next === null) return 'No higher load was measured, so the limit was not reached.';
  const load = loadWords(next.trial.summary.load);
  switch (next.why) {
    case 'missed': {
      return `Limited by ${limit === null ? 'what is not known' : list(limitTexts(limit))}. At ${load} ${best.length > 1 ? tier : 'it'} missed the target${p95Of(next.trial)}.`;
    }
    case 'inconclusive':
      return `What limits it is not known: at ${load} the verdict is inconclusive${p95Of(next.trial)}.`;
    case 'invalid':
      return `What limits it is not known: the trial at ${load} is invalid.`;
  }
}

function p95Of({ summary: { latency, errorRatio } }: JudgedTrial): string {
  const p95 = latency.p95S === null ? '' : ` with p95 ${formatSeconds(latency.p95S.value)}`;
  return errorRatio === 0 ? p95 : `${p95}${p95 === '' ? ' with' : ' and'} ${formatRatio(errorRatio)} errors`;
}

function noneSustained({ scenario, target, tiers }: Question): Answer {
  const within = target === null ? '' : ` within ${target}`;
  const who = tiers.length === 1 ? (tiers[0]?.tier ?? '') : 'no tier';
  const lowest = tiers
    .flatMap(({ tier, sustained: { next, limit } }) =>
      next?.why === 'missed' && limit !== null ? [{ tier, trial: next.trial, limit }] : [],
    )
    .toSorted((one, other) => loadLevel(one.trial.summary.load) - loadLevel(other.trial.summary.load))[0];
  const statement = `${scenario}: ${who} sustained ${tiers.length === 1 ? 'no' : 'a'} measured load${within}.`;
  if (lowest === undefined) {
    return {
      statement: `${scenario}: what is sustained${within} is not known.`,
      because: 'No valid trial decides it.',
    };
  }
  return {
    statement,
    because: `Limited by ${list(limitTexts(lowest.limit))}. At ${loadWords(lowest.trial.summary.load)} ${lowest.tier} missed the target${p95Of(lowest.trial)}.`,
  };
}

/** A row for each scenario, target and tier; the highest of each scenario stands out. */
export function answerTable(tiers: readonly TierAnalysis[]): Table {
  const notRun = tiers.filter(({ facts }) => !wasRun(facts));
  const questions = questionsOf(tiers);
  const hasSeveral = tiers.length > 1;
  const targets = new Set(questions.map(({ target }) => target ?? 'no p95 target'));
  const [onlyTarget] = targets.size === 1 ? targets : [];
  return table(
    'The highest load of each tier within its p95 target',
    [
      left('Scenario'),
      ...(onlyTarget === undefined ? [left('p95 target')] : []),
      ...(hasSeveral ? [left('Tier')] : []),
      right(onlyTarget === undefined ? 'Sustained' : `Sustained (${onlyTarget})`),
      right('p95'),
      left('Limited by'),
    ],
    questions.flatMap((question): CellDraft[][] => {
      const best = bestOf(question);
      const place = (index: number): CellDraft[] => [
        { text: question.scenario, repeated: index > 0 },
        ...(onlyTarget === undefined
          ? [{ text: question.target === null ? 'none' : question.target.slice(4), repeated: index > 0 }]
          : []),
      ];
      const measured = question.tiers.map((each, index) => [
        ...place(index),
        ...(hasSeveral ? [{ text: each.tier, strong: best.includes(each) }] : []),
        sustainedCell(each.sustained, best.includes(each)),
        p95Cell(each.sustained),
        limitCell(each.sustained),
      ]);
      const missing = notRun.map(({ name, facts }, index) => [
        ...place(measured.length + index),
        { text: name },
        { text: 'not run', why: whyNotRun(facts?.notRun ?? []) },
        { text: '–' },
        { text: '–' },
      ]);
      return [...measured, ...missing];
    }),
  );
}

function sustainedCell({ trial, next, openBelow }: Sustained, strong: boolean): CellDraft {
  if (trial === null) {
    const why = next?.why === 'invalid' ? whyInvalid(next.trial) : [];
    return { text: next?.why === 'invalid' ? 'not known' : 'none measured', ...(why.length > 0 && { why }) };
  }
  const { load, throughputPerS } = trial.summary;
  const open = openBelow.map(({ summary }) => whySo(`${describeLoad(summary.load)} is inconclusive`));
  return {
    text: loadWords(load),
    strong,
    ...(throughputPerS !== null && { detail: `${formatRate(throughputPerS.value)} requests` }),
    ...(open.length > 0 && { why: open }),
  };
}

function p95Cell({ trial }: Sustained): CellDraft {
  const p95 = trial?.summary.latency.p95S ?? null;
  if (p95 === null) return { text: '–' };
  return { text: formatSeconds(p95.value), detail: `${formatSeconds(p95.low)} to ${formatSeconds(p95.high)}` };
}

function limitCell({ next, limit }: Sustained): CellDraft {
  if (next === null) return { text: 'not reached', detail: 'no higher load was measured' };
  const at = (load: OfferedLoad) => describeLoad(load);
  const { summary } = next.trial;
  switch (next.why) {
    case 'missed':
      return {
        text: limit === null ? 'not known' : limitTexts(limit).join(', '),
        detail: `at ${at(summary.load)}, which missed the target${p95Of(next.trial)}`,
      };
    case 'inconclusive':
      return { text: 'not known', detail: `${at(summary.load)} is inconclusive${p95Of(next.trial)}` };
    case 'invalid':
      return {
        text: 'not known',
        detail: `the trial at ${at(summary.load)} is invalid`,
        why: whyInvalid(next.trial),
      };
  }
}
