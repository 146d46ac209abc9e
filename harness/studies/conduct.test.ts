import { describe, expect, test } from 'vitest';
import { madeUpRun } from '../../test-support/made-up-trial.ts';
import { type SimulatedRun, simulatedRun, simulatedSystem } from '../../test-support/simulated-run.ts';
import { TierbenchError } from '../core/errors.ts';
import { judgeTrials } from '../judging/judge-trial.ts';

const full = new TierbenchError('CANNOT_WRITE', 'cannot write x: ENOSPC', 'Free space.');

describe('a run', () => {
  test('starts the tier, measures each scenario, stops the tier, and reports the end after that', async () => {
    const { outcome, happened, trials, statuses, subjects } = await simulatedRun();
    expect(outcome).toBe('finished');
    expect(statuses.map(({ state }) => state)).toEqual(['finished']);
    expect(trials.map(({ sequence, purpose }) => `${sequence} ${purpose}`)).toEqual([
      ...['1 warm-up', '2 measure', '3 measure'],
      ...['4 warm-up', '5 measure', '6 measure'],
    ]);
    expect(subjects).toMatchObject([{ provider: 'in memory', data: { values: { userCount: 10 } }, notRun: [] }]);
    expect(happened.slice(-5)).toEqual([
      'dispose of probe two',
      'dispose of probe one',
      'dispose of deployment',
      'subject-stopped',
      'write status',
    ]);
  });

  test('says which of the planned trials it is, and bounds how long it still takes, to the very end', async () => {
    const { events } = await simulatedRun();
    const started = events.filter((event) => event.kind === 'trial-started');
    expect(started.map(({ purpose, planned }) => [purpose, planned?.position, planned?.total])).toEqual([
      ...[
        ['warm-up', undefined, undefined],
        ['measure', 1, 2],
        ['measure', 2, 2],
      ],
      ...[
        ['warm-up', undefined, undefined],
        ['measure', 1, 2],
        ['measure', 2, 2],
      ],
    ]);
    const times = events.flatMap((event) => (event.kind === 'interval' ? [event.time] : []));
    for (const { atLeastS, atMostS } of times) expect(atLeastS).toBeLessThanOrEqual(atMostS);
    // After the first second of the last trial, its other seven, and its warm-up more before that.
    expect(times.slice(-9).map(({ atLeastS }) => atLeastS)).toEqual([8, 7, 6, 5, 4, 3, 2, 1, 0]);
    expect(times.slice(-9).map(({ atMostS }) => atMostS)).toEqual([8, 7, 6, 5, 4, 3, 2, 1, 0]);
    const atMostS = times.map((time) => time.atMostS);
    expect(atMostS.toSorted((left, right) => right - left)).toEqual(atMostS);
  });

  test('stores its answer: the highest rate that met, and what kept the next one out', async () => {
    const { answers } = await simulatedRun({
      question: { scenarios: ['crud'], arrivalRatesPerS: [20, 50], concurrencies: [] },
    });
    expect(answers).toMatchObject([
      {
        subject: 'single',
        scenarios: [{ scenario: 'crud', sustained: [{ target: null, highest: { arrivalRatePerS: 50 } }] }],
      },
    ]);
  });

  test('waits until the system has finished what a trial left in flight, before the next one', async () => {
    const { outcome, pausesS, trials, events } = await simulatedRun({
      question: { scenarios: ['crud'], concurrencies: [10] },
      system: { ...simulatedSystem, serviceTimeS: 0.5 },
    });
    expect(outcome).toBe('finished');
    // Each user has a server of its own that takes 0.5 s, and one request in flight; the answer check completed one. Nothing comes after the last trial.
    expect(trials.at(-1)?.trial.plan.load).toEqual({ model: 'closed', concurrency: 10 });
    expect(pausesS).toHaveLength(trials.length);
    for (const pauseS of pausesS) {
      expect(pauseS).toBeGreaterThan(0);
      expect(pauseS).toBeLessThanOrEqual(1);
    }
    const waits = events.filter((event) => event.kind === 'waiting');
    expect(waits.map(({ reason, leftS }) => [reason, leftS])).toEqual(pausesS.map((pauseS) => ['drain', pauseS]));
  });

  test('repeats an invalid trial, and only the last attempt is evidence', async () => {
    const { outcome, trials, answers, events, subjects } = await simulatedRun({
      question: { scenarios: ['crud'], arrivalRatesPerS: [10, 20], concurrencies: [] },
      isUnsteady: (measured) => measured === 0,
    });
    expect(outcome).toBe('finished');
    const measuredTrials = trials.filter(({ purpose }) => purpose === 'measure');
    expect(measuredTrials.map(({ sequence, repeats }) => [sequence, repeats])).toEqual([
      [2, undefined],
      [3, 2],
      [4, undefined],
    ]);
    const started = events.filter((event) => event.kind === 'trial-started' && event.purpose === 'measure');
    expect(started).toMatchObject([{ attempt: 1 }, { attempt: 2, planned: { position: 1, total: 2 } }, { attempt: 1 }]);
    const { facts } = madeUpRun([], []);
    expect(judgeTrials({ trials, facts }).map(({ record }) => record.sequence)).toEqual([3, 4]);
    expect(answers).toMatchObject([{ scenarios: [{ sustained: [{ highest: { sequence: 4 } }] }] }]);
    expect(subjects[0]?.notes).toHaveLength(4);
  });

  test('gives a load up after two repeats, and repeats one trial for three planned ones at most', async () => {
    const repeatsOf = async (rates: readonly number[]) => {
      const { trials } = await simulatedRun({
        question: { scenarios: ['crud'], arrivalRatesPerS: rates, concurrencies: [] },
        isUnsteady: () => true,
      });
      return [...Map.groupBy(trials, ({ trial }) => JSON.stringify(trial.plan.load)).values()].flatMap((own) =>
        own[0]?.purpose === 'measure' ? [own.length - 1] : [],
      );
    };
    expect(await repeatsOf([10, 20, 30])).toEqual([1, 0, 0]);
    expect(await repeatsOf([10, 12, 14, 16, 18, 20, 22])).toEqual([2, 1, 0, 0, 0, 0, 0]);
  });

  test('clears everything away wherever it is interrupted, and keeps its word', { timeout: 30_000 }, async () => {
    const choice: SimulatedRun = {
      tiers: ['single', 'cached'],
      question: {
        scenarios: ['crud'],
        arrivalRatesPerS: [],
        arrivals: 'poisson',
        concurrencies: [1],
        durationS: 2,
        warmUpS: 0,
        faults: [{ kind: 'kill', service: 'api' }],
      },
    };
    const whole = await simulatedRun(choice);
    // Of a row of the same, such as the seconds of a trial, the first.
    const positions = whole.happened.flatMap((what, index) => (what === whole.happened[index - 1] ? [] : [index + 1]));
    for (const position of positions) {
      const { outcome, happened, statuses } = await simulatedRun({ ...choice, abortAt: position });
      const state = statuses.at(-1)?.state;
      expect([outcome, state]).toEqual([state, state]);
      const times = (what: string) => happened.filter((each) => each === what).length;
      expect(times('dispose of deployment')).toBe(times('deploy'));
      for (const name of ['one', 'two']) expect(times(`dispose of probe ${name}`)).toBe(times('make probes'));
      expect(happened.at(-1)).toBe('write status');
    }
  });

  test.each(['write subject', 'make probes', 'trial', 'write trial'])(
    'fails at once, and does not try the next tier, when it fails at: %s',
    async (place) => {
      const { outcome, happened, statuses } = await simulatedRun({
        tiers: ['single', 'cached'],
        failAt: { [place]: full },
      });
      expect(outcome).toBe(full);
      expect(statuses).toMatchObject([{ state: 'failed', code: 'CANNOT_WRITE', nextStep: 'Free space.' }]);
      expect(happened.filter((what) => what === 'dispose of deployment')).toHaveLength(1);
      expect(happened).not.toContain('subject-stopped');
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
    const notes = events.flatMap((event) => (event.kind === 'note' ? [event.note] : []));
    expect(notes.slice(-2)).toEqual([
      { code: 'clean-up-failed', detail: 'Error: hung up' },
      { code: 'clean-up-failed', detail: 'Error: stuck' },
    ]);
  });

  test('a status that cannot be written does not hide why the run failed', async () => {
    const first = new TierbenchError('SEED_FAILED', 'no', 'Try again.');
    const { outcome } = await simulatedRun({ failAt: { 'prepare data': first, 'write status': full } });
    expect(outcome).toBe(first);
  });

  test.each(['prepare data', 'trial', 'write trial'])('an API that crashes is named: at %s', async (place) => {
    const { outcome, trials } = await simulatedRun({ apiCrashesAt: place });
    expect(outcome).toMatchObject({ code: 'SERVICE_ENDED', message: 'api/1 crashed: exit code 1' });
    // A trial that was complete before the crash is kept.
    if (place === 'write trial') expect(trials.map(({ notes }) => notes)).toEqual([[]]);
    else expect(trials).toEqual([]);
  });

  test('wrong answers end it before any load', async () => {
    const { outcome, trials } = await simulatedRun({ system: { ...simulatedSystem, failureRatio: 1 } });
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

  test('a tier that cannot run here is reported with the reason, and is a failure when it is the only one', async () => {
    const { outcome, subjects, events } = await simulatedRun({
      obstacles: { single: [{ code: 'no-container-engine' }] },
    });
    expect(outcome).toMatchObject({
      code: 'NO_TIER_CAN_RUN',
      problems: [{ what: 'tier single', obstacle: { code: 'no-container-engine' } }],
    });
    expect(subjects).toMatchObject([{ notRun: [{ code: 'no-container-engine' }] }]);
    expect(events.map(({ kind }) => kind)).toEqual(['note']);
  });
});
