import { formatBound } from '../harness/core/units.ts';
import type { JudgedTarget, SummarizedTrial } from '../harness/judging/summary.ts';
import type { Analysis } from './analysis.ts';
import { verdictReasons } from './figures.ts';
import type { Report } from './json-schema.ts';

export function renderJson(analysis: Analysis): string {
  return `${JSON.stringify(report(analysis), null, 2)}\n`;
}

function report({ facts, status, incomplete, tiers }: Analysis): Report {
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
      ladder: [...settings.ladder],
      skipThinkTimes: settings.skipThinkTimes,
    },
    tiers: tiers.map((tier) => ({
      name: tier.name,
      title: tier.title,
      notRun: [...(tier.facts?.notRun ?? [])],
      targets: tier.targets.map(judgedTarget),
      scenarios: tier.scenarios.map(({ name, trials }) => ({ name, trials: trials.map(trial) })),
      busiest: [...tier.busiest],
      notes: [...tier.notes],
    })),
  };
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
    load:
      summary.load.model === 'closed'
        ? { model: 'closed', concurrency: summary.load.concurrency }
        : { model: 'open', arrivalRatePerS: summary.load.arrivalRatePerS, arrivals: summary.load.arrivals },
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
