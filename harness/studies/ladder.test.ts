import { describe, expect, it } from 'vitest';
import { madeUpTier } from '../../test-support/made-up-trial.ts';
import { loadLevel } from '../core/load.ts';
import type { RunSettings } from '../core/run.ts';
import type { Service, Tier } from '../core/tier.ts';
import type { Trial } from '../core/trial.ts';
import { type IsSteady, type LadderScenario, ladder } from './ladder.ts';
import type { LadderStep, TrialStep } from './steps.ts';

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

const scenario = (name: string, changes: Partial<LadderScenario> = {}): LadderScenario => ({
  name,
  thinks: false,
  begins: false,
  documented: { requestRatesPerS: [], concurrencies: [] },
  ...changes,
});

/** Carries so many iterations a second, of one request each. */
function answer(step: LadderStep, ratePerS: number): Trial | undefined {
  if (step.kind !== 'trial') return undefined;
  const completed = ratePerS * step.durationS;
  return {
    plan: { load: step.load },
    measuredS: step.durationS,
    intervals: [],
    iterations: { intended: completed, completed, failed: 0, dropped: 0 },
    steps: [{ outcomes: { ok: completed } }],
  } as unknown as Trial;
}

function walk(
  isSteady: IsSteady,
  changes: Partial<RunSettings> = {},
  scenarios = (changes.scenarios ?? settings.scenarios).map((name) => scenario(name)),
): LadderStep[] {
  const steps = ladder({ ...settings, ...changes }, tier, scenarios, 1000, isSteady);
  const seen: LadderStep[] = [];
  for (let next = steps.next(undefined); !next.done; next = steps.next(answer(next.value, 320))) {
    if (next.value.kind !== 'plan') seen.push(next.value);
  }
  return seen;
}

const measured = (steps: readonly LadderStep[]): TrialStep[] =>
  steps.filter((step): step is TrialStep => step.kind === 'trial' && step.purpose === 'measure');

const describeStep = (step: LadderStep): string =>
  step.kind === 'trial' ? `${step.scenario} ${step.purpose} ${loadLevel(step.load)}` : step.kind;

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
    const steps = ladder(settings, tier, [scenario('crud')], 1000, () => true);
    steps.next();
    const again = steps.next({ iterations: { intended: 1, completed: 0, failed: 0, dropped: 0 } } as Trial).value;
    expect(again).toMatchObject({ purpose: 'answer-check', durationS: 11 });
    expect(steps.next().value).toMatchObject({ purpose: 'warm-up' });
  });

  describe('by arrival rates that a probe finds', () => {
    const found = { arrivalRatesPerS: null, concurrencies: null };

    it('takes the last window of warm-up as the probe, and tells what it will measure', () => {
      const documented = { requestRatesPerS: [100, 500], concurrencies: [40, 2000] };
      const walker = ladder({ ...settings, ...found }, tier, [scenario('crud', { documented })], 1000, () => true);
      walker.next();
      const window = walker.next(undefined).value as TrialStep;
      expect(window).toMatchObject({ purpose: 'warm-up', load: { model: 'closed', concurrency: 25 } });
      const plan = walker.next(answer(window, 320)).value;
      if (plan?.kind !== 'plan') throw new Error('no plan');
      // The documented 500/s is more than it carries, the documented 2000 users are more than there are.
      expect(plan.trials.map(({ load }) => loadLevel(load))).toEqual([50, 70, 100, 150, 200, 300, 40]);
      expect(plan.trials[0]?.load).toEqual({ model: 'open', arrivalRatePerS: 50, arrivals: 'poisson' });
      expect([...walker]).toEqual(plan.trials);
    });

    it('probes even where nothing is to be warmed up', () => {
      const steps = walk(() => true, { ...found, warmUpS: 0, scenarios: ['crud'] });
      expect(steps.map(describeStep).slice(0, 3)).toEqual([
        'crud answer-check 1',
        'crud warm-up 25',
        'crud measure 50',
      ]);
    });

    it('says that it found no rates where nothing of the probe came rightly to its end', () => {
      const quick = { ...settings, ...found, quick: true };
      const walker = ladder(quick, tier, [scenario('crud')], 1000, () => true);
      walker.next();
      const window = walker.next(undefined).value as TrialStep;
      const iterations = { intended: 900, completed: 900, failed: 900, dropped: 0 };
      const refused = { ...answer(window, 320), iterations } as Trial;
      expect(walker.next(refused).value).toMatchObject({ purpose: 'warm-up' });
      expect(walker.next(refused).value).toMatchObject({
        kind: 'plan',
        trials: [{ load: { model: 'closed' } }],
        note: expect.stringContaining('No arrival rate of crud was measured: in the probe at concurrency 25'),
      });
    });

    it('measures scenarios that think by users, after a longer warm-up and without windows before', () => {
      const thinking = scenario('browse', {
        thinks: true,
        documented: { requestRatesPerS: [500], concurrencies: [200] },
      });
      const steps = walk(() => true, found, [thinking]);
      expect(steps.map(describeStep)).toEqual(['browse answer-check 1', 'browse measure 200']);
      expect(measured(steps)[0]?.warmUpS).toBe(15);
      const hurried = walk(() => true, { ...found, skipThinkTimes: true }, [thinking]);
      expect(measured(hurried).map(({ load }) => load.model)).toContain('open');
      expect(measured(walk(() => true, found, [scenario('mine', { thinks: true })])).map(({ load }) => load)).toEqual([
        { model: 'closed', concurrency: 100 },
      ]);
    });

    it('lets only those users begin whom the rate needs', () => {
      const steps = measured(walk(() => true, found, [scenario('crud', { begins: true })]));
      // An iteration took 25 / 320 s in the probe, so a second each is allowed.
      expect(steps.map(({ users }) => users)).toEqual([50, 70, 100, 150, 200, 300, undefined]);
      expect(measured(walk(() => true, found, [scenario('login')])).map(({ users }) => users)).toEqual(
        new Array(7).fill(undefined),
      );
    });

    it('measures low rates long enough for a p95', () => {
      const walker = ladder(
        { ...settings, ...found, quick: true, durationS: 6 },
        tier,
        [scenario('login')],
        1000,
        () => true,
      );
      walker.next();
      const window = walker.next(undefined).value as TrialStep;
      const plan = walker.next(answer(window, 18)).value;
      if (plan?.kind !== 'plan') throw new Error('no plan');
      // 10/s and 15/s: 72 requests are needed, and a third more against chance.
      expect(plan.trials.map(({ durationS }) => durationS)).toEqual([10, 7, 6]);
    });

    it('lets waiting users come round once before they are measured', () => {
      const quick = { ...settings, ...found, quick: true, warmUpS: 1 };
      const walker = ladder(quick, tier, [scenario('login')], 1000, () => true);
      walker.next();
      const window = walker.next(undefined).value as TrialStep;
      const plan = walker.next(answer(window, 18)).value;
      if (plan?.kind !== 'plan') throw new Error('no plan');
      // 100 users at 18/s.
      expect(plan.trials.map(({ warmUpS }) => warmUpS)).toEqual([1, 1, 6]);
    });

    it('probes once more when nothing came to its end in a window', () => {
      const walker = ladder({ ...settings, ...found, quick: true }, tier, [scenario('crud')], 1000, () => true);
      walker.next();
      const first = walker.next(undefined).value as TrialStep;
      const second = walker.next(answer(first, 0)).value as TrialStep;
      expect(second).toEqual(first);
      expect(walker.next(answer(second, 320)).value).toMatchObject({ kind: 'plan', trials: { length: 3 } });
    });

    it('rates that were given are measured without a probe', () => {
      const steps = walk(() => true, {
        arrivalRatesPerS: [5, 500],
        concurrencies: [],
        warmUpS: 0,
        scenarios: ['crud'],
      });
      expect(steps.map(describeStep)).toEqual(['crud answer-check 1', 'crud measure 5', 'crud measure 500']);
    });
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
