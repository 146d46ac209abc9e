import { describeLoad, loadLevel } from '../../harness/core/load.ts';
import { formatBound, formatNumber, formatRatio, formatSeconds } from '../../harness/core/units.ts';
import type { JudgedTrial } from '../../harness/judging/judged-trial.ts';
import { type Sustained, type TierAnalysis, wasRun } from '../analysis.ts';
import { describeObstacle } from '../describe/notes.ts';
import { describeReason } from '../describe/reasons.ts';
import { withAdvice } from '../describe/remedies.ts';
import { type Answer, type CellDraft, head, left, right, type Table, table } from '../document.ts';
import { estimateInterval, loadWords } from '../figures.ts';
import { capitalized, list } from '../text.ts';
import { limitSentence, limitTexts, nothingSustained } from './run-limits.ts';
import { rateAnswers } from './run-rates.ts';
import { whyInvalidMost, whyNotRun, whySo } from './run-why.ts';

/** The answer of a run: the highest load of each tier and scenario that met the p95 target, its p95, and what limited it. */

interface OfTier {
  readonly tier: string;
  readonly sustained: Sustained;
}

/** Those of one scenario and one target, in the order of the tiers. */
interface Question {
  readonly scenario: string;
  /** `< 200 ms`; null where no target applies. */
  readonly target: string | null;
  readonly tiers: readonly OfTier[];
}

function questionsOf(tiers: readonly TierAnalysis[]): readonly Question[] {
  const all = tiers.flatMap(({ name: tier, scenarios }) =>
    scenarios.flatMap(({ name: scenario, sustained, searched }) =>
      (searched === null ? sustained : []).map((each) => ({
        tier,
        scenario,
        target: each.target === null ? null : formatBound(each.target),
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
  const rates = rateAnswers(tiers);
  if (questions.length === 0 && rates.length === 0) return [nothingMeasured(tiers)];
  const others = questions.map((question): Answer => {
    const { scenario: about, target } = question;
    const best = bestOf(question);
    const [first] = best;
    if (first === undefined) return { about, ...noneSustained(question) };
    const p95 = first.sustained.trial?.summary.latency.p95S ?? null;
    const interval = p95 === null ? 'exact' : estimateInterval(p95, formatSeconds);
    const notes = [...(interval === 'exact' ? [] : [interval]), ...(target === null ? [] : [`target ${target}`])];
    const at = p95 === null ? '' : ` with p95 ${formatSeconds(p95.value)}`;
    return {
      about,
      statement: `${whoSustained(question, best, first)}${at}${notes.length === 0 ? '' : ` (${notes.join('; ')})`}.`,
      because: [whatLimited(best, first), ...nextBest(question, best)].join(' '),
    };
  });
  return [...rates, ...others];
}

function nothingMeasured(tiers: readonly TierAnalysis[]): Answer {
  if (tiers.length === 0 || tiers.some(({ facts }) => wasRun(facts))) {
    return { about: '', statement: 'No trial was measured, so there is no answer.', because: '' };
  }
  const why = tiers.flatMap(({ name, facts }) =>
    (facts?.notRun ?? []).map((obstacle) => `${name}: ${describeObstacle(obstacle)}.`),
  );
  return { about: '', statement: 'No tier was run here.', because: why.join(' ') };
}

/** The tiers that sustained most; several where their highest loads are the same. */
function bestOf({ tiers }: Question): readonly OfTier[] {
  const most = Math.max(...tiers.map(({ sustained }) => levelOf(sustained)));
  return most <= 0 ? [] : tiers.filter(({ sustained }) => levelOf(sustained) === most);
}

function levelOf({ trial }: Sustained): number {
  return trial === null ? 0 : loadLevel(trial.summary.load);
}

/** `cached sustained most, 480 iterations/s (3,360 requests/s)` */
function whoSustained({ tiers }: Question, best: readonly OfTier[], first: OfTier): string {
  const load = loadInFull(first.sustained);
  if (tiers.length === 1) return `${first.tier} sustained ${load}`;
  if (best.length === tiers.length) return `all tiers sustained the same load, ${load},`;
  return `${list(best.map(({ tier }) => tier))} sustained most, ${load}`;
}

function nextBest({ tiers }: Question, best: readonly OfTier[]): readonly string[] {
  const [second] = tiers
    .filter((each) => !best.includes(each))
    .toSorted((one, other) => levelOf(other.sustained) - levelOf(one.sustained));
  if (second === undefined) return [];
  const { trial } = second.sustained;
  return [`Next: ${second.tier} with ${trial === null ? 'no measured load' : loadWords(trial.summary.load)}.`];
}

/** The requests too, where an iteration is several. */
function loadInFull({ trial }: Sustained): string {
  if (trial === null) return 'no measured load';
  const { load, throughputPerS } = trial.summary;
  if (load.model === 'closed' || load.changes !== undefined) return loadWords(load);
  const requests = throughputPerS === null ? '' : ` (${requestRate(throughputPerS.value)})`;
  return `${formatNumber(load.arrivalRatePerS)} iterations/s${requests}`;
}

function requestRate(ratePerS: number): string {
  return `${formatNumber(ratePerS)} requests/s`;
}

/** Of the tier that sustained most, at the next load. */
function whatLimited(best: readonly OfTier[], { tier, sustained: { next, limit } }: OfTier): string {
  if (next === null) return 'No higher load was measured, so the limit was not reached.';
  const load = loadWords(next.trial.summary.load);
  switch (next.why) {
    case 'missed': {
      return `${limit === null ? 'What limits it is not known' : capitalized(limitSentence(limit))}. At ${load} ${best.length > 1 ? tier : 'it'} missed the target${p95Of(next.trial)}.`;
    }
    case 'inconclusive':
      return `What limits it is not known: at ${load} the verdict is inconclusive${p95Of(next.trial)}.`;
    case 'invalid':
      return `What limits it is not known: the trial at ${load} is invalid. ${becauseInvalid(next.trial)}`;
  }
}

/** The first reason, which is most often the cause of the others; tables have all. */
function becauseInvalid({ validity }: JudgedTrial): string {
  const [first] = validity.kind === 'valid' ? [] : validity.reasons;
  if (first === undefined) return '';
  const text = withAdvice(describeReason, first);
  return `${capitalized(text)}.`;
}

function p95Of({ summary: { latency, errorRatio } }: JudgedTrial): string {
  const p95 = latency.p95S === null ? '' : ` with p95 ${formatSeconds(latency.p95S.value)}`;
  return errorRatio === 0 ? p95 : `${p95}${p95 === '' ? ' with' : ' and'} ${formatRatio(errorRatio)} errors`;
}

function noneSustained({ target, tiers }: Question): Omit<Answer, 'about'> {
  const names = tiers.map(({ tier }) => tier);
  const within = target === null ? '' : `p95 ${target}`;
  const [lowest] = tiers
    .flatMap(({ tier, sustained: { next, limit } }) =>
      next?.why === 'missed' && limit !== null ? [{ tier, trial: next.trial, limit }] : [],
    )
    .toSorted((one, other) => loadLevel(one.trial.summary.load) - loadLevel(other.trial.summary.load));
  if (lowest !== undefined) {
    const load = `${loadWords(lowest.trial.summary.load)}${p95Of(lowest.trial)}`;
    const limit = `${capitalized(limitSentence(lowest.limit))}.`;
    return nothingSustained(names, within, { missed: { tier: lowest.tier, load, limit } });
  }
  const [invalid] = tiers.flatMap(({ sustained: { next } }) => (next?.why === 'invalid' ? [next.trial] : []));
  return nothingSustained(names, within, { undecided: invalid === undefined ? '' : becauseInvalid(invalid) });
}

/** A row for each scenario, target and tier; the highest of each scenario stands out. */
export function answerTable(tiers: readonly TierAnalysis[]): Table {
  const notRun = tiers.filter(({ facts }) => !wasRun(facts));
  const questions = questionsOf(tiers);
  const hasSeveral = tiers.length > 1;
  const hasTargets = new Set(questions.map(({ target }) => target)).size > 1;
  return table(
    'The highest load of each tier within its p95 target',
    [
      head('Scenario'),
      ...(hasTargets ? [head('p95 target')] : []),
      ...(hasSeveral ? [head('Tier')] : []),
      right('Sustained'),
      right('p95'),
      left('Limited by'),
    ],
    questions.flatMap((question): CellDraft[][] => {
      const best = bestOf(question);
      const place = (index: number): CellDraft[] => [
        { text: question.scenario, repeated: index > 0 },
        ...(hasTargets ? [{ text: question.target ?? 'none', repeated: index > 0 }] : []),
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
  if (trial === null) return { text: next?.why === 'invalid' ? 'not known' : 'none measured' };
  const { load, throughputPerS } = trial.summary;
  const open = openBelow.map(({ summary }) => whySo(`${describeLoad(summary.load)} is inconclusive`));
  return {
    text: loadWords(load),
    strong,
    ...(throughputPerS !== null && { detail: requestRate(throughputPerS.value) }),
    ...(open.length > 0 && { why: open }),
  };
}

function p95Cell({ trial }: Sustained): CellDraft {
  const p95 = trial?.summary.latency.p95S ?? null;
  return p95 === null
    ? { text: '–' }
    : { text: formatSeconds(p95.value), detail: estimateInterval(p95, formatSeconds) };
}

function limitCell({ next, limit }: Sustained): CellDraft {
  if (next === null) return { text: 'not reached', detail: 'no higher load was measured' };
  const load = describeLoad(next.trial.summary.load);
  switch (next.why) {
    case 'missed': {
      const [first = 'not known', ...others] = limit === null ? [] : limitTexts(limit);
      const missed = `missed the target at ${load}${p95Of(next.trial)}`;
      return { text: first, detail: [...others, missed].join('; ') };
    }
    case 'inconclusive':
      return { text: 'not known', detail: `${load} is inconclusive${p95Of(next.trial)}` };
    case 'invalid':
      return { text: 'not known', detail: `the trial at ${load} is invalid`, why: whyInvalidMost(next.trial) };
  }
}
