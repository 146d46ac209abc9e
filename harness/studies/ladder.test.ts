import { describe, expect, it } from 'vitest';
import { madeUpTier } from '../../test-support/made-up-trial.ts';
import type { RunSettings } from '../core/run.ts';
import type { Service, Tier } from '../core/tier.ts';
import type { Trial } from '../core/trial.ts';
import { type IsSteady, ladder, longestLadder } from './ladder.ts';
import type { LadderStep } from './steps.ts';

const settings: RunSettings = {
  quick: false,
  engine: 'simulated',
  provider: 'local',
  scenarios: ['login', 'crud'],
  seed: 1,
  durationS: 30,
  warmUpS: 5,
  timeoutS: 10,
  coolDownS: 3,
  arrivalRatesPerS: [],
  arrivals: 'poisson',
  concurrencies: [1, 10, 100],
  workers: 1,
  skipThinkTimes: false,
  scaleModelFactor: null,
  faults: [],
};

const service = (name: string, instances = 1) => ({ ...madeUpTier.services[0], name, instances }) as Service;
const tier: Tier = { ...madeUpTier, services: [service('api', 2), service('database')] };

const answered = { iterations: { intended: 9, completed: 8, failed: 0, dropped: 0 } } as Trial;

function walk(isSteady: IsSteady, changes: Partial<RunSettings> = {}): LadderStep[] {
  const steps = ladder({ ...settings, ...changes }, tier, isSteady);
  const seen: LadderStep[] = [];
  for (let next = steps.next(undefined); !next.done; next = steps.next(answered)) seen.push(next.value);
  return seen;
}

const describeStep = (step: LadderStep): string =>
  step.kind === 'cool-down'
    ? 'cool-down'
    : `${step.scenario} ${step.purpose} ${step.load.model === 'closed' ? step.load.concurrency : ''}`;

describe('ladder', () => {
  it('checks the answers, warms up, climbs, and cools down between scenarios', () => {
    expect(walk(() => true).map(describeStep)).toEqual([
      'login answer-check 1',
      'login warm-up 10',
      'login measure 1',
      'login measure 10',
      'login measure 100',
      'cool-down',
      'crud answer-check 1',
      'crud warm-up 10',
      'crud measure 1',
      'crud measure 10',
      'crud measure 100',
    ]);
  });

  it('warms up until steady, judging all windows so far', () => {
    const steps = walk((windows) => windows.length >= 3, { scenarios: ['crud'] });
    expect(steps.filter((step) => step.kind === 'trial' && step.purpose === 'warm-up')).toHaveLength(3);
  });

  it('goes on when the system never gets steady: the trials themselves tell', () => {
    const steps = walk(() => false, { scenarios: ['crud'] });
    expect(steps.filter((step) => step.kind === 'trial' && step.purpose === 'measure')).toHaveLength(3);
  });

  it('does not warm up at all when no warm-up is asked for', () => {
    const steps = walk(() => false, { warmUpS: 0, scenarios: ['crud'] });
    expect(steps.filter((step) => step.kind === 'trial' && step.purpose === 'warm-up')).toEqual([]);
  });

  it('checks longer when no iteration came to its end: a request may never be answered', () => {
    const steps = ladder({ ...settings, scenarios: ['crud'] }, tier, () => true);
    steps.next();
    const again = steps.next({ iterations: { intended: 1, completed: 0, failed: 0, dropped: 0 } } as Trial).value;
    expect(again).toMatchObject({ purpose: 'answer-check', durationS: 11 });
    expect(steps.next().value).toMatchObject({ purpose: 'warm-up' });
  });

  it('never takes more steps than people are told', () => {
    expect(longestLadder(settings, tier)).toEqual(walk(() => false));
  });
});

describe('faults', () => {
  const faultsOf = (faults: RunSettings['faults'], changes: Partial<RunSettings> = {}) =>
    walk(() => true, { ...changes, faults }).flatMap((step) =>
      step.kind === 'trial' && step.fault !== undefined ? [{ ...step, fault: step.fault }] : [],
    );
  const namesOf = (faults: RunSettings['faults']) =>
    faultsOf(faults).map(({ fault }) => `${fault.kind} ${fault.instance}`);

  it('come after the ladder, each after a rest', () => {
    const steps = walk(() => true, { scenarios: ['crud'], faults: [{ kind: 'kill', service: 'database' }] });
    expect(steps.slice(-3).map(describeStep)).toEqual(['crud measure 100', 'cool-down', 'crud fault 10']);
  });

  it('are made at a quarter, undone at half, and leave the rest to see the recovery', () => {
    for (const quick of [true, false]) {
      const [step] = faultsOf([{ kind: 'pause', service: 'api/2' }], { quick });
      if (step === undefined) throw new Error('no fault');
      expect(step.fault).toMatchObject({ atS: step.durationS / 4, undoAtS: step.durationS / 2 });
      expect(step.durationS - step.fault.undoAtS).toBeGreaterThanOrEqual(quick ? 12 : 20);
      expect(step.timeoutS).toBe(2);
    }
  });

  it('hit the scenario crud where it is among them, else the last one', () => {
    const kill = [{ kind: 'kill', service: 'api' }] as const;
    expect(faultsOf(kill, { scenarios: ['crud', 'login'] })[0]?.scenario).toBe('crud');
    expect(faultsOf(kill, { scenarios: ['browse', 'login'] })[0]?.scenario).toBe('login');
  });

  it('hit every service in turn, or the chosen instance, each once, and only what the tier has', () => {
    expect(
      namesOf([
        { kind: 'kill', service: null },
        { kind: 'pause', service: null },
      ]),
    ).toEqual(['kill api/1', 'pause api/1', 'kill database/1', 'pause database/1']);
    expect(
      namesOf([
        { kind: 'kill', service: 'api/2' },
        { kind: 'kill', service: 'cache' },
        { kind: 'kill', service: 'api/3' },
        { kind: 'kill', service: 'database' },
        { kind: 'kill', service: 'database/1' },
      ]),
    ).toEqual(['kill api/2', 'kill database/1']);
  });
});
