import type { Caveat } from '../core/findings.ts';
import type { OfferedLoad } from '../core/load.ts';
import type { MetricId } from '../core/metrics.ts';
import type { ProbeSample, Trial, TrialRecord } from '../core/trial.ts';
import { mean } from '../statistics/sums.ts';
import { samplesInWindow } from './trial-window.ts';

/**
 * What made the figures of a trial worse than the system is, with its bound. Neither makes a trial invalid: a lag widens
 * the intervals of latencies, and CPU that others took makes figures pessimistic, so that they can meet a target but not
 * miss one.
 */
export interface Disturbance {
  readonly lag: InstrumentLag;
  /** CPU of the whole machine that others took in the window: 0..1 each, 0 where nobody can tell. */
  readonly machine: { readonly foreignRatio: number; readonly stolenRatio: number };
}

/**
 * How much of each latency may be the instrument's own. A measured latency is the true one and a lag of 0 or more. All but
 * a share `beyondRatio` of the requests have a lag of at most `lagS`. So for every x (Boole's inequality)
 *
 *   P(measured > x + lagS) <= P(true > x) + beyondRatio,
 *
 * and the true q-quantile lies between the measured (q - beyondRatio)-quantile less `lagS`, and the measured q-quantile.
 * Where requests queue first come first served, a request that arrives late delays no other by more than its own lag.
 */
export interface InstrumentLag {
  /** 0 where no part is more than `lagLimits` allows. */
  readonly lagS: number;
  readonly beyondRatio: number;
  /** 0 where a part is within its limit. `throttledS` is read lag too, so that the larger of both counts. */
  readonly parts: { readonly sendLagS: number; readonly readLagS: number; readonly throttledS: number };
}

/** Below these a lag does not widen intervals: figures are stated to be that exact at best (docs/statistics.md). */
const lagLimits = {
  /**
   * How late requests may be sent, and which share of the p95 that may be; but on a small virtual machine one in a hundred
   * is sent up to 2.5 ms late even if nothing else runs there. It is part of their latencies, which begin at the scheduled
   * start, and one in a hundred hardly moves a p95.
   */
  sendLagS: 0.005,
  sendLagShareOfP95: 0.1,
  sendLagOnIdleMachineS: 0.0025,
  /**
   * How late the generator may read answers, or which share of the p95 that may be, whichever is more. The lag is read from
   * a timer, which is 1 to 3 ms late (p99) on an idle machine.
   */
  readLagS: 0.005,
  readLagShareOfP95: 0.1,
  /** Share of the scheduling periods in which a CPU limit stopped the generator. */
  throttledPeriodsRatio: 0.01,
} as const;

/** Both lags of a trial are 99th percentiles. */
const BEYOND_P99_RATIO = 0.01;

/** Linux (`cpu.cfs_period_us`) unless somebody sets another; a stop ends with its period. */
const SCHEDULING_PERIOD_S = 0.1;

/** CPU that others took is tolerated up to here: the noise between two trials hides it. */
const machineLimits = { foreignRatio: 0.1, stolenRatio: 0.05 } as const;

export const undisturbed: Disturbance = {
  lag: { lagS: 0, beyondRatio: 0, parts: { sendLagS: 0, readLagS: 0, throttledS: 0 } },
  machine: { foreignRatio: 0, stolenRatio: 0 },
};

/** `p95S` as measured; null where the samples are too few for it. */
export function disturbanceOf(record: TrialRecord, p95S: number | null): Disturbance {
  const inWindow = samplesInWindow(record);
  const of = (metric: MetricId) => meanOf(inWindow, 'machine', metric);
  return {
    lag: instrumentLag(record.trial, inWindow, p95S),
    machine: {
      foreignRatio: foreignCpuRatio(inWindow, of('machine-utilization'), of('interrupts'), of('cores')) ?? 0,
      stolenRatio: of('steal') ?? 0,
    },
  };
}

function instrumentLag({ generator }: Trial, samples: readonly ProbeSample[], p95S: number | null): InstrumentLag {
  const { sendLagP99S, eventLoopLagP99S } = generator;
  const parts = {
    sendLagS: beyond(sendLagP99S, sendLagLimitS(p95S)),
    readLagS: beyond(eventLoopLagP99S, Math.max(lagLimits.readLagS, lagLimits.readLagShareOfP95 * (p95S ?? 0))),
    throttledS: longestStopS(samples),
  };
  const counted = [parts.sendLagS, Math.max(parts.readLagS, parts.throttledS)].filter((lagS) => lagS > 0);
  return {
    lagS: counted.reduce((sum, lagS) => sum + lagS, 0),
    beyondRatio: counted.length * BEYOND_P99_RATIO,
    parts,
  };
}

/** 0 within the limit. */
function beyond(value: number | null, limit: number): number {
  return value !== null && value > limit ? value : 0;
}

function sendLagLimitS(p95S: number | null): number {
  const { sendLagS, sendLagShareOfP95, sendLagOnIdleMachineS } = lagLimits;
  if (p95S === null) return sendLagS;
  return Math.min(sendLagS, Math.max(sendLagOnIdleMachineS, sendLagShareOfP95 * p95S));
}

/**
 * How long a CPU limit stopped the generator at a time: the mean of the stops of the worst second, at most a period. Threads
 * that are stopped together count each for itself, so that it is rather more than less.
 */
function longestStopS(samples: readonly ProbeSample[]): number {
  const stops = samples.filter(({ source, metric }) => source === 'generator' && metric === 'throttled');
  if (stops.length === 0 || mean(stops.map(({ value }) => value)) <= lagLimits.throttledPeriodsRatio) return 0;
  const timeAt = (atS: number) =>
    samples.find((each) => each.source === 'generator' && each.metric === 'throttled-time' && each.atS === atS)?.value;
  const lengthsS = stops
    .filter(({ value }) => value > 0)
    .map(({ atS, value }) => {
      const time = timeAt(atS);
      return time === undefined ? SCHEDULING_PERIOD_S : (time * SCHEDULING_PERIOD_S) / value;
    });
  return Math.min(SCHEDULING_PERIOD_S, Math.max(...lengthsS));
}

/** Null where the processes of the system are not seen, so that nobody can tell whose CPU it was. */
function foreignCpuRatio(
  samples: readonly ProbeSample[],
  utilization: number | null,
  interrupts: number | null,
  cores: number | null,
): number | null {
  const sources = new Set(samples.filter(({ metric }) => metric === 'cpu-cores').map(({ source }) => source));
  if (utilization === null || cores === null || !sources.has('generator') || sources.size < 2) return null;
  const own = [...sources].reduce((sum, source) => sum + (meanOf(samples, source, 'cpu-cores') ?? 0), 0);
  return Math.max(0, utilization - (interrupts ?? 0) - own / cores);
}

function meanOf(samples: readonly ProbeSample[], source: string, metric: MetricId): number | null {
  const values = samples.filter((sample) => sample.source === source && sample.metric === metric);
  return values.length === 0 ? null : mean(values.map(({ value }) => value));
}

export function disturbanceCaveats({ lag: { lagS, parts }, machine }: Disturbance): readonly Caveat[] {
  const beyondLimit = (share: keyof typeof machineLimits) => beyond(machine[share], machineLimits[share]);
  const [foreignRatio, stolenRatio] = [beyondLimit('foreignRatio'), beyondLimit('stolenRatio')];
  return [
    ...(lagS > 0 ? [{ code: 'instrument-lag', lagS, ...parts } as const] : []),
    ...(foreignRatio + stolenRatio > 0 ? [{ code: 'machine-shared', foreignRatio, stolenRatio } as const] : []),
  ];
}

/** Why the system may have fewer failures and shorter latencies than the trial has: the bound has one side. Null: it may not. */
export function whyPessimistic(disturbance: Disturbance): Caveat | null {
  return disturbanceCaveats(disturbance).find(({ code }) => code === 'machine-shared') ?? null;
}

/** The same of throughput, which a lag makes lower too where users wait for answers. */
export function whyThroughputPessimistic(trial: {
  readonly disturbance: Disturbance;
  readonly summary: { readonly load: OfferedLoad };
}): Caveat | null {
  const { disturbance, summary } = trial;
  const shared = whyPessimistic(disturbance);
  return shared ?? (summary.load.model === 'closed' ? (disturbanceCaveats(disturbance)[0] ?? null) : null);
}

/** Whether two trials lost so unequal shares of the machine to others that a change between them may be theirs. */
export function areUnequallyDisturbed(one: Disturbance, other: Disturbance): boolean {
  const differsBy = (share: keyof typeof machineLimits) => Math.abs(one.machine[share] - other.machine[share]);
  return differsBy('foreignRatio') > machineLimits.foreignRatio || differsBy('stolenRatio') > machineLimits.stolenRatio;
}
