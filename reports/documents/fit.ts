import { type Estimate, formatNumber, formatRate, formatRatio, formatSeconds } from '../../harness/core/units.ts';
import type { Identified } from '../../harness/models/curve-fit.ts';
import {
  type ModelFit,
  type NoFit,
  POOR_FIT,
  type QueueFit,
  type ScalabilityFit,
} from '../../harness/models/fit-measured.ts';
import { fitChart } from '../charts/fit-charts.ts';
import {
  type Answer,
  type Block,
  type CellDraft,
  type Document,
  figures,
  head,
  left,
  right,
  type Table,
  table,
} from '../document.ts';
import { estimateInterval, estimateWithInterval, type Format } from '../figures.ts';
import { capitalized, list, plural } from '../text.ts';

/** What `tierbench fit` says: for each measured curve the model, its parameters, and what they mean. */
export function fitDocument(fits: readonly ModelFit[], files: readonly string[]): Document {
  return {
    title: 'Fitted models',
    subtitle: list(files),
    blocks: [
      { kind: 'answer', answers: fits.map(answerOf) },
      ...fits.flatMap(notesOf),
      ...fits.flatMap((fit): Block[] =>
        fit.model === null ? [] : [{ kind: 'table', table: parameterTable(fit) }, ...figures([fitChart(fit)])],
      ),
    ],
    footer: 'Intervals: 95 %, from a bootstrap of the residuals. docs/models.md says which model is used for what.',
  };
}

function answerOf(fit: ModelFit): Answer {
  const { statement, because } = sentencesOf(fit);
  // Behind the name of a curve a sentence goes on.
  const text = fit.name === '' ? capitalized(statement) : statement;
  return { about: fit.name, statement: text, because };
}

function sentencesOf(fit: ModelFit): Pick<Answer, 'statement' | 'because'> {
  switch (fit.model) {
    case null:
      return { statement: `not identified: ${describeNoFit(fit)}.`, because: moreLoads(fit) };
    case 'usl':
      return scalabilityAnswer(fit);
    case 'queue':
      return queueAnswer(fit);
  }
}

function describeNoFit({ why, kind }: NoFit): string {
  const loads = kind === 'rate' ? 'arrival rate' : 'concurrency';
  const different = why.loads === 1 ? `one ${loads} was` : `${why.loads} different values of ${loads} were`;
  return `${different} measured, and a fit needs ${why.needed}`;
}

const aboutRate = (estimate: Estimate) => estimateWithInterval(estimate, formatRate);
const aboutNumber = (estimate: Estimate) => estimateWithInterval(estimate, formatNumber);

/** Of a curve of a run, which has a name: how the next one measures more. */
function moreLoads({ name, kind }: NoFit): string {
  if (name === '') return '';
  return `Measure more of them with ${kind === 'rate' ? '--rate' : '--concurrency'} 1,2,4,8,16,32 of \`tierbench run\`, chosen for the system.`;
}

function scalabilityAnswer(fit: ScalabilityFit): Pick<Answer, 'statement' | 'because'> {
  const { peak, peakPerS, enough, sigma, kappa } = fit;
  if (peak.kind === 'identified' && peakPerS.kind === 'identified') {
    const near = enough === null ? '' : ` 95 % of it is reached at concurrency ${aboutNumber(enough)}.`;
    return {
      statement: `throughput is highest at concurrency ${aboutNumber(peak.estimate)}, with ${aboutRate(peakPerS.estimate)}.${near}`,
      because: whatLimits(sigma, kappa),
    };
  }
  return {
    statement: `the highest throughput is not identified: it is at least ${formatRate(lowest(peakPerS))}, at a concurrency of at least ${formatNumber(lowest(peak))}.`,
    because: `The data end before it, or vary too much. Measure higher concurrency, until throughput falls. ${whatLimits(sigma, kappa)}`,
  };
}

function lowest(known: Identified): number {
  return known.kind === 'identified' ? known.estimate.low : known.atLeast;
}

/** What the intervals say of contention and coherency. */
function whatLimits(sigma: Estimate, kappa: Estimate): string {
  const parts = [
    ...(sigma.low > 0 ? [`contention (σ ${aboutNumber(sigma)}): that share of the work waits for one thing`] : []),
    ...(kappa.low > 0
      ? [`coherency (κ ${aboutNumber(kappa)}): what instances or users agree on costs throughput`]
      : []),
  ];
  return parts.length === 0
    ? 'Neither contention nor coherency is shown: both may be 0.'
    : `It is limited by ${list(parts)}.`;
}

function queueAnswer(fit: QueueFit): Pick<Answer, 'statement' | 'because'> {
  const { capacityPerS, withinTargetPerS, targetP95S, servers, serviceS } = fit;
  const capacity =
    capacityPerS.kind === 'identified'
      ? `the queue grows without end from ${aboutRate(capacityPerS.estimate)}.`
      : `the rate at which the queue grows without end is not identified: it is at least ${formatRate(capacityPerS.atLeast)}.`;
  const because = `The data are like those of ${estimateWithInterval(servers, formatNumber)} servers that need ${estimateWithInterval(serviceS, formatSeconds)} for a request.`;
  if (targetP95S === null) return { statement: capacity, because };
  const target = `p95 is at most ${formatSeconds(targetP95S)}`;
  if (withinTargetPerS === null) return { statement: `at no rate ${target}.`, because };
  return {
    statement:
      withinTargetPerS.kind === 'identified'
        ? `${target} up to ${aboutRate(withinTargetPerS.estimate)}.`
        : `the rate up to which ${target} is not identified: it is at least ${formatRate(withinTargetPerS.atLeast)}.`,
    because: `${capitalized(capacity)} ${because}`,
  };
}

function notesOf(fit: ModelFit): readonly Block[] {
  if (fit.model === null || fit.relativeError <= POOR_FIT) return [];
  const about = fit.name === '' ? '' : `${fit.name}: `;
  const text = `${about}measured values are ${formatRatio(fit.relativeError)} off the model (root mean square). It does not describe this system.`;
  return [{ kind: 'note', title: 'Poor fit', text }];
}

function parameterTable(fit: ScalabilityFit | QueueFit): Table {
  const rows: CellDraft[][] = fit.model === 'usl' ? scalabilityRows(fit) : queueRows(fit);
  const of = fit.name === '' ? '' : ` of ${fit.name}`;
  const model = fit.model === 'usl' ? 'Universal Scalability Law' : 'Queue with several servers (M/G/c)';
  const fitted = `${plural(fit.points.length, 'point')}, ${formatRatio(fit.relativeError)} off the model`;
  return table(`${model}${of}: ${fitted}`, [head('Parameter'), right('Value'), right('95 % interval'), left('')], rows);
}

function row(name: string, estimate: Estimate, format: Format, means: string): CellDraft[] {
  return [
    { text: name },
    { text: format(estimate.value) },
    { text: estimateInterval(estimate, format) },
    { text: means },
  ];
}

function identifiedRow(name: string, known: Identified, format: Format, means: string): CellDraft[] {
  return known.kind === 'identified'
    ? row(name, known.estimate, format, means)
    : [{ text: name }, { text: 'not identified' }, { text: `at least ${format(known.atLeast)}` }, { text: means }];
}

function scalabilityRows(fit: ScalabilityFit): CellDraft[][] {
  return [
    row('λ', fit.lambdaPerS, formatRate, 'throughput of one'),
    row('σ', fit.sigma, formatNumber, 'contention'),
    row('κ', fit.kappa, formatNumber, 'coherency'),
    identifiedRow('peak', fit.peak, formatNumber, 'concurrency of the highest throughput'),
    identifiedRow('X at the peak', fit.peakPerS, formatRate, 'highest throughput'),
  ];
}

function queueRows(fit: QueueFit): CellDraft[][] {
  const { withinTargetPerS, targetP95S } = fit;
  return [
    row('servers', fit.servers, formatNumber, 'that work at the same time'),
    row('service time', fit.serviceS, formatSeconds, 'mean'),
    row('variation', fit.variation, formatNumber, 'of the service time: 0 constant, 1 exponential'),
    identifiedRow('capacity', fit.capacityPerS, formatRate, 'the queue grows without end'),
    ...(withinTargetPerS === null || targetP95S === null
      ? []
      : [identifiedRow('within the target', withinTargetPerS, formatRate, `p95 at most ${formatSeconds(targetP95S)}`)]),
  ];
}

/** The JSON of `tierbench fit --json`: SI units; what is not identified has a lower bound and no value. */
export function fitReport(fits: readonly ModelFit[], files: readonly string[]): string {
  return `${JSON.stringify({ schemaVersion: 1, files, fits }, null, 2)}\n`;
}
