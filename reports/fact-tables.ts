import type { RunQuestion } from '../harness/core/run.ts';
import type { StudyFacts, SubjectFacts } from '../harness/core/study-record.ts';
import {
  formatBytes,
  formatNumber,
  formatQuantity,
  formatRate,
  formatRatio,
  formatSeconds,
} from '../harness/core/units.ts';
import type { Analysis, TierAnalysis } from './analysis.ts';
import { type EvidenceMeans, evidenceMeans } from './evidence-means.ts';
import { dateTime, list, plural } from './figures.ts';
import { left, type Table } from './table.ts';

/** What a reader must know to believe the run, or to repeat it. */
export function factsTable({ question, facts, status }: Analysis): Table {
  const { machine, settings, tierbench } = facts;
  const ended = status.state === 'running' ? 'not known' : dateTime(status.endedAt);
  const rows: [string, string][] = [
    ['Run', facts.runId],
    ['Started', dateTime(facts.startedAt)],
    ['Ended', `${ended} (${status.state})`],
    [
      'tierbench',
      `${tierbench.version}${tierbench.commit === null ? '' : `, commit ${tierbench.commit.slice(0, 12)}`}`,
    ],
    ['CPU', `${machine.cpuModel}, ${plural(machine.cpus, 'core')}${limited(machine.limits.cpus, formatNumber)}`],
    ['Memory', `${formatBytes(machine.memoryBytes)}${limited(machine.limits.memoryBytes, formatBytes)}`],
    ['Container', machine.container ?? 'none'],
    ['Operating system', `${machine.operatingSystem}, ${machine.kernel}`],
    ['Node.js', machine.node],
    ['Engine and provider', `${settings.engine}, ${settings.provider}`],
    ['Scenarios', question.scenarios.join(', ')],
    ['Arrival rates', arrivalRates(question)],
    ['Concurrencies', question.concurrencies?.join(', ') ?? 'those the documents speak of'],
    [
      'Each trial',
      `${formatSeconds(question.durationS)} measured after ${formatSeconds(question.warmUpS)} of warm-up, then ${formatSeconds(settings.coolDownS)} to cool down${question.quick ? ' (quick run)' : ''}`,
    ],
    ['Timeout', formatSeconds(question.timeoutS)],
    ['CPUs', placement(facts)],
    ['Generator', plural(settings.workers, 'thread')],
    ...calibrationRows(facts),
    ['Scale model', scaleModel(facts)],
    ['Think times', settings.skipThinkTimes ? 'left out' : 'kept'],
    ['Seed', String(settings.seed)],
  ];
  return factTable(
    'Facts of the run',
    rows.filter(([, value]) => value !== ''),
  );
}

function arrivalRates({ arrivalRatesPerS, arrivals }: RunQuestion): string {
  if (arrivalRatesPerS?.length === 0) return '';
  const rates = arrivalRatesPerS?.map(formatRate).join(', ') ?? 'found by a probe, the documented ones among them';
  return `${rates} (${arrivals === 'poisson' ? 'Poisson' : arrivals} arrivals)`;
}

/** What the generator itself can do: figures near to it are figures of the generator. */
function calibrationRows({ calibration }: StudyFacts): [string, string][] {
  if (calibration === null) return [['Calibration', 'not made']];
  const { ceilingPerS, ceilingConcurrency, ceilingIsAtLeast, floorP50S, floorP95S, floorRatePerS, sendLagP99S } =
    calibration;
  const floor = floorRatePerS === null ? 'with one virtual user' : `at ${formatRate(floorRatePerS)}`;
  return [
    [
      'Calibration: the most it sends',
      `${ceilingIsAtLeast ? 'at least ' : ''}${formatRate(ceilingPerS)} with ${plural(ceilingConcurrency, 'virtual user')}, to an echo`,
    ],
    [
      'Calibration: the least it reads',
      `p50 ${formatSeconds(floorP50S)}, p95 ${formatSeconds(floorP95S)} ${floor}, of an echo`,
    ],
    ['Calibration: send lag', sendLagP99S === null ? '' : `p99 ${formatSeconds(sendLagP99S)} ${floor}`],
  ];
}

function placement({ placement: placed }: StudyFacts): string {
  if (placed === null) return 'generator and system shared all of them';
  return `generator on ${cpuList(placed.generatorCpus)}, system on ${cpuList(placed.systemCpus)}`;
}

/** `CPU 0`, `CPUs 1, 2 and 3` */
function cpuList(cpus: readonly number[]): string {
  return `CPU${cpus.length === 1 ? '' : 's'} ${list(cpus.map(String))}`;
}

function scaleModel({ settings: { scaleModelFactor } }: StudyFacts): string {
  if (scaleModelFactor === null) return '';
  return `the CPUs of every service are ${formatNumber(scaleModelFactor)} times those of the tier file, in all tiers alike`;
}

function limited(limit: number | undefined, format: (value: number) => string): string {
  return limit === undefined ? '' : `, of which this run may use ${format(limit)}`;
}

export function tierFactsTable({ name, facts, scenarios, warmUps }: TierAnalysis): Table {
  if (facts === null) return factTable(`Facts of ${name}`, []);
  const { data } = facts;
  const ran = facts.notRun.length === 0;
  const rows: [string, string][] = [
    ['Description', facts.tier.description],
    ['Brought up by', ran ? `${facts.provider}, in ${formatSeconds(facts.startS)}` : ''],
    [
      'Data',
      data === null
        ? ran
          ? 'not made by this run'
          : ''
        : `${plural(data.users, 'user')} with ${plural(data.tasksPerUser, 'task')} each (seed ${data.seed}), in ${formatSeconds(facts.prepareDataS)}`,
    ],
    ['Warm-up', ran ? warmUps : ''],
    ...evidenceRows(evidenceMeans(scenarios)),
    ...facts.services.map((service): [string, string] => [`Service ${service.name}`, serviceInWords(service)]),
    ...facts.tier.services
      .filter(({ settings }) => Object.keys(settings).length > 0)
      .map(({ name: service, settings }): [string, string] => [
        `Settings of ${service}`,
        Object.entries(settings)
          .toSorted(([one], [other]) => (one < other ? -1 : 1))
          .map(([option, value]) => `${option}=${value}`)
          .join(', '),
      ]),
    ['Described in', facts.tier.documents.map(({ document, section }) => `${document}, ${section}`).join('; ')],
  ];
  return factTable(
    `Facts of ${name}`,
    rows.filter(([, value]) => value !== ''),
  );
}

/** `2 instances, Node.js v24.9.0, limited to 1 cpu and 512 MiB each` */
function serviceInWords({ instances, version }: SubjectFacts['services'][number]): string {
  const limits = new Set(instances.map((instance) => limitsInWords(instance.limits)));
  const [first = ''] = limits;
  const limited =
    limits.size > 1
      ? instances
          .map(({ name, limits: own }) => `${name} ${limitsInWords(own) || 'without an enforced limit'}`)
          .join(', ')
      : first === ''
        ? 'no limit enforced'
        : `${first}${instances.length > 1 ? ' each' : ''}`;
  return [plural(instances.length, 'instance'), ...(version === undefined ? [] : [version]), limited].join(', ');
}

function limitsInWords(limits: { readonly cpus?: number; readonly memoryBytes?: number } = {}): string {
  const parts = [
    ...(limits.cpus === undefined ? [] : [formatQuantity(limits.cpus, 'cpus')]),
    ...(limits.memoryBytes === undefined ? [] : [formatBytes(limits.memoryBytes)]),
  ];
  return parts.length === 0 ? '' : `limited to ${list(parts)}`;
}

/** Means over the measured trials of the tier. What no probe read is left out. */
function evidenceRows({ steal, throttled, caches, blocksHit }: EvidenceMeans): [string, string][] {
  const found: [string, string | null][] = [
    [
      'Taken by the host (steal)',
      steal === null ? null : `${formatRatio(steal.mean)}, at most ${formatRatio(steal.most)}`,
    ],
    [
      'Stopped by a CPU limit',
      throttled.length === 0
        ? null
        : throttled.map(({ source, mean }) => `${source} in ${formatRatio(mean)} of the periods`).join(', '),
    ],
    [
      'Found in cache',
      caches.length === 0
        ? null
        : caches
            .map(
              ({ what, first, mean }) => `${formatRatio(mean)} of ${what} (${formatRatio(first)} in the first trial)`,
            )
            .join(', '),
    ],
    [
      'Database blocks in memory',
      blocksHit === null
        ? null
        : `${formatRatio(blocksHit.first)} in the first trial, ${formatRatio(blocksHit.mean)} over all`,
    ],
  ];
  return found.flatMap(([fact, value]) => (value === null ? [] : [[fact, value] as [string, string]]));
}

function factTable(caption: string, rows: readonly (readonly [string, string])[]): Table {
  return {
    caption,
    columns: [left('Fact'), left('Value')],
    rows: rows.map(([fact, value]) => [{ text: fact }, { text: value }]),
  };
}
