import type { GateMetric } from '../core/gate.ts';
import { MOST_NOISE, type PairedChange } from '../models/paired-change.ts';
import { sum } from '../statistics/sums.ts';
import type { JudgedTrial } from './judged-trial.ts';
import { meansInWindow, requestsIn, serviceOf, succeededIn } from './trial-window.ts';

/** What one trial of a pair measured of a metric: above 0, and the more the worse. */
export interface MetricValue {
  readonly metric: GateMetric;
  /** What the ratio is taken of. */
  readonly cost: number;
  /** For people: as the metric is usually read. */
  readonly value: number;
}

/** Each with the least number of samples that a quantile is read from: fewer have no 95 % interval for it. */
const quantiles = [
  [0.5, 6],
  [0.95, 72],
  [0.99, 368],
] as const;

/** Nothing of the rest voids a pair: what disturbs the machine disturbs both of it, and shows as noise between pairs. */
const voiding = new Set(['stopped', 'service-crashed', 'generator-out-of-resources', 'never-answered']);

/** Undefined where nothing of the trial can be used. */
export function pairedMetrics(trial: JudgedTrial): readonly MetricValue[] | undefined {
  const { validity, record, requests } = trial;
  const isVoid = validity.kind === 'invalid' && validity.reasons.some(({ code }) => voiding.has(code));
  const answered = requestsIn(record.trial.steps);
  if (isVoid || answered === 0) return undefined;
  const throughputPerS = succeededIn(record.trial) / record.trial.measuredS;
  return [
    ...latencies(trial),
    ...cpuOfServices(trial, answered / record.trial.measuredS),
    ...(throughputPerS === 0
      ? []
      : [{ metric: { kind: 'throughput' } as const, cost: 1 / throughputPerS, value: throughputPerS }]),
    {
      metric: { kind: 'errors' },
      // Half a request more of each kind, so that none has a ratio too.
      cost: (requests.failed + 0.5) / (requests.all + 1),
      value: requests.all === 0 ? 0 : requests.failed / requests.all,
    },
  ];
}

function latencies({ answers }: JudgedTrial): readonly MetricValue[] {
  return [answers.all, ...answers.steps].flatMap(({ step, latency: { histogram } }) =>
    quantiles.flatMap(([quantile, fewest]) => {
      if (histogram.count < fewest) return [];
      const valueS = histogram.quantileS(quantile);
      return valueS > 0 ? [{ metric: { kind: 'latency', step, quantile } as const, cost: valueS, value: valueS }] : [];
    }),
  );
}

function cpuOfServices({ record }: JudgedTrial, requestsPerS: number): readonly MetricValue[] {
  const cores = meansInWindow(record).filter(({ metric, source }) => metric === 'cpu-cores' && source !== 'generator');
  const services = Map.groupBy(cores, ({ source }) => serviceOf(source));
  const values = [...services].map(([service, own]) => ({
    service,
    cpuS: sum(own.map((each) => each.mean)) / requestsPerS,
  }));
  const all = { service: null, cpuS: sum(values.map(({ cpuS }) => cpuS)) };
  return (values.length > 1 ? [all, ...values] : values).flatMap(({ service, cpuS }) =>
    cpuS > 0 ? [{ metric: { kind: 'cpu', service } as const, cost: cpuS, value: cpuS }] : [],
  );
}

/** Which metric is the quietest: the CPU of all services together where it was read, else p95 of all requests. */
export function quietestFirst(metrics: readonly GateMetric[]): readonly GateMetric[] {
  const place = (metric: GateMetric) =>
    metric.kind === 'cpu' ? (metric.service === null ? 0 : 1) : isP95OfAll(metric) ? 2 : 3;
  return metrics.toSorted((one, other) => place(one) - place(other));
}

/** What may show that nothing is slower. */
export function isEvidence(metric: GateMetric): boolean {
  return metric.kind === 'cpu' || isP95OfAll(metric);
}

function isP95OfAll(metric: GateMetric): boolean {
  return metric.kind === 'latency' && metric.step === null && metric.quantile === 0.95;
}

export interface JudgedMetric extends PairedChange {
  readonly metric: GateMetric;
}

/**
 * Slower when anything is. Not slower when the CPU is not, nor p95 and throughput of all steps together; a single step may
 * stay undecided while it is no suspect, and so may what is too noisy where the CPU of all services was read. Throughput alone decides nothing: at
 * a rate that both sustain it is the same.
 */
export function gateVerdict(metrics: readonly JudgedMetric[]): 'slower' | 'not-slower' | 'cannot-tell' {
  if (metrics.some(({ kind }) => kind === 'slower')) return 'slower';
  const [quietest, ...others] = metrics.filter(({ metric }) => isEvidence(metric));
  if (quietest === undefined) return 'cannot-tell';
  const throughput = metrics.filter(({ metric }) => metric.kind === 'throughput');
  const evidence = [quietest, ...others.filter(({ noise }) => noise <= MOST_NOISE), ...throughput];
  const isSuspect = metrics.some((each) => each.isSuspect);
  return !isSuspect && evidence.every(({ kind }) => kind === 'not-slower') ? 'not-slower' : 'cannot-tell';
}
