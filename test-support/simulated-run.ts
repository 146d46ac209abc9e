import type { DataValues } from '../harness/core/app.ts';
import type { Obstacle } from '../harness/core/findings.ts';
import type { RunQuestion, RunResult } from '../harness/core/run.ts';
import type { StudyStatus, SubjectFacts } from '../harness/core/study-record.ts';
import type { Target } from '../harness/core/target.ts';
import type { Tier } from '../harness/core/tier.ts';
import type { Interval, TrialPlan, TrialRecord } from '../harness/core/trial.ts';
import { monotonicS } from '../harness/machine/clock.ts';
import { referenceApp } from '../harness/services/reference-app.ts';
import { conduct } from '../harness/studies/conduct.ts';
import type { StudyEnvironment } from '../harness/studies/environment.ts';
import { run } from '../harness/studies/run/run.ts';
import type { StudyEvent } from '../harness/studies/study-event.ts';
import { defineScenario } from '../scenarios/kit.ts';
import { madeUpRun, madeUpTier } from './made-up-trial.ts';
import { type SimulatedSystem, simulatedEngine } from './simulated-engine.ts';

export const simulatedSystem: SimulatedSystem = { servers: 10, serviceTimeS: 0.1, distribution: 'deterministic' };

const made = madeUpRun([], [], {
  question: { scenarios: ['login', 'crud'], concurrencies: [1, 10], durationS: 8, warmUpS: 1 },
});

export interface SimulatedRun {
  readonly system?: SimulatedSystem;
  /** Those of single scenarios, by their names. */
  readonly systems?: Readonly<Record<string, SimulatedSystem>>;
  /** Thrown at the place of that name, the first time only. */
  readonly failAt?: Readonly<Record<string, Error>>;
  /** The signal aborts at the n-th thing that happens. */
  readonly abortAt?: number;
  /** The API crashes at the place of that name. */
  readonly apiCrashesAt?: string;
  /** Whether nothing is answered in the first half of the measured trial of that number, counted with repeats from 0. */
  readonly isUnsteady?: (measured: number) => boolean;
  /** The name of a tier -> why it cannot run. */
  readonly obstacles?: Readonly<Record<string, readonly Obstacle[]>>;
  /** Tiers, or names of some with one service, the API. */
  readonly tiers?: readonly (string | Tier)[];
  readonly targets?: readonly Target[];
  /** What the data is made of. */
  readonly data?: DataValues;
  readonly question?: Partial<RunQuestion>;
}

/** A run on parts that work in memory and note what happens; a simulated system answers. */
export async function simulatedRun(choice: SimulatedRun = {}) {
  const happened: string[] = [];
  const trials: TrialRecord[] = [];
  const statuses: StudyStatus[] = [];
  const events: StudyEvent[] = [];
  const subjects = new Map<string, SubjectFacts>();
  const answers: unknown[] = [];
  const pausesS: number[] = [];
  const abort = new AbortController();
  let apiEnds: () => void = () => {};
  let measured = 0;
  const question = { ...made.question, ...choice.question };
  const { targets = [], data = { userCount: 10, tasksPerUser: 1, seed: 1 } } = choice;
  const failing = new Map(Object.entries(choice.failAt ?? {}));

  async function at(place: string): Promise<void> {
    happened.push(place);
    if (happened.length === choice.abortAt) abort.abort();
    if (place === choice.apiCrashesAt) apiEnds();
    const failure = failing.get(place);
    failing.delete(place);
    if (failure !== undefined) throw failure;
  }

  const probe = (name: string) => ({
    name,
    read: async () => [],
    [Symbol.asyncDispose]: () => at(`dispose of probe ${name}`),
  });
  const engine = simulatedEngine(choice.system ?? simulatedSystem);
  const engineOf = ({ scenario }: TrialPlan) => {
    const system = choice.systems?.[scenario];
    return system === undefined ? engine : simulatedEngine(system);
  };
  const environment: StudyEnvironment = {
    calibrate: async () => null,
    engine: {
      ...engine,
      async run(...asked) {
        await at('trial');
        // Virtual time has no date: what happens during the trial is as if at its beginning.
        const startedAt = new Date().toISOString();
        const trial = await engineOf(asked[0].plan).run(...asked);
        const isMeasured = asked[0].plan.durationS === question.durationS;
        const isUnsteady = isMeasured && (choice.isUnsteady?.(measured++) ?? false);
        const settled = ({ startS }: Interval) => !isUnsteady || startS >= trial.measuredS / 2;
        return {
          ...trial,
          startedAt,
          startedAtMonotonicS: monotonicS(),
          intervals: trial.intervals.map((second) => (settled(second) ? second : { ...second, steps: [] })),
        };
      },
    },
    provider: {
      name: 'in memory',
      obstacles: async ({ tier: { name } }) => choice.obstacles?.[name] ?? [],
      async deploy({ tier }) {
        await at('deploy');
        return {
          tier,
          provider: 'in memory',
          baseUrl: 'http://127.0.0.1:1',
          services: [],
          access: [],
          probes: [],
          notes: [{ code: 'published-by-proxy' }],
          faults: {
            kill: (instance) => at(`kill ${instance}`),
            start: (instance) => at(`start ${instance}`),
            pause: (instance) => at(`pause ${instance}`),
            resume: (instance) => at(`resume ${instance}`),
          },
          async prepareData(_size, _password, signal) {
            await at('prepare data');
            signal.throwIfAborted();
          },
          onFailure(listener) {
            apiEnds = () => listener({ instance: 'api/1', what: 'exit code 1' });
          },
          [Symbol.asyncDispose]: () => at('dispose of deployment'),
        };
      },
    },
    scenarios: new Map(
      ['login', 'crud', 'mixed'].map((name) => [
        name,
        { scenario: defineScenario({ name, description: '', *iteration() {} }) },
      ]),
    ),
    targets,
    users: Array.from({ length: data.userCount ?? 0 }, (_, index) => ({ index, email: '', password: '' })),
    data: { values: data, password: 'secret' },
    async probesFor() {
      await at('make probes');
      return [probe('one'), probe('two')];
    },
    notes: [{ code: 'cpus-shared', cause: 'one-cpu' }],
    results: {
      folder: '',
      facts: () => at('write facts'),
      async subject(current) {
        await at('write subject');
        subjects.set(current.id, current);
      },
      async answers(current) {
        answers.splice(0, answers.length, ...current);
      },
      async trial(trial) {
        await at('write trial');
        trials.push(trial);
      },
      async status(status) {
        statuses.push(status);
        await at('write status');
      },
    },
    emit(event) {
      events.push(event);
      happened.push(event.kind);
    },
    async pause(durationS) {
      pausesS.push(durationS);
    },
    signal: abort.signal,
  };
  const tiers = (choice.tiers ?? ['single']).map((each) => {
    const tier = typeof each === 'string' ? { ...madeUpTier, name: each } : each;
    return { id: tier.name, tier, app: referenceApp };
  });
  const outcome = await conduct(run, question, tiers, made.facts, environment).catch((error: unknown) => error);
  const record: RunResult = {
    study: 'run',
    question,
    facts: made.facts,
    status: statuses.at(-1) ?? made.status,
    subjects: [...subjects.values()],
    trials,
    answers: [],
    targets,
  };
  return { outcome, happened, trials, statuses, events, subjects: record.subjects, answers, pausesS, record };
}
