import { expect, it } from 'vitest';
import { madeUpRun, madeUpTier } from '../../../test-support/made-up-trial.ts';
import type { Subject } from '../../core/app.ts';
import type { RunAnswer, SustainedRateAnswer } from '../../core/run.ts';
import type { SettingValue } from '../../core/tier.ts';
import { referenceApp } from '../../services/reference-app.ts';
import type { Answered } from '../study.ts';
import { knownFrom, startFrom } from './sweep.ts';

const question = { ...madeUpRun([], []).question, scenarios: ['crud'], precisionRatio: 0.1 };

function subject(value: SettingValue, cpus = 1): Subject {
  const variant = [
    { service: 'api', setting: 'instances', value, isOwn: false },
    { service: 'api', setting: 'cpus', value: cpus, isOwn: true },
  ];
  return { id: `single@${value}`, tier: madeUpTier, app: referenceApp, variant };
}

function measured(of: Subject, lowPerS: number | null, highPerS: number | null, pilotPerS = 100): Answered<RunAnswer> {
  const valuePerS = lowPerS === null || highPerS === null ? null : (lowPerS + highPerS) / 2;
  const found: Omit<SustainedRateAnswer, 'valuePerS' | 'lowPerS' | 'highPerS'> = {
    end: 'precise',
    binding: null,
    shape: null,
    monotone: true,
  };
  const sustainedRate = { ...found, valuePerS, lowPerS, highPerS };
  return {
    group: [of],
    answer: { subject: of.id, scenarios: [{ scenario: 'crud', sustainedRate, pilotPerS, sustained: [] }] },
  };
}

it('starts at the share of the pilot trial that the nearest value sustained', () => {
  const earlier = [measured(subject(1), 75, 85), measured(subject(8), 700, 740, 800)];
  expect(startFrom(subject(2), earlier, 'crud', 190)).toBeCloseTo(0.8 * 190);
  expect(startFrom(subject(6), earlier, 'crud', 600)).toBeCloseTo(0.9 * 600);
  // A value that differs in one setting is nearer than one that differs in both.
  expect(startFrom(subject(2, 4), [measured(subject(2), 50, 50), ...earlier], 'crud', 100)).toBeCloseTo(50);
  expect(startFrom(subject(2), [], 'crud', 190)).toBeNull();
  expect(startFrom(subject(2), [measured(subject(1), null, null)], 'crud', 190)).toBeNull();
});

it('knows a value between two that sustain nearly the same', () => {
  const earlier = [measured(subject(2), 95, 102), measured(subject(6), 97, 104), measured(subject(1), 50, 55)];
  expect(knownFrom(subject(4), question, earlier)).toEqual({
    code: 'value-known',
    subject: 'single@4',
    below: 'single@2',
    above: 'single@6',
    predictions: [{ scenario: 'crud', lowPerS: 95, highPerS: 104 }],
  });
});

it.each<[string, Subject, readonly Answered<RunAnswer>[]]>([
  ['beyond the values that were measured', subject(8), [measured(subject(2), 95, 102), measured(subject(6), 97, 104)]],
  ['between rates that differ', subject(4), [measured(subject(2), 95, 102), measured(subject(6), 120, 126)]],
  ['beside one without an interval', subject(4), [measured(subject(2), 95, 102), measured(subject(6), 97, null)]],
  ['that is no number', subject('on'), [measured(subject(2), 95, 102), measured(subject(6), 97, 104)]],
  ['of another combination', subject(4, 2), [measured(subject(2), 95, 102), measured(subject(6), 97, 104)]],
])('measures a value %s', (_, next, earlier) => {
  expect(knownFrom(next, question, earlier)).toBeNull();
});

it('measures every value where that is asked for', () => {
  const earlier = [measured(subject(2), 95, 102), measured(subject(6), 97, 104)];
  expect(knownFrom(subject(4), { ...question, sweepsAll: true }, earlier)).toBeNull();
});
