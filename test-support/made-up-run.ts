import type { OfferedLoad } from '../harness/core/load.ts';
import type { MetricId } from '../harness/core/metrics.ts';
import type { RunResult } from '../harness/core/run.ts';
import type { SubjectFacts } from '../harness/core/study-record.ts';
import type { Target } from '../harness/core/target.ts';
import type { Service, Tier } from '../harness/core/tier.ts';
import type { ProbeSample, TrialRecord } from '../harness/core/trial.ts';
import { type MadeUpTrial, madeUpRun, madeUpTarget, madeUpTier, madeUpTrial } from './made-up-trial.ts';

/**
 * Runs for tests of the reports, by a queue whose figures can be worked out by hand. Nothing in them was measured. A load
 * below the capacity is answered in about the service time; above it the queue grows while the load lasts.
 */

interface MadeUpSystem {
  readonly scenario: string;
  readonly steps: readonly string[];
  readonly serviceTimeS: number;
  /** Iterations per second. */
  readonly capacityPerS: number;
  /** Cores of the API at that rate. */
  readonly cores: number;
  readonly waitsFor: MetricId;
}

const login: MadeUpSystem = {
  scenario: 'login',
  steps: ['log in'],
  serviceTimeS: 0.06,
  capacityPerS: 33,
  cores: 1.96,
  waitsFor: 'password-hashes-waiting',
};
const crud: MadeUpSystem = {
  scenario: 'crud',
  steps: ['create task', 'read task'],
  serviceTimeS: 0.004,
  capacityPerS: 250,
  cores: 0.98,
  waitsFor: 'pool-waiting',
};

const measuredS = 10;
export const runStartedAt = '2026-11-21T08:00:00.000Z';

export const rate = (arrivalRatePerS: number): OfferedLoad => ({
  model: 'open',
  arrivalRatePerS,
  arrivals: 'poisson',
});
export const users = (concurrency: number): OfferedLoad => ({ model: 'closed', concurrency });

/** How the queue answers a load, as a trial. */
function answered(system: MadeUpSystem, load: OfferedLoad): MadeUpTrial {
  const { serviceTimeS, capacityPerS, steps } = system;
  const isOpen = load.model === 'open';
  const offeredPerS = isOpen ? load.arrivalRatePerS : load.concurrency / serviceTimeS;
  const iterationsPerS = Math.min(offeredPerS, capacityPerS);
  const utilization = iterationsPerS / capacityPerS;
  const isOver = offeredPerS > capacityPerS;
  const meanS = isOpen
    ? serviceTimeS * (1 + (isOver ? 20 : utilization ** 4 / (1.05 - utilization)))
    : Math.max(serviceTimeS, load.concurrency / capacityPerS);
  const latencyS = (request: number, second = 0) =>
    meanS * (isOpen && isOver ? 1 + second : 1) * (0.7 - 0.3 * Math.log(1 - ((request * 0.618_034) % 1)));
  return {
    scenario: system.scenario,
    load,
    steps,
    measuredS,
    okPerS: Math.round(iterationsPerS),
    latencyS,
    ...(isOpen && {
      serviceTimeS: (request: number, second: number) => Math.min(latencyS(request, second), 2 * serviceTimeS),
      coordinatedS: Array.from({ length: 300 }, (_, request) => Math.min(latencyS(request), 3 * serviceTimeS)),
    }),
    samples: samplesOf(system, utilization, isOver ? 24 : 0),
  };
}

function samplesOf({ cores, waitsFor }: MadeUpSystem, utilization: number, waiting: number): readonly ProbeSample[] {
  return Array.from({ length: measuredS }, (_, second) => second + 1).flatMap((atS) => {
    const sample = (source: string, metric: MetricId, value: number): ProbeSample => ({ atS, source, metric, value });
    return [
      sample('api/1', 'cpu-cores', cores * utilization),
      sample('api/1', 'cpu-limit', cores),
      sample('database/1', 'cpu-cores', 0.4 * utilization),
      sample('generator', 'cpu-cores', 0.2),
      sample('machine', 'machine-utilization', 0.2 + 0.6 * utilization),
      sample('machine', 'steal', 0.002),
      sample('api/1', waitsFor, waiting),
    ];
  });
}

const api: Service = {
  name: 'api',
  kind: 'api',
  instances: 2,
  settings: { BCRYPT_COST: 10, DATABASE_POOL_MAX: 10 },
  resources: { cpus: 1, memoryBytes: 512 * 2 ** 20 },
  connectsTo: { writer: 'pooler', reader: 'replica', cache: 'cache' },
};
const other = (name: string, kind: Service['kind'], connectsTo: Service['connectsTo'] = {}): Service => ({
  name,
  kind,
  instances: 1,
  settings: {},
  resources: { cpus: 0.5 },
  connectsTo,
});
const tierOf = (name: string, title: string, services: readonly Service[]): Tier => ({
  ...madeUpTier,
  name,
  title,
  entry: services[0]?.name ?? '',
  services,
});
const database = other('database', 'primary');
const balancer = other('balancer', 'load-balancer', { backend: 'api' });
const pooler = other('pooler', 'pooler', { database: 'database' });
const replica = other('replica', 'replica', { primary: 'database' });

export const fourTiers: readonly Tier[] = [
  tierOf('single', 'Single node', [{ ...api, instances: 1, connectsTo: { writer: 'database' } }, database]),
  tierOf('pooled', 'Pooled', [balancer, { ...api, connectsTo: { writer: 'pooler' } }, pooler, database]),
  tierOf('replicated', 'Replicated', [
    balancer,
    { ...api, connectsTo: { writer: 'pooler', reader: 'replica' } },
    pooler,
    database,
    replica,
  ]),
  tierOf('cached', 'Cached', [balancer, api, pooler, database, replica, other('cache', 'cache')]),
];

export const madeUpTargets: readonly Target[] = [
  madeUpTarget({
    id: 'latency-p95',
    title: 'Response time, 95th percentile',
    value: 0.2,
    judged: { by: 'measured', metric: 'latency-p95' },
  }),
  madeUpTarget({
    id: 'throughput-1000',
    title: 'Requests per second',
    comparison: '>=',
    value: 1000,
    unit: 'requests/s',
    judged: { by: 'measured', metric: 'throughput' },
  }),
  madeUpTarget({
    id: 'pool-size',
    title: 'Connection pool size',
    comparison: '=',
    value: 10,
    unit: 'connections',
    judged: { by: 'setting', option: 'DATABASE_POOL_MAX' },
  }),
  madeUpTarget({
    id: 'page-load',
    title: 'Page load',
    value: 3,
    judged: { by: 'not-yet', why: 'No browser is measured.' },
  }),
];

/** What crud can do on a tier, compared with `single`; logins are limited by the password hash on all. */
const gains: Readonly<Record<string, number>> = { single: 1, pooled: 1.05, replicated: 1.4, cached: 2.2 };

/** Rates of login, of crud, and numbers of users of crud. */
export interface Loads {
  readonly login: readonly number[];
  readonly crud: readonly number[];
  readonly users: readonly number[];
}
const usual: Loads = { login: [10, 20, 30, 40], crud: [100, 200, 300, 400, 600], users: [50] };

/** A run of these tiers. `cached` sustains most of crud; its cache is killed in a fault trial after its loads. */
export function madeUpTierRun(names: readonly string[] = ['single', 'pooled', 'replicated', 'cached'], loads = usual) {
  const tiers = fourTiers.filter(({ name }) => names.includes(name));
  const trials: TrialRecord[] = [];
  const add = (tier: Tier, choice: MadeUpTrial, changes: Partial<TrialRecord> = {}) => {
    const made = madeUpTrial({ ...choice, sequence: trials.length + 1 });
    const startedAt = new Date(Date.parse(runStartedAt) + (9 + 14 * trials.length) * 1000).toISOString();
    trials.push({
      ...made,
      subject: tier.name,
      trial: { ...made.trial, startedAt, startedAtMonotonicS: Date.parse(startedAt) / 1000 },
      ...changes,
    });
  };
  for (const tier of tiers) {
    const own = { ...crud, capacityPerS: crud.capacityPerS * (gains[tier.name] ?? 1) };
    for (const each of loads.login) add(tier, answered(login, rate(each)));
    for (const each of loads.crud) add(tier, answered(own, rate(each)));
    for (const each of loads.users) add(tier, answered(own, users(each)));
    if (tier.services.some(({ kind }) => kind === 'cache')) {
      const okPerS = (second: number) => (second >= 4 && second < 7 ? 5 : 100);
      add(
        tier,
        { scenario: 'crud', purpose: 'fault', load: users(10), okPerS, failedPerS: 0, measuredS: 14 },
        { fault: { kind: 'kill', instance: 'cache/1', atS: 4.2, undoneAtS: 6.3 } },
      );
    }
  }
  const run = madeUpRun(trials, madeUpTargets, {
    question: {
      scenarios: ['login', 'crud'].filter((name) => trials.some(({ trial }) => trial.plan.scenario === name)),
      arrivalRatesPerS: [...new Set([...loads.login, ...loads.crud])],
      concurrencies: loads.users,
    },
  });
  return { ...run, subjects: tiers.map(factsOf) };
}

function factsOf(tier: Tier): SubjectFacts {
  return {
    ...emptyFacts,
    id: tier.name,
    tier,
    services: tier.services.map(({ name, kind, instances, resources }) => ({
      name,
      kind,
      instances: Array.from({ length: instances }, (_, index) => ({
        name: `${name}/${index + 1}`,
        host: '127.0.0.1',
        port: 40_000 + index,
        processIds: [],
        ...(kind === 'api' && { limits: resources }),
      })),
      version: `${kind} 1.0`,
    })),
  };
}

const [emptyFacts] = madeUpRun([], []).subjects as [SubjectFacts];

export const pgbouncerMissing = {
  code: 'missing',
  capability: 'pgbouncer',
  services: ['pooler'],
  detail: 'not on the PATH',
  command: null,
} as const;

/** The same run with one tier that was not run and one that ended before its last trials. */
export function troubledRun(run: RunResult): RunResult {
  const ended = run.trials.filter(({ subject }) => subject === 'replicated').map(({ sequence }) => sequence);
  const changes: Readonly<Record<string, Partial<SubjectFacts>>> = {
    pooled: { services: [], data: null, notRun: [pgbouncerMissing] },
    replicated: { endedEarly: { errorCode: 'SERVICE_ENDED', detail: 'replica/1 crashed: exit code 1' } },
  };
  return {
    ...run,
    subjects: run.subjects.map((each) => ({ ...each, ...changes[each.id] })),
    trials: run.trials.filter(
      ({ subject, sequence }) => subject !== 'pooled' && !(subject === 'replicated' && ended.indexOf(sequence) >= 6),
    ),
  };
}

/** Every name a person may choose, and every message a server may send, tries to be markup. */
export function hostileRun(run: RunResult): RunResult {
  const attack = `<img src=x onerror="document.title='hacked'"></script><script>document.title='hacked'</script>|[x](javascript:alert(1))`;
  const scenario = `evil ${attack}`;
  return {
    ...run,
    question: { ...run.question, scenarios: [scenario] },
    subjects: run.subjects.slice(0, 1).map((subject) => ({
      ...subject,
      id: attack,
      tier: {
        ...subject.tier,
        name: attack,
        title: attack,
        description: attack,
        services: subject.tier.services.map((service) => ({ ...service, settings: { [attack]: attack } })),
      },
    })),
    targets: run.targets.map((target) => ({ ...target, title: attack, source: { document: attack, section: attack } })),
    trials: run.trials.slice(0, 3).map((record) => ({
      ...record,
      subject: attack,
      notes: [{ code: 'probe-failed', probe: attack, times: 1, detail: attack }],
      samples: record.samples.map((sample) => ({ ...sample, source: attack })),
      trial: {
        ...record.trial,
        plan: { ...record.trial.plan, scenario },
        steps: record.trial.steps.map((step) => ({ ...step, name: attack })),
        failureExamples: [{ step: attack, outcome: 'http-error', message: attack }],
      },
    })),
  };
}

/** What is left of a run that did not go as planned, by what went wrong. */
export function incompleteRuns(run: RunResult): Readonly<Record<string, RunResult>> {
  const { subjects, trials } = run;
  const endedAt = '2026-11-21T08:05:00.000Z';
  const changed = (change: (trial: TrialRecord['trial']) => Partial<TrialRecord['trial']>): RunResult => ({
    ...run,
    trials: trials.map((record) => ({ ...record, trial: { ...record.trial, ...change(record.trial) } })),
  });
  const answers = (choice: MadeUpTrial) =>
    changed(({ plan, steps }) => {
      const { trial } = madeUpTrial({ ...choice, load: plan.load, steps: steps.map(({ name }) => name) });
      return { steps: trial.steps, intervals: trial.intervals, iterations: trial.iterations };
    });
  return {
    'killed before the first trial': {
      ...run,
      subjects: [],
      status: { state: 'running' },
      trials: [],
    },
    'killed during the run': { ...run, status: { state: 'running' }, trials: trials.slice(0, 2) },
    interrupted: { ...run, status: { state: 'interrupted', endedAt }, trials: trials.slice(0, 3) },
    failed: {
      ...run,
      status: {
        state: 'failed',
        endedAt,
        code: 'SERVICE_CRASHED',
        what: 'The API ended with exit code 137.',
        nextStep: 'Read its log.',
      },
      trials: trials.slice(0, 2),
    },
    'no trials': { ...run, trials: [] },
    'a tier that was not run': {
      ...run,
      subjects: subjects
        .slice(0, 1)
        .map((each) => ({ ...each, services: [], data: null, notRun: [{ code: 'no-container-engine' }] })),
      trials: [],
    },
    'facts of the tier never stored': { ...run, subjects: [] },
    'only invalid trials': changed(({ generator }) => ({ generator: { ...generator, utilizationRatio: 0.97 } })),
    'no samples': { ...run, trials: trials.map((record) => ({ ...record, samples: [] })) },
    'nothing succeeded': answers({ okPerS: 0, failedPerS: 5 }),
    'too few answers for any percentile': answers({ okPerS: 1, measuredS: 3 }),
    'no targets': { ...run, targets: [] },
    'no intervals': changed(() => ({ intervals: [] })),
  };
}
