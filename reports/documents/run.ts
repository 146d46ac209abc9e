import type { StudyFacts } from '../../harness/core/study-record.ts';
import { formatBytes, formatRatio } from '../../harness/core/units.ts';
import { SMALLEST_CHANGE_RATIO } from '../../harness/judging/compare-tiers.ts';
import type { Analysis } from '../analysis.ts';
import { scenarioChart } from '../charts/load-charts.ts';
import {
  type Answer,
  type Block,
  type Document,
  details,
  figures,
  incompleteNote,
  sentence,
  tableBlocks,
} from '../document.ts';
import { dateTime } from '../figures.ts';
import { list, plural } from '../text.ts';
import { answersOf, answerTable } from './run-answer.ts';
import { differenceBlocks } from './run-differences.ts';
import { describeMix, factsOfRun } from './run-facts.ts';
import { demandsTable, ratesTable, stepsTable } from './run-rates.ts';
import { comparisonTable, notJudgedTable, targetCounts, targetsTable, trialsTable } from './run-tables.ts';
import { tierDetails } from './run-tier.ts';
import { sweepParts } from './sweep.ts';

/** What `run` found: the answer, a chart and a table of each scenario, the targets, and all evidence folded. */
export function runDocument(analysis: Analysis): Document {
  const { question, facts, tiers } = analysis;
  const { machine, tierbench } = facts;
  const names = tiers.map(({ name }) => name);
  const counts = targetCounts(tiers);
  const settings = targetsTable(tiers, 'setting');
  const notJudged = notJudgedTable(tiers);
  const sweep = sweepParts(analysis);
  // Sizes of one tier are no tiers to choose from.
  const whole = sweep.answers.length === 0 ? tiers : tiers.filter(({ facts: own }) => own?.variant.length === 0);
  const answers = [...sweep.answers, ...(whole.length === 0 ? [] : answersOf(whole))];
  return {
    title: names.length === 0 ? 'No tier was run' : `Load test of ${list(names)}`,
    subtitle: `${dateTime(facts.startedAt)} · ${list(question.scenarios)} · ${machine.cpuModel}, ${plural(machine.cpus, 'core')}, ${formatBytes(machine.memoryBytes)}${question.quick ? ' · quick run' : ''}`,
    blocks: [
      { kind: 'answer', answers: answers.map((answer) => withMix(answer, facts)) },
      ...incompleteNote(analysis.status),
      ...earlyNotes(analysis),
      ...sweep.blocks,
      ...tableBlocks(ratesTable(tiers)),
      ...tableBlocks(answerTable(tiers)),
      ...differenceBlocks(analysis.differences),
      ...chartBlocks(analysis),
      ...details('What a request costs', [demandsTable(tiers), ...tiers.map(stepsTable)].flatMap(tableBlocks), true),
      ...tierBlocks(analysis),
      ...section('Targets', [
        ...(counts === '' ? [] : [{ kind: 'paragraph' as const, text: `${counts}.` }]),
        ...tableBlocks(targetsTable(tiers, 'measured')),
        ...details(`${plural(settings.rows.length, 'target')} about settings`, tableBlocks(settings)),
        ...details(`${plural(notJudged.rows.length, 'target')} not judged, and why`, tableBlocks(notJudged)),
      ]),
      ...section('Details', [
        ...tiers.flatMap((tier) => details(`${tier.name}: ${tier.title}`, tierDetails(tier, facts))),
        ...details('How to read this report', [{ kind: 'list', items: howToRead(analysis) }]),
        ...details('Run, machine and settings', [
          { kind: 'facts', caption: 'Facts of the run', rows: factsOfRun(analysis) },
        ]),
      ]),
    ],
    footer: `Made by tierbench ${tierbench.version} from the results of run ${facts.runId}.`,
  };
}

/** What `mixed` is follows from its weights. */
function withMix(answer: Answer, { settings }: StudyFacts): Answer {
  const mix = describeMix(settings.mix);
  if (answer.about !== 'mixed' || mix === '') return answer;
  return { ...answer, because: `${answer.because} Of its iterations: ${mix}.` };
}

function section(text: string, blocks: readonly Block[]): readonly Block[] {
  return blocks.length === 0 ? [] : [{ kind: 'heading', level: 2, text }, ...blocks];
}

/** A chart for each scenario, over arrival rates where there were such; over numbers of users folded beside it. */
function chartBlocks({ tiers }: Analysis): readonly Block[] {
  const names = [...new Set(tiers.flatMap(({ scenarios }) => scenarios.map(({ name }) => name)))];
  const targets = tiers.flatMap((tier) => tier.targets);
  const charts = names.map((scenario) => {
    const own = tiers.map(({ name, scenarios }) => ({
      tier: name,
      trials: scenarios.find((each) => each.name === scenario)?.trials ?? [],
    }));
    return {
      rates: scenarioChart(scenario, own, targets, 'open'),
      users: scenarioChart(scenario, own, targets, 'closed'),
    };
  });
  const second = charts.flatMap(({ rates, users }) => {
    const points = users?.panels.flatMap(({ series }) => series.flatMap((each) => each.points.map(({ x }) => x))) ?? [];
    return rates !== null && users !== null && new Set(points).size > 1 ? [users] : [];
  });
  return section('Throughput and latency', [
    ...figures(charts.map(({ rates, users }) => rates ?? users)),
    ...details('By number of users', figures(second)),
  ]);
}

/** Several tiers are compared at the loads they share; of one tier every load is shown. */
function tierBlocks({ comparison, tiers }: Analysis): readonly Block[] {
  if (comparison === null) {
    const tables = tiers.flatMap(({ scenarios }) => scenarios.map(trialsTable));
    return details('Each load', tables.flatMap(withHeading), true);
  }
  return details('Tiers at the same load', comparison.scenarios.map(comparisonTable).flatMap(withHeading), true);
}

function withHeading(built: Parameters<typeof tableBlocks>[0]): readonly Block[] {
  const blocks = tableBlocks(built);
  return blocks.length === 0 ? [] : [{ kind: 'heading', level: 3, text: built.caption }, ...blocks];
}

function earlyNotes({ tiers }: Analysis): readonly Block[] {
  return tiers.flatMap(({ name, facts }): Block[] => {
    const early = facts?.endedEarly ?? null;
    return early === null ? [] : [{ kind: 'note', title: `${name} ended early`, text: sentence(early.detail) }];
  });
}

/** Explanations of loads that were not measured are left out. */
function howToRead({ tiers, comparison }: Analysis): readonly string[] {
  const trials = tiers.flatMap(({ scenarios }) => scenarios.flatMap((scenario) => scenario.trials));
  const models = new Set(trials.map(({ summary }) => summary.load.model));
  return [
    'A sustained rate is the highest arrival rate that meets the targets; its interval reaches from the highest rate that was found to meet them to the lowest found to miss one.',
    'The service demand of a request is the CPU time it takes of a service: the CPU that was used divided by the requests that were answered, near the sustained rate. Where the first service is used up, no more requests are answered: that is the expected limit.',
    'Sustained is, where loads were given by hand, the highest load whose trial is valid and whose p95 met the target, with no lower load that missed it.',
    'Throughput counts successful requests only. A response with the right status and the wrong content is an error.',
    'Latency is the time from the scheduled start of a request to its last byte, of successful requests only. p95 below 200 ms means: 95 of 100 requests took less than 200 ms.',
    'An interval contains the true value in 95 of 100 such measurements. A percentile is given only where the samples allow an interval for it.',
    'Targets are met or missed by valid trials only. Where the load generator or the machine may have been the limit, the trial is invalid and the verdict is inconclusive.',
    ...(models.has('open')
      ? [
          'An arrival rate is open-loop load: requests are sent on schedule, whether or not earlier ones were answered. Where throughput falls below the dashed line, the system no longer answers what is offered.',
          'An arrival is an iteration of the scenario, which may be several requests. Throughput and errors are counted in requests.',
          'An iteration is dropped when it is scheduled and no more may be in flight. It counts as the failed requests it would have sent.',
        ]
      : []),
    ...(models.has('closed')
      ? [
          'A number of users is closed-loop load: each virtual user waits for its response before it continues. At a higher concurrency than the system can use, throughput stays and latency grows.',
        ]
      : []),
    ...(comparison === null
      ? []
      : [
          `Each tier is compared with the one before it at the same load: ${plural(comparison.comparisons, 'comparison')}. The chance that any of them shows a change where there is none is at most 5 % (Holm). Less than ${formatRatio(SMALLEST_CHANGE_RATIO)} is never called a change: each tier was started once, and another start may differ by as much. No change means none beyond noise.`,
        ]),
    'The figures hold for this machine and for the data that the run created.',
  ];
}
