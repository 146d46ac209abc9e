import type { MetricId } from '../../harness/core/metrics.ts';
import type { RunQuestion } from '../../harness/core/run.ts';
import type { StudyFacts, SubjectFacts } from '../../harness/core/study-record.ts';
import type { TrialRecord } from '../../harness/core/trial.ts';
import {
  formatBytes,
  formatNumber,
  formatQuantity,
  formatRate,
  formatRatio,
  formatSeconds,
} from '../../harness/core/units.ts';
import { samplesInWindow } from '../../harness/judging/trial-window.ts';
import { mean, sum } from '../../harness/statistics/sums.ts';
import { type Analysis, type TierAnalysis, wasRun } from '../analysis.ts';
import { cacheKinds } from '../charts/time-charts.ts';
import { describeLacks } from '../describe/notes.ts';
import { describeAmounts } from '../describe/verdicts.ts';
import type { Fact } from '../document.ts';
import { dateTime } from '../figures.ts';
import { list, plural } from '../text.ts';

/** What a reader must know to believe the run, or to repeat it. */
export function factsOfRun({ question, facts, status }: Analysis): readonly Fact[] {
  const { machine, settings, tierbench, placement } = facts;
  const ended = status.state === 'running' ? 'not known' : dateTime(status.endedAt);
  const commit = tierbench.commit === null ? '' : `, commit ${tierbench.commit.slice(0, 12)}`;
  return known([
    ['Run', facts.runId],
    ['Started', dateTime(facts.startedAt)],
    ['Ended', `${ended} (${status.state})`],
    ['tierbench', `${tierbench.version}${commit}`],
    ['CPU', `${machine.cpuModel}, ${plural(machine.cpus, 'core')}${limited(machine.limits.cpus, formatNumber)}`],
    ['Memory', `${formatBytes(machine.memoryBytes)}${limited(machine.limits.memoryBytes, formatBytes)}`],
    ['Container', machine.container ?? 'none'],
    ['Operating system', `${machine.operatingSystem}, ${machine.kernel}`],
    ['Not available here', describeLacks(machine.lacks)],
    ['Node.js', machine.node],
    ['Load engine and provider', `${settings.engine}, ${settings.provider}`],
    ['Scenarios', question.scenarios.join(', ')],
    ['Iterations of mixed', describeMix(settings.mix)],
    ['Arrival rates', arrivalRates(question)],
    ['Concurrency', question.concurrencies?.join(', ') ?? 'as in the targets'],
    [
      'Each trial',
      `${formatSeconds(question.warmUpS)} of warm-up, ${formatSeconds(question.durationS)} measured, ${formatSeconds(settings.coolDownS)} of rest${question.quick ? ' (quick run)' : ''}`,
    ],
    ['Timeout', formatSeconds(question.timeoutS)],
    [
      'Placement',
      placement === null
        ? 'generator and system share all CPUs'
        : `generator on ${cpuList(placement.generatorCpus)}, system on ${cpuList(placement.systemCpus)}`,
    ],
    ['Generator', plural(settings.workers, 'thread')],
    ...calibrationFacts(facts),
    ['Think times', settings.skipThinkTimes ? 'skipped' : 'kept'],
    ['Seed', String(settings.seed)],
  ]);
}

/** `browse 80 %, crud 15 %, login 5 %`; empty where `mixed` was not asked for. */
export function describeMix(mix: StudyFacts['settings']['mix'] = {}): string {
  const total = sum(Object.values(mix));
  return Object.entries(mix)
    .filter(([, weight]) => weight > 0)
    .map(([part, weight]) => `${part} ${formatRatio(weight / total)}`)
    .join(', ');
}

function known(facts: readonly Fact[]): readonly Fact[] {
  return facts.filter(([, value]) => value !== '');
}

function arrivalRates({ arrivalRatesPerS, arrivals }: RunQuestion): string {
  if (arrivalRatesPerS?.length === 0) return '';
  const rates = arrivalRatesPerS?.map(formatRate).join(', ') ?? 'found by a pilot trial, with those of the targets';
  return `${rates} (${arrivals === 'poisson' ? 'Poisson' : arrivals} arrivals)`;
}

/** What the generator itself can do: figures near to it are figures of the generator. */
function calibrationFacts({ calibration }: StudyFacts): readonly Fact[] {
  if (calibration === null) return [['Calibration', 'not made']];
  const { ceilingPerS, ceilingConcurrency, ceilingIsAtLeast, floorP50S, floorP95S, floorRatePerS, sendLagP99S } =
    calibration;
  const floor = floorRatePerS === null ? 'with one virtual user' : `at ${formatRate(floorRatePerS)}`;
  return [
    [
      'Calibration: highest rate',
      `${ceilingIsAtLeast ? 'at least ' : ''}${formatRate(ceilingPerS)} with ${plural(ceilingConcurrency, 'virtual user')}, to an echo`,
    ],
    [
      'Calibration: lowest latency',
      `p50 ${formatSeconds(floorP50S)}, p95 ${formatSeconds(floorP95S)} ${floor}, of an echo`,
    ],
    ['Calibration: send lag', sendLagP99S === null ? '' : `p99 ${formatSeconds(sendLagP99S)} ${floor}`],
  ];
}

/** `CPU 0`, `CPUs 1, 2 and 3` */
function cpuList(cpus: readonly number[]): string {
  return `CPU${cpus.length === 1 ? '' : 's'} ${list(cpus.map(String))}`;
}

function limited(limit: number | undefined, format: (value: number) => string): string {
  return limit === undefined ? '' : `, of which this run may use ${format(limit)}`;
}

/** The tier as it was deployed, and the conditions under which it was measured. */
export function factsOfTier(tier: TierAnalysis, facts: SubjectFacts): readonly Fact[] {
  const { data } = facts;
  const ran = wasRun(facts);
  return known([
    ['Description', facts.tier.description],
    ['Started by', ran ? `${facts.provider}, in ${formatSeconds(facts.startS)}` : ''],
    [
      'Data',
      data === null
        ? ran
          ? 'not created by this run'
          : ''
        : `${describeAmounts(data.amounts)}, in ${formatSeconds(facts.prepareDataS)}`,
    ],
    ['Warm-up', ran ? warmUps(tier.records) : ''],
    ...conditionFacts(tier),
    ...facts.services.map((service): Fact => [`Service ${service.name}`, serviceText(service)]),
    ...facts.tier.services.map(({ name, settings }): Fact => [`Settings of ${name}`, settingsText(settings)]),
    ['Described in', facts.tier.documents.map(({ document, section }) => `${document}, ${section}`).join('; ')],
  ]);
}

function settingsText(settings: Readonly<Record<string, unknown>>): string {
  return Object.entries(settings)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([option, value]) => `${option}=${value}`)
    .join(', ');
}

/** `login 10 s, crud 5 s` */
function warmUps(records: readonly TrialRecord[]): string {
  const windows = records.filter(({ purpose }) => purpose === 'warm-up');
  return [...Map.groupBy(windows, ({ trial }) => trial.plan.scenario)]
    .map(([scenario, own]) => `${scenario} ${formatSeconds(own.reduce((sum, { trial }) => sum + trial.measuredS, 0))}`)
    .join(', ');
}

/** `2 instances, Node.js v24.9.0, limited to 1 cpu and 512 MiB each` */
function serviceText({ instances, version }: SubjectFacts['services'][number]): string {
  const limits = new Set(instances.map((instance) => limitsText(instance.limits)));
  const [first = ''] = limits;
  const text =
    limits.size > 1
      ? instances.map(({ name, limits: own }) => `${name} ${limitsText(own) || 'without an enforced limit'}`).join(', ')
      : first === ''
        ? 'no limit enforced'
        : `${first}${instances.length > 1 ? ' each' : ''}`;
  return [plural(instances.length, 'instance'), ...(version === undefined ? [] : [version]), text].join(', ');
}

function limitsText(limits: { readonly cpus?: number; readonly memoryBytes?: number } = {}): string {
  const limit = [
    ...(limits.cpus === undefined ? [] : [formatQuantity(limits.cpus, 'cpus')]),
    ...(limits.memoryBytes === undefined ? [] : [formatBytes(limits.memoryBytes)]),
  ];
  return limit.length === 0 ? '' : `limited to ${list(limit)}`;
}

/** Means over the measured trials of the tier. What no probe read is left out. */
function conditionFacts({ scenarios }: TierAnalysis): readonly Fact[] {
  const records = scenarios
    .flatMap(({ trials }) => trials.map(({ record }) => record))
    .toSorted((one, other) => one.sequence - other.sequence);
  const steals = records.flatMap((record) => meanOf(record, 'machine', 'steal') ?? []);
  const sources = new Set(
    records.flatMap(({ samples }) => samples).flatMap((each) => (each.metric === 'throttled' ? [each.source] : [])),
  );
  const throttled = [...sources]
    .map((source) => ({ source, mean: mean(records.flatMap((record) => meanOf(record, source, 'throttled') ?? [])) }))
    .filter((each) => each.mean > 0)
    .toSorted((one, other) => other.mean - one.mean);
  const inFirst = (share: Share) => `${formatRatio(share.mean)} (${formatRatio(share.first)} in the first trial)`;
  const blocks = shareOver(records, 'blocks-hit', 'blocks-read');
  return [
    [
      'CPU taken by the host (steal)',
      steals.length === 0 ? '' : `${formatRatio(mean(steals))}, at most ${formatRatio(Math.max(...steals))}`,
    ],
    [
      'Throttled by a CPU limit',
      throttled.map(({ source, mean: ratio }) => `${source} in ${formatRatio(ratio)} of the periods`).join(', '),
    ],
    ...cacheKinds.map(({ hits, misses, what }): Fact => {
      const share = shareOver(records, hits, misses);
      return [`Found in cache: ${what}`, share === null ? '' : inFirst(share)];
    }),
    ['Database blocks in memory', blocks === null ? '' : inFirst(blocks)],
  ];
}

/** `first`: in the trial that was measured first, which shows how warm a cache was then. */
interface Share {
  readonly first: number;
  readonly mean: number;
}

function shareOver(records: readonly TrialRecord[], part: MetricId, rest: MetricId): Share | null {
  const counts = records
    .map((record) => ({ found: totalOf(record, part), missed: totalOf(record, rest) }))
    .filter(({ found, missed }) => found + missed > 0);
  const [first] = counts;
  if (first === undefined) return null;
  const found = counts.reduce((sum, each) => sum + each.found, 0);
  const missed = counts.reduce((sum, each) => sum + each.missed, 0);
  return { first: first.found / (first.found + first.missed), mean: found / (found + missed) };
}

function totalOf(record: TrialRecord, metric: MetricId): number {
  return samplesInWindow(record).reduce((sum, sample) => sum + (sample.metric === metric ? sample.value : 0), 0);
}

function meanOf(record: TrialRecord, source: string, metric: MetricId): number | null {
  const own = samplesInWindow(record).filter((sample) => sample.source === source && sample.metric === metric);
  return own.length === 0 ? null : mean(own.map(({ value }) => value));
}
