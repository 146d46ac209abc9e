import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Scenario, User } from '../../../scenarios/kit.ts';
import {
  type OutcomeCounts,
  type RequestOutcome,
  requestOutcomes,
  type StepResult,
  type Trial,
} from '../../core/trial.ts';
import type { TrialRequest } from '../../engines/engine.ts';
import { LatencyHistogram, mergeHistograms } from '../../histograms/latency-histogram.ts';
import { judgeTrial } from '../../judging/judge-trial.ts';

interface PlanSettings {
  readonly warmUpS?: number;
  readonly durationS?: number;
  readonly seed?: number;
  readonly timeoutS?: number;
}

/** A closed trial with as many users as virtual users, by a scenario of `scenarios/`: its file has its name. */
export function requestFor(
  scenario: Scenario,
  baseUrl: string,
  concurrency: number,
  settings: PlanSettings,
): TrialRequest {
  const users: User[] = Array.from({ length: concurrency }, (_, index) => ({
    index,
    email: `user-${index}@example.org`,
    password: '',
  }));
  return {
    scenario,
    scenarioFile: join(import.meta.dirname, 'scenarios', `${scenario.name}.ts`),
    users,
    plan: {
      scenario: scenario.name,
      baseUrl,
      load: { model: 'closed', concurrency },
      warmUpS: 0,
      durationS: 1,
      seed: 1,
      timeoutS: 10,
      ...settings,
    },
  };
}

/** A trial of open-loop load with that many virtual users for its arrivals. */
export function openRequestFor(
  scenario: Scenario,
  baseUrl: string,
  load: { readonly arrivalRatePerS: number; readonly arrivals?: 'poisson' | 'constant'; readonly users?: number },
  settings: PlanSettings,
): TrialRequest {
  const { arrivalRatePerS, arrivals = 'constant', users = 400 } = load;
  const request = requestFor(scenario, baseUrl, users, settings);
  return { ...request, plan: { ...request.plan, load: { model: 'open', arrivalRatePerS, arrivals } } };
}

/**
 * How much later than the truth a latency may be read because the generator itself was late, by its own account: on a
 * machine that does other things meanwhile this is no fault, as long as the trial says so.
 */
export function ownLagS({ generator: { sendLagP99S, eventLoopLagP99S } }: Trial): number {
  return (sendLagP99S ?? 0) + (eventLoopLagP99S ?? 0);
}

/**
 * Holds the figures of a trial to the truth. An engine without an event loop says by its utilization alone that it read
 * responses late, and not how late: where it was saturated, judging must call the trial invalid for that, and its figures
 * prove nothing.
 */
export function expectFigures(trial: Trial, figures: () => void): void {
  const { generator } = trial;
  if (generator.eventLoopLagP99S !== null || generator.utilizationRatio <= 0.8) {
    figures();
    return;
  }
  const unsaturated = { ...trial, generator: { ...generator, utilizationRatio: 0.5 } };
  expect(reasonsAgainst(trial).length, 'a saturated generator is a reason').toBe(
    reasonsAgainst(unsaturated).length + 1,
  );
}

function reasonsAgainst(trial: Trial): readonly unknown[] {
  const stored = { sequence: 1, subject: 'contract', purpose: 'measure' } as const;
  const { validity } = judgeTrial({ ...stored, trial, samples: [], notes: [] });
  return validity.kind === 'valid' ? [] : validity.reasons;
}

/**
 * `test` where the contract asks something of an engine, else nothing: what an engine need not do is no skipped test, which
 * would say that this machine lacks something.
 */
export function testWhere(isAsked: boolean): typeof test {
  const none = Object.assign(() => {}, { each: () => () => {} });
  return isAsked ? test : (none as unknown as typeof test);
}

/** Seconds join without gaps and their counts and histograms add up to the totals. */
export function expectConsistent(trial: Trial): void {
  const ends = trial.intervals.map((interval) => interval.startS + interval.durationS);
  expect(trial.intervals[0]?.startS).toBeCloseTo(-trial.plan.warmUpS, 9);
  for (const [index, interval] of trial.intervals.entries()) {
    expect(interval.durationS).toBeGreaterThan(0);
    expect(interval.durationS).toBeLessThanOrEqual(1);
    if (index > 0) expect(interval.startS).toBeCloseTo(ends[index - 1] ?? Number.NaN, 9);
  }
  expect(Math.max(0, ends.at(-1) ?? 0)).toBeCloseTo(trial.measuredS, 9);
  if (!trial.stopped) expect(trial.measuredS).toBeCloseTo(trial.plan.durationS, 9);

  const measured = trial.intervals.filter((interval) => interval.startS >= 0);
  for (const kind of ['intended', 'completed', 'failed', 'dropped'] as const) {
    expect(trial.iterations[kind]).toBe(sum(measured.map((interval) => interval.iterations[kind])));
  }
  const names = new Set(measured.flatMap((interval) => interval.steps.map((step) => step.name)));
  expect(trial.steps.map((step) => step.name)).toEqual([...names]);
  for (const total of trial.steps) {
    const parts = measured.flatMap((interval) => interval.steps).filter((step) => step.name === total.name);
    for (const outcome of requestOutcomes) {
      expect(total.outcomes[outcome]).toBe(sum(parts.map((part) => part.outcomes[outcome])));
    }
    expect(sum(Object.values(total.statuses))).toBe(
      total.outcomes.ok + total.outcomes['wrong-answer'] + total.outcomes['http-error'],
    );
    expect(total.responseBytes).toBe(sum(parts.map(({ responseBytes = 0 }) => responseBytes)));
    const merged = mergeHistograms(parts.map((part) => part.latency));
    expect(total.latency).toBe(merged.encode());
    expect(merged.count).toBe(total.outcomes.ok);
  }
}

/** Requests in flight at the end of the window. */
export function inFlightOf({ inFlightAtEnd }: Trial): number {
  return LatencyHistogram.decode(inFlightAtEnd).count;
}

/** All requests of a step ended like this; gives how many. */
export function expectOnly(outcome: RequestOutcome, trial: Trial, step = 'request'): number {
  const { [outcome]: count, ...others } = outcomesOf(trial, step);
  expect(others, step).toEqual(Object.fromEntries(Object.keys(others).map((other) => [other, 0])));
  return count;
}

export function latencyOf(trial: Trial, step: string): LatencyHistogram {
  return LatencyHistogram.decode(stepOf(trial, step).latency);
}

export function outcomesOf(trial: Trial, step: string): OutcomeCounts {
  return stepOf(trial, step).outcomes;
}

export function statusesOf(trial: Trial, step: string): StepResult['statuses'] {
  return stepOf(trial, step).statuses;
}

function stepOf(trial: Trial, name: string): StepResult {
  const found = trial.steps.find((step) => step.name === name);
  if (found === undefined) throw new Error(`the trial has no step '${name}'`);
  return found;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
