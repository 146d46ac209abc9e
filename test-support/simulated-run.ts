import type { RunFacts, RunStatus } from '../harness/core/run.ts';
import type { RunEvent } from '../harness/core/run-event.ts';
import type { TrialRecord } from '../harness/core/trial.ts';
import { type SimulatedSystem, simulatedEngine } from '../harness/engines/simulated/simulated.ts';
import { type RunParts, run } from '../harness/studies/run.ts';
import { defineScenario } from '../scenarios/kit.ts';
import { madeUpRun, madeUpTier } from './made-up-trial.ts';

export const simulatedSystem: SimulatedSystem = { servers: 10, serviceTimeS: 0.1, distribution: 'exponential' };

const initialFacts: RunFacts = {
  ...madeUpRun([], [], {
    settings: { scenarios: ['login', 'crud'], concurrencies: [1, 10], durationS: 6, warmUpS: 1, coolDownS: 0 },
  }).facts,
  tiers: [],
};

export interface SimulatedRun {
  readonly system?: SimulatedSystem;
  /** Thrown at the place of that name, the first time only. */
  readonly failAt?: Readonly<Record<string, Error>>;
  /** The signal aborts at the n-th thing that happens. */
  readonly abortAt?: number;
  /** The API ends by itself at the place of that name. */
  readonly apiEndsAt?: string;
  /** The name of a tier -> why it cannot run. */
  readonly obstacles?: Readonly<Record<string, readonly string[]>>;
  /** Names; each has one service, the API. */
  readonly tiers?: readonly string[];
  readonly settings?: Partial<RunFacts['settings']>;
}

/** A run on parts that work in memory and note what happens; a simulated system answers. */
export async function simulatedRun(choice: SimulatedRun = {}) {
  const happened: string[] = [];
  const trials: TrialRecord[] = [];
  const statuses: RunStatus[] = [];
  const events: RunEvent[] = [];
  const facts: RunFacts[] = [];
  const pausesS: number[] = [];
  const abort = new AbortController();
  let apiEnds: () => void = () => {};
  const failing = new Map(Object.entries(choice.failAt ?? {}));

  async function at(place: string): Promise<void> {
    happened.push(place);
    if (happened.length === choice.abortAt) abort.abort();
    if (place === choice.apiEndsAt) apiEnds();
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
  const parts: RunParts = {
    calibrate: async () => null,
    engine: {
      ...engine,
      async run(...asked) {
        await at('trial');
        // Virtual time has no date: what happens during the trial is as if at its beginning.
        const startedAt = new Date().toISOString();
        return { ...(await engine.run(...asked)), startedAt };
      },
    },
    provider: {
      name: 'in memory',
      obstacles: async ({ name }) => choice.obstacles?.[name] ?? [],
      async deploy(tier) {
        await at('deploy');
        return {
          tier,
          provider: 'in memory',
          baseUrl: 'http://127.0.0.1:1',
          services: [],
          access: [],
          notes: ['no limits here'],
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
      ['login', 'crud'].map((name) => [name, { scenario: defineScenario({ name, description: '', *iteration() {} }) }]),
    ),
    targets: [],
    users: Array.from({ length: 10 }, (_, index) => ({ index, email: '', password: '' })),
    data: { size: { users: 10, tasksPerUser: 1, seed: 1 }, password: 'secret' },
    async probesFor() {
      await at('make probes');
      return [probe('one'), probe('two')];
    },
    isSteady: () => true,
    notes: ['all share the CPUs'],
    describeTrial: ({ trial }) => trial.plan.scenario,
    results: {
      folder: '',
      async facts(current) {
        await at('write facts');
        facts.push(current);
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
  const tiers = (choice.tiers ?? ['single']).map((name) => ({ ...madeUpTier, name }));
  const settings = { ...initialFacts.settings, ...choice.settings };
  const outcome = await run(tiers, { ...initialFacts, settings }, parts).catch((error: unknown) => error);
  return { outcome, happened, trials, statuses, events, facts, pausesS };
}
