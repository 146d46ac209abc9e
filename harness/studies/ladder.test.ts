import { describe, expect, it } from 'vitest';
import type { RunSettings } from '../core/run.ts';
import type { Trial } from '../core/trial.ts';
import { type IsSteady, type LadderStep, ladder, longestLadder } from './ladder.ts';

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
  ladder: [1, 10, 100],
  skipThinkTimes: false,
  scaleModelFactor: null,
  faults: [],
};

const answered = { iterations: { intended: 9, completed: 8, failed: 0, dropped: 0 } } as Trial;

function walk(isSteady: IsSteady, changes: Partial<RunSettings> = {}): LadderStep[] {
  const steps = ladder({ ...settings, ...changes }, isSteady);
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
    const steps = ladder({ ...settings, scenarios: ['crud'] }, () => true);
    steps.next();
    const again = steps.next({ iterations: { intended: 1, completed: 0, failed: 0, dropped: 0 } } as Trial).value;
    expect(again).toMatchObject({ purpose: 'answer-check', durationS: 11 });
    expect(steps.next().value).toMatchObject({ purpose: 'warm-up' });
  });

  it('never takes more steps than people are told', () => {
    expect(longestLadder(settings)).toEqual(walk(() => false));
  });
});
