import { loadLevel, type OfferedLoad } from '../harness/core/load.ts';
import { formatBound } from '../harness/core/units.ts';
import type { TierChange, TierRow } from '../harness/judging/compare-tiers.ts';
import type { JudgedTarget, JudgedTrial } from '../harness/judging/judged-trial.ts';
import type { LatencyView, LatencyViews } from '../harness/judging/latency-views.ts';
import type { RecoveryPhase } from '../harness/judging/recovery.ts';
import type { SustainedRate } from '../harness/judging/sustained-rate.ts';
import type { Analysis, ComparisonAnalysis } from './analysis.ts';
import { describeObstacle } from './describe/notes.ts';
import { describeCaveat, describeReason } from './describe/reasons.ts';
import { withAdvice } from './describe/remedies.ts';
import { describeWhyNot } from './describe/verdicts.ts';
import type { FaultAnalysis } from './faults.ts';
import { evidenceText, verdictReasons } from './figures.ts';
import type { Report } from './json-schema.ts';
import { workOf } from './work.ts';

export function renderJson(analysis: Analysis): string {
  return `${JSON.stringify(report(analysis), null, 2)}\n`;
}

function report({ question, facts, status, incomplete, tiers, comparison }: Analysis): Report {
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
      quick: question.quick,
      engine: settings.engine,
      provider: settings.provider,
      scenarios: [...question.scenarios],
      seed: settings.seed,
      durationS: question.durationS,
      warmUpS: question.warmUpS,
      timeoutS: question.timeoutS,
      coolDownS: settings.coolDownS,
      arrivalRatesPerS: question.arrivalRatesPerS === null ? null : [...question.arrivalRatesPerS],
      arrivals: question.arrivals,
      concurrencies: question.concurrencies === null ? null : [...question.concurrencies],
      workers: settings.workers,
      skipThinkTimes: settings.skipThinkTimes,
      scaleModelFactor: settings.scaleModelFactor,
      faults: question.faults.map(({ kind, service }) => ({ kind, service })),
    },
    calibration:
      facts.calibration === null
        ? null
        : {
            ceilingPerS: facts.calibration.ceilingPerS,
            ceilingConcurrency: facts.calibration.ceilingConcurrency,
            ceilingIsAtLeast: facts.calibration.ceilingIsAtLeast,
            floorP50S: facts.calibration.floorP50S,
            floorP95S: facts.calibration.floorP95S,
            floorRatePerS: facts.calibration.floorRatePerS,
            sendLagP99S: facts.calibration.sendLagP99S,
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
      notRun: (tier.facts?.notRun ?? []).map(describeObstacle),
      targets: tier.targets.map(judgedTarget),
      scenarios: tier.scenarios.map(({ name, sustained, trials }) => ({
        name,
        carried: sustained.map(carriedRate),
        trials: trials.map(trial),
      })),
      notMeasured: tier.notMeasured.map(({ scenario, load }) => ({ scenario, load: offeredLoad(load) })),
      viewsInWords: tier.views?.inWords ?? null,
      busiest: [...tier.busiest],
      notes: [...tier.notes],
    })),
  };
}

function comparedTiers({ comparison, inWords }: ComparisonAnalysis): NonNullable<Report['comparison']> {
  return {
    inWords,
    comparisons: comparison.comparisons,
    scenarios: comparison.scenarios.map(({ scenario, loads, unpaired }) => ({
      name: scenario,
      loads: loads.map(({ load, rows }) => ({ load: offeredLoad(load), tiers: rows.map(comparedTier) })),
      alone: unpaired.map(({ tier, loads: own }) => ({ tier, loads: own.map(offeredLoad) })),
    })),
  };
}

type ComparedTier = NonNullable<Report['comparison']>['scenarios'][number]['loads'][number]['tiers'][number];

function comparedTier({ tier, before, why, trial, throughput, p95 }: TierRow): ComparedTier {
  return {
    tier,
    before,
    notMeasured: why === null ? null : describeWhyNot(why),
    sequence: trial?.summary.sequence ?? null,
    throughputChange: reportedChange(throughput),
    p95Change: reportedChange(p95),
  };
}

function reportedChange(change: TierChange | null): ComparedTier['p95Change'] {
  if (change === null) return null;
  if (change.kind === 'unknown') return { kind: 'unknown', why: `${change.tier}: ${describeWhyNot(change.why)}` };
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
    : {
        model: 'open',
        arrivalRatePerS: load.arrivalRatePerS,
        arrivals: load.arrivals,
        changes: (load.changes ?? []).map(({ atS, overS, toRatePerS }) => ({ atS, overS, toRatePerS })),
      };
}

function carriedRate({
  target,
  trial: highest,
  next,
}: SustainedRate): ReportTier['scenarios'][number]['carried'][number] {
  return {
    target: target?.id ?? null,
    arrivalRatePerS: highest === null ? null : loadLevel(highest.summary.load),
    sequence: highest?.summary.sequence ?? null,
    next:
      next === null
        ? null
        : {
            arrivalRatePerS: loadLevel(next.trial.summary.load),
            sequence: next.trial.summary.sequence,
            why: next.why,
          },
  };
}

type ReportTrial = ReportTier['scenarios'][number]['trials'][number];

function reportedViews({ scheduled, sent, closedLoop }: LatencyViews): ReportTrial['views'] {
  return {
    due: reportedView(scheduled),
    sent: sent === null ? null : reportedView(sent),
    waiting: closedLoop === null ? null : reportedView(closedLoop),
  };
}

function reportedView({ count, p50S, p95S, p99S, longestS }: LatencyView): NonNullable<ReportTrial['views']>['due'] {
  const figure = (latencyS: number | null) => (latencyS === Number.POSITIVE_INFINITY ? 'never' : latencyS);
  return { count, p50S: figure(p50S), p95S: figure(p95S), p99S: figure(p99S), longestS: figure(longestS) };
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
    reasons: [...verdictReasons(verdict, target)],
    value,
    evidence: evidenceText(evidence),
  };
}

function trial({ record, summary, validity, caveats, views }: JudgedTrial): ReportTrial {
  const { intended, completed, failed, dropped } = record.trial.iterations;
  return {
    sequence: summary.sequence,
    load: offeredLoad(summary.load),
    measuredS: record.trial.measuredS,
    iterations: { intended, completed, failed, dropped },
    failures: Object.fromEntries(workOf(record.trial).failures),
    throughputPerS: summary.throughputPerS,
    iterationsPerS: summary.iterationsPerS,
    errorRatio: summary.errorRatio,
    latency: summary.latency,
    sound: validity.kind === 'valid',
    reasons: validity.kind === 'valid' ? [] : validity.reasons.map((reason) => withAdvice(describeReason, reason)),
    caveats: caveats.map(describeCaveat),
    views: views === null ? null : reportedViews(views),
    repeatWith: record.trial.repeatWith ?? null,
    steps: [...summary.steps],
  };
}
