import { describe, expect, test } from 'vitest';
import { defineScenario } from '../../scenarios/kit.ts';
import { madeUpRun, madeUpTier } from '../../test-support/made-up-trial.ts';
import { TierbenchError } from '../core/errors.ts';
import type { RunFacts, RunStatus } from '../core/run.ts';
import type { RunEvent } from '../core/run-event.ts';
import type { MeasuredTrial } from '../core/trial.ts';
import { type SimulatedSystem, simulatedEngine } from '../engines/simulated.ts';
import { type RunParts, run } from './run.ts';

const system: SimulatedSystem = { servers: 10, serviceTimeS: 0.1, distribution: 'exponential' };

const initialFacts: RunFacts = {
  ...madeUpRun([], [], {
    settings: { scenarios: ['login', 'crud'], ladder: [1, 10], durationS: 6, warmUpS: 1, coolDownS: 0 },
  }).facts,
  tiers: [],
};

interface Choice {
  readonly system?: SimulatedSystem;
  /** Thrown at the place of that name. */
  readonly failAt?: Readonly<Record<string, Error>>;
  /** The signal aborts at the n-th thing that happens. */
  readonly abortAt?: number;
  /** The API ends by itself at the place of that name. */
  readonly apiEndsAt?: string;
  readonly obstacles?: readonly string[];
}

/** A run on parts that work in memory and note what happens; a simulated system answers. */
async function simulatedRun(choice: Choice = {}) {
  const happened: string[] = [];
  const trials: MeasuredTrial[] = [];
  const statuses: RunStatus[] = [];
  const events: RunEvent[] = [];
  const facts: RunFacts[] = [];
  const abort = new AbortController();
  let apiEnds: () => void = () => {};

  async function at(place: string): Promise<void> {
    happened.push(place);
    if (happened.length === choice.abortAt) abort.abort();
    if (place === choice.apiEndsAt) apiEnds();
    const failure = choice.failAt?.[place];
    if (failure !== undefined) throw failure;
  }

  const probe = (name: string) => ({
    name,
    read: async () => [],
    [Symbol.asyncDispose]: () => at(`dispose of probe ${name}`),
  });
  const engine = simulatedEngine(choice.system ?? system);
  const parts: RunParts = {
    engine: {
      ...engine,
      async run(...asked) {
        await at('trial');
        return engine.run(...asked);
      },
    },
    provider: {
      name: 'in memory',
      obstacles: async () => choice.obstacles ?? [],
      async deploy(tier) {
        await at('deploy');
        return {
          tier,
          provider: 'in memory',
          baseUrl: 'http://127.0.0.1:1',
          services: [],
          access: [],
          notes: [],
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
      ['login', 'crud'].map((name) => [name, defineScenario({ name, description: '', *iteration() {} })]),
    ),
    users: Array.from({ length: 10 }, (_, index) => ({ index, email: '', password: '' })),
    data: { size: { users: 10, tasksPerUser: 1, seed: 1 }, password: 'secret' },
    async probesFor() {
      await at('make probes');
      return [probe('one'), probe('two')];
    },
    isSteady: () => true,
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
    signal: abort.signal,
  };
  const outcome = await run([madeUpTier], initialFacts, parts).catch((error: unknown) => error);
  return { outcome, happened, trials, statuses, events, facts };
}

const full = new TierbenchError('CANNOT_WRITE', 'cannot write x: ENOSPC', 'Free space.');

describe('a run', () => {
  test('brings the tier up, climbs for each scenario, takes it down, and only then says so', async () => {
    const { outcome, happened, trials, statuses, facts } = await simulatedRun();
    expect(outcome).toBe('finished');
    expect(statuses.map(({ state }) => state)).toEqual(['finished']);
    expect(trials.map(({ sequence, purpose }) => `${sequence} ${purpose}`)).toEqual([
      ...['1 warm-up', '2 measure', '3 measure'],
      ...['4 warm-up', '5 measure', '6 measure'],
    ]);
    expect(facts.at(-1)?.tiers).toMatchObject([{ provider: 'in memory', data: { users: 10 }, notRun: [] }]);
    expect(happened.slice(-5)).toEqual([
      'dispose of probe two',
      'dispose of probe one',
      'dispose of deployment',
      'tier-stopped',
      'write status',
    ]);
  });

  test('tells how many trials there are and how long it still takes, to the very end', async () => {
    const { events } = await simulatedRun();
    const started = events.filter((event) => event.kind === 'trial-started');
    expect(started.map((event) => `${event.purpose} ${event.sequence}/${event.total}`)).toEqual([
      ...['warm-up 1/4', 'measure 1/4', 'measure 2/4'],
      ...['warm-up 3/4', 'measure 3/4', 'measure 4/4'],
    ]);
    const remainingS = events.flatMap((event) => (event.kind === 'interval' ? [event.remainingS ?? Number.NaN] : []));
    expect(remainingS.at(-1)).toBe(0);
    // After the first second of the last trial, its other five; before that, the last trial and its warm-up more.
    expect(remainingS.slice(-7)).toEqual([6, 5, 4, 3, 2, 1, 0]);
    expect(remainingS.at(-8)).toBe(7);
    expect(remainingS.toSorted((left, right) => right - left)).toEqual(remainingS);
  });

  test('clears everything away wherever it is interrupted, and keeps its word', async () => {
    const whole = await simulatedRun();
    for (let position = 1; position <= whole.happened.length; position += 1) {
      const { outcome, happened, statuses } = await simulatedRun({ abortAt: position });
      const state = statuses.at(-1)?.state;
      expect([outcome, state]).toEqual([state, state]);
      const times = (what: string) => happened.filter((each) => each === what).length;
      expect(times('dispose of deployment')).toBe(times('deploy'));
      for (const name of ['one', 'two']) expect(times(`dispose of probe ${name}`)).toBe(times('make probes'));
      expect(happened.at(-1)).toBe('write status');
    }
  });

  test.each(['prepare data', 'write facts', 'make probes', 'trial', 'write trial'])(
    'fails at once when it fails at: %s',
    async (place) => {
      const { outcome, happened, statuses } = await simulatedRun({ failAt: { [place]: full } });
      expect(outcome).toBe(full);
      expect(statuses).toMatchObject([{ state: 'failed', code: 'CANNOT_WRITE', nextStep: 'Free space.' }]);
      expect(happened.filter((what) => what === 'dispose of deployment')).toHaveLength(1);
      expect(happened).not.toContain('tier-stopped');
    },
  );

  test('a failure on the way down hides neither the first failure nor what else must go', async () => {
    const { outcome, happened, statuses, events } = await simulatedRun({
      failAt: {
        'write trial': full,
        'dispose of probe two': new Error('hung up'),
        'dispose of deployment': new Error('stuck'),
      },
    });
    expect(outcome).toBe(full);
    expect(statuses).toMatchObject([{ state: 'failed', code: 'CANNOT_WRITE' }]);
    expect(happened).toContain('dispose of probe one');
    const notes = events.flatMap((event) => (event.kind === 'note' ? [event.text] : []));
    expect(notes).toEqual(['while clearing away: Error: stuck', 'while clearing away: Error: hung up']);
  });

  test('a status that cannot be written does not hide why the run failed', async () => {
    const first = new TierbenchError('SEED_FAILED', 'no', 'Try again.');
    const { outcome } = await simulatedRun({ failAt: { 'prepare data': first, 'write status': full } });
    expect(outcome).toBe(first);
  });

  test.each(['prepare data', 'trial', 'write trial'])('an API that ends by itself is named: at %s', async (place) => {
    const { outcome, trials } = await simulatedRun({ apiEndsAt: place });
    expect(outcome).toMatchObject({ code: 'SERVICE_ENDED', message: 'api/1 ended by itself: exit code 1' });
    // The trial under way when it ended is kept, with why it says nothing; the one before was whole.
    if (place === 'write trial') expect(trials.map(({ notes }) => notes)).toEqual([[]]);
    else expect(trials).toEqual([]);
  });

  test('wrong answers end it before any load', async () => {
    const { outcome, trials } = await simulatedRun({ system: { ...system, failureRatio: 1 } });
    expect(outcome).toMatchObject({
      code: 'ANSWERS_WRONG',
      problems: [{ what: "'request': http-error: simulated http-error" }],
    });
    expect(trials).toEqual([]);
  });

  test('so does an API that never answers', async () => {
    const { outcome } = await simulatedRun({
      system: { servers: 1, serviceTimeS: 1e6, distribution: 'deterministic' },
    });
    expect(outcome).toMatchObject({
      code: 'ANSWERS_WRONG',
      problems: [{ what: "'request': timeout: simulated timeout" }],
    });
  });

  test('a tier that cannot run here is told with why, and is a failure when it was the only one', async () => {
    const { outcome, facts, events } = await simulatedRun({ obstacles: ['Docker is not installed'] });
    expect(outcome).toMatchObject({
      code: 'NO_TIER_CAN_RUN',
      problems: [{ what: 'tier single: Docker is not installed' }],
    });
    expect(facts.at(-1)?.tiers).toMatchObject([{ notRun: ['Docker is not installed'] }]);
    expect(events.map(({ kind }) => kind)).toEqual(['tier-starting', 'note']);
  });
});
