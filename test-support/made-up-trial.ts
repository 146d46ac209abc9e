import type { Note } from '../harness/core/findings.ts';
import type { OfferedLoad } from '../harness/core/load.ts';
import type { RunQuestion, RunResult } from '../harness/core/run.ts';
import type { StudySettings, SubjectFacts } from '../harness/core/study-record.ts';
import type { Target } from '../harness/core/target.ts';
import type { Tier } from '../harness/core/tier.ts';
import {
  type GeneratorHealth,
  type Interval,
  noOutcomes,
  type ProbeSample,
  type StepResult,
  type TrialRecord,
} from '../harness/core/trial.ts';
import { LatencyHistogram } from '../harness/histograms/latency-histogram.ts';

/** A trial whose numbers a test chooses. Nothing in it was measured. */
export interface MadeUpTrial {
  readonly concurrency?: number;
  readonly load?: OfferedLoad;
  readonly scenario?: string;
  readonly purpose?: TrialRecord['purpose'];
  /** Seconds that were measured; the last one may be a part of a second. */
  readonly measuredS?: number;
  /** Successful requests in each second, or in the second of that number. */
  readonly okPerS?: number | ((second: number) => number);
  readonly failedPerS?: number;
  /** How they failed; answered with status 500 unless said otherwise. */
  readonly failedAs?: 'timeout' | 'http-error' | 'generator-limit';
  readonly droppedPerS?: number;
  /** Latency of the request of that number within its second. */
  readonly latencyS?: number | ((request: number, second: number) => number);
  /** The same from the actual start, where the engine is one that tells the two apart. */
  readonly serviceTimeS?: number | ((request: number, second: number) => number);
  /** What a closed-loop load of ten users would have measured. */
  readonly coordinatedS?: readonly number[];
  readonly repeatWith?: string;
  readonly steps?: readonly string[];
  readonly stopped?: boolean;
  /** Time in flight of each request that was in flight at the end. */
  readonly unfinishedS?: readonly number[];
  readonly generator?: Partial<GeneratorHealth>;
  readonly notes?: readonly Note[];
  readonly samples?: readonly ProbeSample[];
  readonly sequence?: number;
}

export function madeUpTrial(choice: MadeUpTrial = {}): TrialRecord {
  const { measuredS = 10, latencyS = 0.02, steps = ['read task'], droppedPerS = 0, failedPerS = 0 } = choice;
  const okIn = typeof choice.okPerS === 'function' ? choice.okPerS : () => (choice.okPerS as number | undefined) ?? 100;
  const latencyOf = typeof latencyS === 'function' ? latencyS : () => latencyS;
  const { serviceTimeS } = choice;
  const serviceTimeOf = typeof serviceTimeS === 'function' ? serviceTimeS : () => serviceTimeS;
  const load = choice.load ?? { model: 'closed', concurrency: choice.concurrency ?? 10 };
  const totals = steps.map(() => ({
    latency: LatencyHistogram.empty(),
    serviceTime: LatencyHistogram.empty(),
    failed: 0,
  }));
  const intervals = Array.from({ length: Math.ceil(measuredS) }, (_, second): Interval => {
    const parts = steps.map(() => ({ latency: LatencyHistogram.empty(), failed: 0 }));
    for (let request = 0; request < okIn(second); request += 1) {
      const index = request % steps.length;
      for (const list of [parts, totals]) list[index]?.latency.record(latencyOf(request, second));
      const tookS = serviceTimeOf(request, second);
      if (tookS !== undefined) totals[index]?.serviceTime.record(tookS);
    }
    for (const list of [parts, totals]) {
      const first = list[0];
      if (first !== undefined) first.failed += failedPerS;
    }
    return {
      startS: second,
      durationS: Math.min(1, measuredS - second),
      iterations: iterationsOf(parts, droppedPerS),
      steps: parts.map((part, index) => stepOf(steps[index] ?? '', part, choice.failedAs)),
    };
  });
  return {
    sequence: choice.sequence ?? 1,
    subject: 'single',
    purpose: choice.purpose ?? 'measure',
    trial: {
      engine: 'made up',
      plan: {
        scenario: choice.scenario ?? 'crud',
        baseUrl: 'http://127.0.0.1:1',
        load,
        warmUpS: 0,
        durationS: choice.stopped ? measuredS + 5 : measuredS,
        seed: 7,
        timeoutS: 10,
      },
      startedAt: '2026-11-21T08:00:00.000Z',
      startedAtMonotonicS: 1000,
      measuredS,
      stopped: choice.stopped ?? false,
      iterations: iterationsOf(totals, droppedPerS * Math.ceil(measuredS)),
      steps: totals.map((part, index) => ({
        ...stepOf(steps[index] ?? '', part, choice.failedAs),
        ...(serviceTimeS !== undefined && { serviceTime: part.serviceTime.encode() }),
        ...(choice.coordinatedS !== undefined && { closedLoop: encoded(index === 0 ? choice.coordinatedS : []) }),
      })),
      intervals,
      inFlightAtEnd: encoded(choice.unfinishedS ?? []),
      generator: { utilizationRatio: 0.2, eventLoopLagP99S: 0.001, sendLagP99S: null, ...choice.generator },
      ...(choice.repeatWith !== undefined && { repeatWith: choice.repeatWith }),
      failureExamples: [],
    },
    samples: choice.samples ?? [],
    notes: choice.notes ?? [],
  };
}

function encoded(latenciesS: readonly number[]): string {
  const histogram = LatencyHistogram.empty();
  for (const latencyS of latenciesS) histogram.record(latencyS);
  return histogram.encode();
}

interface Part {
  readonly latency: LatencyHistogram;
  readonly failed: number;
}

function stepOf(name: string, { latency, failed }: Part, failedAs: MadeUpTrial['failedAs'] = 'http-error'): StepResult {
  return {
    name,
    outcomes: {
      ...noOutcomes,
      ok: latency.count,
      [failedAs]: failed,
    },
    statuses: { 200: latency.count, ...(failedAs === 'http-error' && { 500: failed }) },
    latency: latency.encode(),
  };
}

function iterationsOf(parts: readonly Part[], dropped: number): Interval['iterations'] {
  const ok = parts.reduce((sum, { latency }) => sum + latency.count, 0);
  const failed = parts.reduce((sum, part) => sum + part.failed, 0);
  return { intended: ok + failed + dropped, completed: ok + failed, failed, dropped };
}

export const madeUpTier: Tier = {
  name: 'single',
  title: 'Single node',
  description: 'Made up.',
  documents: [],
  entry: 'api',
  services: [
    {
      name: 'api',
      kind: 'api',
      instances: 1,
      settings: { DATABASE_POOL_MAX: 10, DATABASE_STATEMENT_TIMEOUT_MS: 30_000 },
      resources: { cpus: 0.5 },
      connectsTo: {},
    },
  ],
};

export function madeUpRun(
  trials: readonly TrialRecord[],
  targets: readonly Target[],
  changes: {
    readonly question?: Partial<RunQuestion>;
    readonly settings?: Partial<StudySettings>;
    readonly tier?: Partial<SubjectFacts>;
  } = {},
): RunResult {
  const loads = trials.map(({ trial }) => trial.plan.load);
  return {
    study: 'run',
    question: {
      quick: true,
      scenarios: [...new Set(trials.map(({ trial }) => trial.plan.scenario))],
      durationS: 10,
      warmUpS: 0,
      timeoutS: 10,
      arrivalRatesPerS: [...new Set(loads.flatMap((load) => (load.model === 'open' ? [load.arrivalRatePerS] : [])))],
      arrivals: 'poisson',
      precisionRatio: 0.05,
      searchBudgetS: 300,
      stages: null,
      concurrencies: [...new Set(loads.flatMap((load) => (load.model === 'closed' ? [load.concurrency] : [])))],
      faults: [],
      sweep: [],
      sweepsAll: false,
      ...changes.question,
    },
    facts: {
      runId: 'made-up',
      startedAt: '2026-11-21T08:00:00.000Z',
      tierbench: { version: '0.0.0', commit: null },
      placement: null,
      calibration: null,
      machine: {
        cpuModel: '',
        cpus: 2,
        memoryBytes: 4e9,
        operatingSystem: '',
        kernel: '',
        node: '24',
        limits: {},
        lacks: [],
        container: null,
      },
      settings: {
        engine: 'made up',
        provider: 'local',
        workers: 1,
        seed: 7,
        coolDownS: 0,
        skipThinkTimes: false,
        ...changes.settings,
      },
    },
    subjects: [
      {
        id: changes.tier?.tier?.name ?? 'single',
        tier: madeUpTier,
        variant: [],
        provider: 'local',
        services: [],
        data: {
          values: { userCount: 100, tasksPerUser: 50, seed: 1 },
          amounts: { users: 100, tasks: 5000 },
        },
        startS: 1,
        prepareDataS: 1,
        planned: [],
        notRun: [],
        notes: [],
        endedEarly: null,
        ...changes.tier,
      },
    ],
    status: { state: 'finished', endedAt: '2026-11-21T08:10:00.000Z' },
    trials,
    answers: [],
    targets,
  };
}

export function madeUpTarget(changes: Partial<Target> & Pick<Target, 'judged' | 'value'>): Target {
  return {
    id: 'made-up',
    title: 'Made up',
    source: { document: 'none', section: 'none' },
    comparison: '<',
    unit: 's',
    appliesTo: { tiers: [], scenarios: [] },
    contradictions: [],
    ...changes,
  };
}
