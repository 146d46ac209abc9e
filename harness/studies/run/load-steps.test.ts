import { describe, expect, it } from 'vitest';
import { madeUpRun, madeUpTarget, madeUpTier, madeUpTrial } from '../../../test-support/made-up-trial.ts';
import type { Subject } from '../../core/app.ts';
import { loadLevel } from '../../core/load.ts';
import type { RunQuestion } from '../../core/run.ts';
import type { Service, Tier } from '../../core/tier.ts';
import { judgeTrial } from '../../judging/judge-trial.ts';
import type { JudgedTrial } from '../../judging/judged-trial.ts';
import { referenceApp } from '../../services/reference-app.ts';
import { lengthS, type ScenarioTraits, type Step, type StudyContext, type TrialStep } from '../study.ts';
import type { DocumentedLoads } from './loads.ts';
import { run } from './run.ts';

const usual: RunQuestion = {
  ...madeUpRun([], []).question,
  quick: false,
  scenarios: ['login', 'crud'],
  durationS: 30,
  warmUpS: 5,
  concurrencies: [1, 10, 100],
};

const service = (name: string, instances = 1) => ({ ...madeUpTier.services[0], name, instances }) as Service;
const tier: Tier = { ...madeUpTier, services: [service('api', 2), service('database')] };
const subject: Subject = { id: 'single', tier, app: referenceApp };

const plain: ScenarioTraits = { name: '', hasThinkTime: false, hasUserSetup: false };

interface Walk {
  readonly question?: Partial<RunQuestion>;
  /** By name; plain ones of the question where nothing is said. */
  readonly traits?: Partial<ScenarioTraits>;
  readonly documented?: DocumentedLoads;
  /** What each window of warm-up answers, in iterations a second. */
  readonly ratePerS?: (window: number) => number;
  readonly failing?: boolean;
}

function contextOf(question: RunQuestion, { traits, documented }: Walk): StudyContext {
  const target = (value: number, changes: object) => ({
    ...madeUpTarget({ value, judged: { by: 'measured', metric: 'throughput' } }),
    ...changes,
  });
  return {
    scenarios: new Map(question.scenarios.map((name) => [name, { ...plain, ...traits, name }])),
    targets: [
      ...(documented?.requestRatesPerS ?? []).map((rate) => target(rate, { unit: 'requests/s' })),
      ...(documented?.concurrencies ?? []).map((concurrency) =>
        target(1, { appliesTo: { tiers: [], scenarios: [], concurrency } }),
      ),
    ],
    userCount: 1000,
    coolDownS: 3,
  };
}

/** Takes all steps; trials of warm-up answer so many iterations a second, of one request each. */
function walk(choice: Walk = {}): readonly Step[] {
  return walked(choice).steps;
}

function answerOf(choice: Walk) {
  const [scenario] = walked(choice).answer.scenarios;
  if (scenario === undefined) throw new Error('no scenario');
  return scenario;
}

function walked(choice: Walk) {
  const question = { ...usual, ...choice.question };
  const walker = run.steps([subject], question, contextOf(question, choice));
  const seen: Step[] = [];
  let window = 0;
  let next = walker.next();
  while (!next.done) {
    const step = next.value;
    seen.push(step);
    next = walker.next(answered(step));
  }
  return { steps: seen, answer: next.value };

  function answered(step: Step): JudgedTrial | undefined {
    if (step.kind !== 'trial' || step.purpose === 'fault') return undefined;
    if (step.purpose === 'measure') return measured(step);
    if (step.purpose === 'warm-up') window += 1;
    const okPerS = choice.ratePerS?.(step.purpose === 'warm-up' ? window : 0) ?? 320;
    const { load, durationS, purpose } = step;
    const failed = choice.failing === true ? { okPerS: 0, failedPerS: okPerS } : { okPerS };
    return judgeTrial(madeUpTrial({ load, measuredS: durationS, purpose, ...failed }), null);
  }

  /** What comes beyond what the last window of warm-up answered is dropped. */
  function measured({ load, durationS }: TrialStep): JudgedTrial {
    const mostPerS = choice.ratePerS?.(window) ?? 320;
    const offeredPerS = load.model === 'open' ? Math.round(load.arrivalRatePerS) : mostPerS;
    const okPerS = Math.min(offeredPerS, mostPerS);
    return judgeTrial(madeUpTrial({ load, measuredS: durationS, okPerS, droppedPerS: offeredPerS - okPerS }), null);
  }
}

const trialsOf = (steps: readonly Step[], purpose: TrialStep['purpose']): TrialStep[] =>
  steps.filter((step): step is TrialStep => step.kind === 'trial' && step.purpose === purpose);

const describeStep = (step: Step): string =>
  step.kind === 'trial' ? `${step.scenario} ${step.purpose} ${loadLevel(step.load)}` : step.kind;

const acts = (steps: readonly Step[]) =>
  steps.filter(({ kind }) => kind === 'trial' || kind === 'rest').map(describeStep);

describe('the steps of a run', () => {
  it('check the answers, warm up, measure each load, and rest between scenarios', () => {
    expect(acts(walk())).toEqual([
      'login answer-check 1',
      ...['login warm-up 10', 'login warm-up 10'],
      ...['login measure 1', 'login measure 10', 'login measure 100'],
      'rest',
      'crud answer-check 1',
      ...['crud warm-up 10', 'crud warm-up 10'],
      ...['crud measure 1', 'crud measure 10', 'crud measure 100'],
    ]);
  });

  it('come last for scenarios that a document loads with many users, and the answer keeps the order of the question', () => {
    const { scenarios, targets, ...context } = contextOf(usual, {});
    const appliesTo = { tiers: [], scenarios: ['login'], concurrency: 100 };
    const target = { ...madeUpTarget({ value: 1, judged: { by: 'measured', metric: 'concurrency' } }), appliesTo };
    const walker = run.steps([subject], usual, { ...context, scenarios, targets: [...targets, target] });
    const names: string[] = [];
    let next = walker.next();
    for (; !next.done; next = walker.next()) if (next.value.kind === 'plan') names.push(next.value.scenario);
    expect(names).toEqual(['crud', 'login']);
    expect(next.value.scenarios.map(({ scenario }) => scenario)).toEqual(['login', 'crud']);
  });

  it('warm up until the throughput of all windows together is steady, and go on when it never is', () => {
    const settling = walk({ question: { scenarios: ['crud'] }, ratePerS: (window) => (window === 1 ? 289 : 320) });
    expect(trialsOf(settling, 'warm-up')).toHaveLength(3);
    const never = walk({ question: { scenarios: ['crud'] }, ratePerS: (window) => 200 * window });
    expect(trialsOf(never, 'warm-up')).toHaveLength(6);
    expect(trialsOf(never, 'measure')).toHaveLength(3);
  });

  it('do not warm up when no warm-up is asked for', () => {
    expect(trialsOf(walk({ question: { warmUpS: 0, scenarios: ['crud'] } }), 'warm-up')).toEqual([]);
  });

  it('check longer when no iteration came to its end: a request may never be answered', () => {
    const steps = walk({ question: { scenarios: ['crud'] }, ratePerS: (window) => (window === 0 ? 0 : 320) });
    expect(trialsOf(steps, 'answer-check').map(({ durationS }) => durationS)).toEqual([1, 11]);
  });

  it('bound the time they take from below and above', () => {
    for (const question of [usual, { ...usual, arrivalRatesPerS: null, concurrencies: null }]) {
      const context = contextOf(question, {});
      const { atLeastS, atMostS } = run.estimate([subject], question, context);
      const tookS = walk({ question }).reduce((sum, step) => sum + lengthS(step), 0);
      expect(tookS).toBeGreaterThanOrEqual(atLeastS);
      expect(tookS).toBeLessThanOrEqual(atMostS);
    }
  });

  it('say what comes after the planned trials: later scenarios and faults, each after a rest', () => {
    const plans = walk({ question: { warmUpS: 0, faults: [{ kind: 'kill', service: 'api' }] } }).filter(
      (step) => step.kind === 'plan',
    );
    // Of crud a check of 1 s and three trials of 30 s; a fault of 40 s; a rest of 3 s before both.
    expect(plans.map(({ after }) => after)).toEqual([
      { atLeastS: 137, atMostS: 137 },
      { atLeastS: 43, atMostS: 43 },
    ]);
  });
});

describe('the search for the sustained rate', () => {
  const found = { arrivalRatesPerS: null, concurrencies: null, scenarios: ['crud'] };
  const planOf = (steps: readonly Step[]) => {
    const plan = steps.find((step) => step.kind === 'plan');
    if (plan === undefined) throw new Error('no plan');
    return plan.trials;
  };
  const searched = (steps: readonly Step[]) =>
    trialsOf(steps, 'measure').filter(({ bracket }) => bracket !== undefined);

  it('begins below what the last window of warm-up answered, and ends with what it found', () => {
    const steps = walk({ question: found });
    expect(trialsOf(steps, 'warm-up')[0]?.load).toEqual({ model: 'closed', concurrency: 25 });
    const [first, ...others] = searched(steps);
    expect(first?.load).toEqual({ model: 'open', arrivalRatePerS: 272, arrivals: 'poisson' });
    const rates = others.map(({ load }) => loadLevel(load));
    // It closes in on 320/s, of which 5 % more may go unanswered.
    expect(rates.slice(-4).every((ratePerS) => ratePerS > 300 && ratePerS < 360)).toBe(true);
    const { sustainedRate } = answerOf({ question: found });
    expect(sustainedRate?.lowPerS).toBeLessThanOrEqual(320 / 0.95);
    expect(sustainedRate?.highPerS).toBeGreaterThanOrEqual(320 / 0.95);
    expect(sustainedRate?.highPerS).toBeLessThan(370);
  });

  it('keeps to its budget', () => {
    const spentS = searched(walk({ question: { ...found, quick: true, searchBudgetS: 20 } })).reduce(
      (sum, { durationS }) => sum + durationS,
      0,
    );
    expect(spentS).toBeGreaterThanOrEqual(10);
    expect(spentS).toBeLessThanOrEqual(25);
  });

  it('begins with the documented rates that the pilot trial reached, and is followed by the documented users', () => {
    const documented = { requestRatesPerS: [100, 500], concurrencies: [40, 2000] };
    const steps = walk({ question: found, documented });
    // The documented 500/s is more than it sustains, the documented 2000 users are more than there are.
    expect(
      searched(steps)
        .slice(0, 2)
        .map(({ load }) => loadLevel(load)),
    ).toEqual([100, 272]);
    expect(planOf(steps).map(({ load }) => loadLevel(load))).toEqual([40]);
  });

  it('is made even where nothing is to be warmed up', () => {
    expect(acts(walk({ question: { ...found, warmUpS: 0 } })).slice(0, 3)).toEqual([
      'crud answer-check 1',
      'crud warm-up 25',
      'crud measure 272',
    ]);
  });

  it('is not made where no iteration of the pilot trial succeeded, which is tried once more and noted', () => {
    const steps = walk({ question: { ...found, quick: true }, failing: true });
    expect(trialsOf(steps, 'warm-up')).toHaveLength(2);
    expect(steps.filter(({ kind }) => kind === 'note')).toHaveLength(2);
    expect(planOf(steps)).toMatchObject([{ load: { model: 'closed' } }]);
  });

  it('is for scenarios without think times: the others are measured by users, after a longer warm-up', () => {
    const question = { ...found, scenarios: ['browse'] };
    const documented = { requestRatesPerS: [500], concurrencies: [200] };
    const steps = walk({ question, documented, traits: { hasThinkTime: true } });
    expect(acts(steps)).toEqual(['browse answer-check 1', 'browse measure 200']);
    expect(trialsOf(steps, 'measure')[0]?.warmUpS).toBe(15);
    const undocumented = walk({ question, traits: { hasThinkTime: true } });
    expect(trialsOf(undocumented, 'measure').map(({ load }) => load)).toEqual([{ model: 'closed', concurrency: 100 }]);
  });

  it('is made by those users alone whom the rate needs', () => {
    const [first] = searched(walk({ question: found, traits: { hasUserSetup: true } }));
    // An iteration took 25 / 320 s in the pilot trial, so a second each is allowed.
    expect(first?.users).toBe(272);
    expect(searched(walk({ question: found }))[0]?.users).toBeUndefined();
  });

  it('has trials as long as a p95 takes where rates are low', () => {
    const [first] = searched(walk({ question: { ...found, quick: true, warmUpS: 1 }, ratePerS: () => 18 }));
    // 14.4/s: 72 requests are needed, and a third more against chance.
    expect(first).toMatchObject({ durationS: 7, warmUpS: 0 });
  });

  it('tells how long closed-loop users need for one iteration before they are measured', () => {
    const documented = { requestRatesPerS: [], concurrencies: [100] };
    const planned = planOf(walk({ question: { ...found, quick: true, warmUpS: 1 }, documented, ratePerS: () => 18 }));
    // 100 users at 18/s.
    expect(planned.map(({ warmUpS }) => warmUpS)).toEqual([6]);
  });

  it('is not made when rates are given', () => {
    const steps = walk({ question: { ...found, arrivalRatesPerS: [5, 500], concurrencies: [], warmUpS: 0 } });
    expect(acts(steps)).toEqual(['crud answer-check 1', 'crud measure 5', 'crud measure 500']);
  });
});

describe('stages', () => {
  it('are one trial whose rate goes evenly from each to the next, to the end of the last', () => {
    const stages = [
      { atS: 0, ratePerS: 50 },
      { atS: 60, ratePerS: 200 },
      { atS: 60, ratePerS: 20 },
      { atS: 120, ratePerS: 50 },
    ];
    const question = { stages, arrivalRatesPerS: [], concurrencies: [], scenarios: ['crud'] };
    const [trial, ...others] = trialsOf(walk({ question, traits: { hasUserSetup: true } }), 'measure');
    expect(others).toEqual([]);
    expect(trial).toMatchObject({
      durationS: 120,
      users: 200,
      load: {
        model: 'open',
        arrivalRatePerS: 50,
        changes: [
          { atS: 0, overS: 60, toRatePerS: 200 },
          { atS: 60, overS: 0, toRatePerS: 20 },
          { atS: 60, overS: 60, toRatePerS: 50 },
        ],
      },
    });
  });
});

describe('faults', () => {
  const faultsOf = (faults: RunQuestion['faults'], changes: Partial<RunQuestion> = {}) =>
    walk({ question: { ...changes, faults } }).flatMap((step) =>
      step.kind === 'trial' && step.fault !== undefined ? [{ ...step, fault: step.fault }] : [],
    );
  const namesOf = (faults: RunQuestion['faults']) =>
    faultsOf(faults).map(({ fault }) => `${fault.kind} ${fault.instance}`);

  it('come after the load steps, each after a rest', () => {
    const steps = walk({ question: { scenarios: ['crud'], faults: [{ kind: 'kill', service: 'database' }] } });
    expect(acts(steps).slice(-3)).toEqual(['crud measure 100', 'rest', 'crud fault 10']);
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
