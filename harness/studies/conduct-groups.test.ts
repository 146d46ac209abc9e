import { describe, expect, test } from 'vitest';
import { simulatedRun } from '../../test-support/simulated-run.ts';
import { TierbenchError } from '../core/errors.ts';

describe('a run over several tiers', () => {
  test('goes on with the next tier after a rest, in the order given', async () => {
    const { outcome, happened, subjects, events } = await simulatedRun({
      tiers: ['single', 'pooled', 'cached'],
      question: { scenarios: ['crud'] },
      obstacles: { pooled: [{ code: 'no-container-engine' }] },
    });
    expect(outcome).toBe('finished');
    expect(subjects.map(({ tier, notRun }) => [tier.name, notRun])).toEqual([
      ['single', []],
      ['pooled', [{ code: 'no-container-engine' }]],
      ['cached', []],
    ]);
    const between = happened.slice(happened.indexOf('subject-stopped'), happened.lastIndexOf('deploy'));
    expect(between).toEqual(['subject-stopped', 'write subject', 'subject-starting']);
    const started = events.filter((event) => event.kind === 'trial-started' && event.purpose === 'measure');
    expect(started).toMatchObject([
      { subject: 'single', planned: { position: 1, total: 2 } },
      { subject: 'single', planned: { position: 2, total: 2 } },
      { subject: 'cached', planned: { position: 1, total: 2 } },
      { subject: 'cached', planned: { position: 2, total: 2 } },
    ]);
  });

  test('says of each tier whether its caches were warm, and what else a reader must know', async () => {
    const warm = await simulatedRun();
    expect(warm.subjects[0]?.notes).toEqual([
      { code: 'published-by-proxy' },
      { code: 'cpus-shared', cause: 'one-cpu' },
      { code: 'caches', state: 'warm' },
    ]);
    const cold = await simulatedRun({ question: { warmUpS: 0 } });
    expect(cold.subjects[0]?.notes).toContainEqual({ code: 'caches', state: 'cold' });
  });

  test.each([
    ['does not come up', 'deploy'],
    ['cannot be filled', 'prepare data'],
  ])('gives a tier up that %s, measures the others, and fails in the end', async (_, place) => {
    const failure = new TierbenchError('SERVICE_NOT_READY', 'it is not ready', 'Wait.');
    const { outcome, subjects, trials, statuses, happened, events } = await simulatedRun({
      tiers: ['single', 'cached'],
      failAt: { [place]: failure },
    });
    expect(outcome).toBe(failure);
    expect(statuses).toMatchObject([{ state: 'failed', code: 'SERVICE_NOT_READY' }]);
    expect(subjects).toMatchObject([
      { tier: { name: 'single' }, endedEarly: { detail: 'it is not ready' }, data: null, notRun: [] },
      { tier: { name: 'cached' }, endedEarly: null },
    ]);
    expect(trials.map(({ subject }) => subject)).toEqual(Array.from({ length: 6 }, () => 'cached'));
    expect(happened.filter((what) => what === 'dispose of deployment')).toHaveLength(place === 'deploy' ? 1 : 2);
    expect(events).toContainEqual({
      kind: 'note',
      note: { code: 'tier-ended-early', tier: 'single', errorCode: 'SERVICE_NOT_READY', detail: 'it is not ready' },
    });
  });

  test('keeps what was measured of a tier whose service ends, and goes on', async () => {
    const { outcome, subjects, trials } = await simulatedRun({
      tiers: ['single', 'cached'],
      apiCrashesAt: 'write trial',
    });
    // It ends in both tiers, each time after the first trial.
    expect(outcome).toMatchObject({
      code: 'TIERS_ENDED_EARLY',
      message: '2 of 2 tiers ended early',
      problems: [
        { what: 'tier single: SERVICE_ENDED: api/1 crashed: exit code 1' },
        { what: 'tier cached: SERVICE_ENDED: api/1 crashed: exit code 1' },
      ],
    });
    expect(trials.map(({ subject }) => subject)).toEqual(['single', 'cached']);
    expect(subjects).toMatchObject([
      { endedEarly: { errorCode: 'SERVICE_ENDED' } },
      { endedEarly: { errorCode: 'SERVICE_ENDED' } },
    ]);
  });

  test('a defect ends it, whatever tier comes next', async () => {
    const { outcome, statuses, happened } = await simulatedRun({
      tiers: ['single', 'cached'],
      failAt: { deploy: new TypeError('undefined is not a function') },
    });
    expect(outcome).toBeInstanceOf(TypeError);
    expect(statuses).toMatchObject([{ state: 'failed', code: 'INTERNAL' }]);
    expect(happened.filter((what) => what === 'deploy')).toHaveLength(1);
  });

  test('makes the chosen faults after the load steps, and records when', async () => {
    const { outcome, trials, happened, events } = await simulatedRun({
      question: {
        scenarios: ['crud'],
        faults: [
          { kind: 'kill', service: 'api' },
          { kind: 'pause', service: null },
        ],
      },
    });
    expect(outcome).toBe('finished');
    expect(trials.map(({ purpose }) => purpose)).toEqual(['warm-up', 'measure', 'measure', 'fault', 'fault']);
    expect(happened.filter((what) => what.endsWith(' api/1'))).toEqual([
      'kill api/1',
      'start api/1',
      'pause api/1',
      'resume api/1',
    ]);
    const faults = trials.filter(({ purpose }) => purpose === 'fault');
    expect(faults.map(({ fault }) => `${fault?.kind} ${fault?.instance}`)).toEqual(['kill api/1', 'pause api/1']);
    for (const { fault, notes, trial } of faults) {
      expect(fault?.undoneAtS).toBeGreaterThanOrEqual(fault?.atS ?? Number.POSITIVE_INFINITY);
      expect(trial.plan.timeoutS).toBe(2);
      expect(notes).toContainEqual({ code: 'fault-timeout', timeoutS: 2 });
    }
    for (const trial of trials.filter(({ purpose }) => purpose !== 'fault')) expect(trial).not.toHaveProperty('fault');
    const started = events.filter((event) => event.kind === 'trial-started' && event.purpose !== 'warm-up');
    expect(started).toMatchObject([
      { purpose: 'measure', planned: { position: 1, total: 2 } },
      { purpose: 'measure', planned: { position: 2, total: 2 } },
      { purpose: 'fault', planned: null },
      { purpose: 'fault', planned: null },
    ]);
  });

  test('gives a tier up whose service does not come back after a fault, and goes on', async () => {
    const { outcome, trials, subjects } = await simulatedRun({
      tiers: ['single', 'cached'],
      question: {
        scenarios: ['crud'],
        arrivalRatesPerS: [],
        arrivals: 'poisson',
        concurrencies: [1],
        faults: [
          { kind: 'kill', service: 'api' },
          { kind: 'pause', service: 'api' },
        ],
      },
      failAt: { 'start api/1': new Error('it is gone') },
    });
    expect(outcome).toMatchObject({
      code: 'FAULT_FAILED',
      message: 'api/1 did not come back after it was killed: it is gone',
    });
    const faults = trials.filter(({ purpose }) => purpose === 'fault');
    expect(faults.map(({ subject, fault }) => [subject, fault?.kind, fault?.undoneAtS === null])).toEqual([
      ['single', 'kill', true],
      ['cached', 'kill', false],
      ['cached', 'pause', false],
    ]);
    expect(subjects).toMatchObject([{ endedEarly: { errorCode: 'FAULT_FAILED' } }, { endedEarly: null }]);
  });
});
