import type { JudgedTarget } from '../harness/judging/judged-trial.ts';
import type { Analysis, TierAnalysis } from './analysis.ts';
import { describeObstacle } from './describe/notes.ts';
import { list } from './figures.ts';

/** Sentences that stand in every format of a report. */

export interface VerdictCounts {
  readonly met: number;
  readonly missed: number;
  readonly inconclusive: number;
}

/** Verdicts on what was measured: one for each target and scenario. That a setting is as documented proves no speed. */
export function countVerdicts(targets: readonly JudgedTarget[]): VerdictCounts {
  return count(targets.filter(({ target }) => target.judged.by === 'measured'));
}

/** `Measured: 5 met, 2 missed and 2 inconclusive. Settings: 6 of 6 as documented.` */
export function headline({ facts, targets, scenarios }: TierAnalysis): string {
  if (facts !== null && facts.notRun.length > 0)
    return `This tier was not run here: ${facts.notRun.map(describeObstacle).join('; ')}`;
  const early = facts === null || facts.endedEarly === null ? '' : `Ended early: ${facts.endedEarly}. `;
  return early + verdictsInWords(targets, scenarios);
}

function verdictsInWords(targets: TierAnalysis['targets'], scenarios: TierAnalysis['scenarios']): string {
  if (scenarios.every(({ trials }) => trials.length === 0))
    return 'No trial was measured, so no target could be judged by one.';
  const measured = countVerdicts(targets);
  const parts = (['met', 'missed', 'inconclusive'] as const)
    .filter((kind) => measured[kind] > 0)
    .map((kind) => `${measured[kind]} ${kind}`);
  const settings = count(targets.filter(({ target }) => target.judged.by === 'setting'));
  const compared = settings.met + settings.missed;
  if (parts.length === 0 && compared === 0) return 'None of the targets could be judged.';
  return [
    parts.length === 0 ? 'No target could be judged by what was measured.' : `Measured: ${list(parts)}.`,
    ...(compared === 0 ? [] : [`Settings: ${settings.met} of ${compared} as documented.`]),
  ].join(' ');
}

function count(targets: readonly JudgedTarget[]): VerdictCounts {
  const of = (kind: keyof VerdictCounts) => targets.filter(({ verdict }) => verdict.kind === kind).length;
  return { met: of('met'), missed: of('missed'), inconclusive: of('inconclusive') };
}

/** What is said of loads of which there were none would only be in the way. */
export function howToRead({ tiers }: Pick<Analysis, 'tiers'>): readonly string[] {
  const trials = tiers.flatMap(({ scenarios }) => scenarios.flatMap((scenario) => scenario.trials));
  const models = new Set(trials.map(({ summary }) => summary.load.model));
  return [
    ...ofAllLoads,
    ...(models.has('open') ? ofArrivalRates : []),
    ...(models.has('closed') ? ofNumbersOfUsers : []),
    'Figures are of the machine below and of the data the run made. Another machine gives others.',
  ];
}

const ofArrivalRates = [
  'By arrival rate the load is open: work comes whether or not earlier work was answered, as from many people who do not know of each other, and what had to wait to be sent waited too. Where throughput leaves the line of what was offered, the system no longer follows.',
  'An arrival is an iteration of the scenario, which may be several requests; throughput and errors are counted in requests.',
  'Dropped work was due and never begun, since no more could be under way. An iteration that was dropped counts as failed requests of the system, as many as one sends.',
];

const ofNumbersOfUsers = [
  'By number of users the load is closed: each virtual user waits for its answer before it goes on. At a higher concurrency than the system can use, throughput stays and latency grows.',
];

const ofAllLoads = [
  'Throughput counts successful requests only. An answer with the right status and the wrong content is an error.',
  'Latency runs from when a request was due to its last byte, successful requests only; for a user who waits it is due when it is sent. p95 below 200 ms says: 95 of 100 requests took less than 200 ms.',
  'An interval holds the true value in 95 of 100 such measurements. A percentile is given only where the samples allow an interval for it.',
  'Met and missed are said only of trials that are sound. Where the load generator or the machine may have been the limit, the verdict is inconclusive, with the reason.',
];
