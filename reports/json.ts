import type { OfferedLoad } from '../harness/core/load.ts';
import { formatBound } from '../harness/core/units.ts';
import type { TierChange, TierRow } from '../harness/judging/compare-tiers.ts';
import type { RecoveryPhase } from '../harness/judging/recovery.ts';
import type { JudgedTarget, SummarizedTrial } from '../harness/judging/summary.ts';
import type { Analysis, ComparisonAnalysis } from './analysis.ts';
import type { FaultAnalysis } from './faults.ts';
import { verdictReasons } from './figures.ts';
import type { Report } from './json-schema.ts';

export function renderJson(analysis: Analysis): string {
  return `${JSON.stringify(report(analysis), null, 2)}\n`;
}

function report({ facts, status, incomplete, tiers, comparison }: Analysis): Report {
  const { machine, settings, tierbench } = facts;
  return {
    schemaVersion: 1,
    run: {
      id: facts.runId,
      startedAt: facts.startedAt,
      endedAt: status.state === 'running' ? null : status.endedAt,
      state: status.state,
      incomplete,
    },
    tierbench: { version: tierbench.version, commit: tierbench.commit },
    // Named one by one: the order of the keys is the order here, whatever order a file had them in.
    machine: {
      cpuModel: machine.cpuModel,
      cpus: machine.cpus,
      memoryBytes: machine.memoryBytes,
      operatingSystem: machine.operatingSystem,
      kernel: machine.kernel,
      node: machine.node,
      limits: { cpus: machine.limits.cpus ?? null, memoryBytes: machine.limits.memoryBytes ?? null },
      container: machine.container,
    },
    settings: {
      quick: settings.quick,
      engine: settings.engine,
      provider: settings.provider,
      scenarios: [...settings.scenarios],
      seed: settings.seed,
      durationS: settings.durationS,
      warmUpS: settings.warmUpS,
      timeoutS: settings.timeoutS,
      coolDownS: settings.coolDownS,
      arrivalRatesPerS: settings.arrivalRatesPerS === null ? null : [...settings.arrivalRatesPerS],
      arrivals: settings.arrivals,
      concurrencies: settings.concurrencies === null ? null : [...settings.concurrencies],
      workers: settings.workers,
      skipThinkTimes: settings.skipThinkTimes,
      scaleModelFactor: settings.scaleModelFactor,
      faults: settings.faults.map(({ kind, service }) => ({ kind, service })),
    },
    placement:
      facts.placement === null
        ? null
        : { generatorCpus: [...facts.placement.generatorCpus], systemCpus: [...facts.placement.systemCpus] },
    comparison: comparison === null ? null : comparedTiers(comparison),
    tiers: tiers.map((tier) => ({
      name: tier.name,
      title: tier.title,
      provider: tier.facts?.provider ?? null,
      instances: (tier.facts?.services ?? []).flatMap(({ instances }) =>
        instances.map(({ name, limits }) => ({
          name,
          limits: { cpus: limits?.cpus ?? null, memoryBytes: limits?.memoryBytes ?? null },
        })),
      ),
      endedEarly: tier.facts?.endedEarly ?? null,
      faults: tier.faults.map(madeFault),
      notRun: [...(tier.facts?.notRun ?? [])],
      targets: tier.targets.map(judgedTarget),
      scenarios: tier.scenarios.map(({ name, trials }) => ({ name, trials: trials.map(trial) })),
      busiest: [...tier.busiest],
      notes: [...tier.notes],
    })),
  };
}

function comparedTiers({ comparison, inWords }: ComparisonAnalysis): NonNullable<Report['comparison']> {
  return {
    inWords,
    comparisons: comparison.comparisons,
    scenarios: comparison.scenarios.map(({ scenario, loads }) => ({
      name: scenario,
      loads: loads.map(({ load, rows }) => ({ load: offeredLoad(load), tiers: rows.map(comparedTier) })),
    })),
  };
}

type ComparedTier = NonNullable<Report['comparison']>['scenarios'][number]['loads'][number]['tiers'][number];

function comparedTier({ tier, before, why, trial, throughput, p95 }: TierRow): ComparedTier {
  return {
    tier,
    before,
    notMeasured: why,
    sequence: trial?.summary.sequence ?? null,
    throughputChange: reportedChange(throughput),
    p95Change: reportedChange(p95),
  };
}

function reportedChange(change: TierChange | null): ComparedTier['p95Change'] {
  if (change === null) return null;
  if (change.kind === 'unknown') return { kind: 'unknown', why: change.why };
  return { kind: change.kind === 'changed' ? 'changed' : 'no-change-beyond-noise', ratio: change.ratio };
}

function madeFault({ sequence, scenario, load, recovery }: FaultAnalysis): ReportTier['faults'][number] {
  const { fault, before, during, after } = recovery;
  const phase = (each: RecoveryPhase) => ({ ...each, failures: { ...each.failures } });
  return {
    sequence,
    scenario,
    load,
    kind: fault.kind,
    instance: fault.instance,
    atS: fault.atS,
    undoneAtS: fault.undoneAtS,
    before: phase(before),
    during: phase(during),
    after: after === null ? null : phase(after),
    firstFailureWithinS: recovery.firstFailureWithinS,
    servedAgainDuringS: recovery.servedAgainDuringS,
    recoveredAfterS: recovery.recoveredAfterS,
  };
}

function offeredLoad(load: OfferedLoad): ReportTier['scenarios'][number]['trials'][number]['load'] {
  return load.model === 'closed'
    ? { model: 'closed', concurrency: load.concurrency }
    : { model: 'open', arrivalRatePerS: load.arrivalRatePerS, arrivals: load.arrivals };
}

type ReportTier = Report['tiers'][number];

function judgedTarget({ target, scenario, verdict, value, evidence }: JudgedTarget): ReportTier['targets'][number] {
  return {
    id: target.id,
    title: target.title,
    limit: formatBound(target),
    comparison: target.comparison,
    bound: typeof target.value === 'number' ? target.value : [target.value[0], target.value[1]],
    unit: target.unit,
    metric: target.judged.by === 'measured' ? target.judged.metric : null,
    source: { document: target.source.document, section: target.source.section },
    scenario,
    verdict: verdict.kind,
    reasons: [...verdictReasons(verdict)],
    value,
    evidence,
  };
}

function trial({ measured, summary }: SummarizedTrial): ReportTier['scenarios'][number]['trials'][number] {
  return {
    sequence: summary.sequence,
    load: offeredLoad(summary.load),
    measuredS: measured.trial.measuredS,
    throughputPerS: summary.throughputPerS,
    iterationsPerS: summary.iterationsPerS,
    errorRatio: summary.errorRatio,
    latency: summary.latency,
    sound: summary.soundness.kind === 'sound',
    reasons: summary.soundness.kind === 'sound' ? [] : [...summary.soundness.reasons],
    steps: [...summary.steps],
  };
}
