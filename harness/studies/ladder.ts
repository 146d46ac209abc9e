import type { RunSettings } from '../core/run.ts';
import type { Tier } from '../core/tier.ts';
import type { Trial } from '../core/trial.ts';
import { faultSteps } from './fault-steps.ts';
import type { LadderStep } from './steps.ts';

/** Have the warm-up windows so far, one after the other, come to a steady throughput? */
export type IsSteady = (windows: readonly Trial[]) => boolean;

const ANSWER_CHECK_S = 1;
/** A window of warm-up; the next one follows until the answers come steadily, or this often. */
const WARM_UP_WINDOW_S = 5;
const MOST_WARM_UP_WINDOWS = 6;
const MOST_WARM_UP_WINDOWS_QUICK = 1;

/**
 * The decisions of the run study on one tier, free of clocks and sockets: for each scenario check that the answers are
 * right, warm up until steady, climb the concurrencies, cool down; then the faults that were asked for. It receives each
 * trial it asked for.
 */
export function* ladder(
  settings: RunSettings,
  tier: Tier,
  isSteady: IsSteady,
): Generator<LadderStep, void, Trial | undefined> {
  const { timeoutS } = settings;
  for (const [index, scenario] of settings.scenarios.entries()) {
    if (index > 0) yield { kind: 'cool-down', durationS: settings.coolDownS };
    const check: LadderStep = {
      kind: 'trial',
      purpose: 'answer-check',
      scenario,
      load: { model: 'closed', concurrency: 1 },
      warmUpS: 0,
      durationS: ANSWER_CHECK_S,
      timeoutS,
    };
    const checked = yield check;
    // No iteration came to its end: then it is given the time in which a request that is never answered times out.
    if (checked?.iterations.completed === 0) yield { ...check, durationS: timeoutS + ANSWER_CHECK_S };
    const warmUpConcurrency = middleConcurrency(settings.concurrencies ?? []);
    const mostWindows = settings.warmUpS === 0 ? 0 : settings.quick ? MOST_WARM_UP_WINDOWS_QUICK : MOST_WARM_UP_WINDOWS;
    const windows: Trial[] = [];
    for (let window = 0; window < mostWindows; window += 1) {
      const trial = yield {
        kind: 'trial',
        purpose: 'warm-up',
        scenario,
        load: { model: 'closed', concurrency: warmUpConcurrency },
        warmUpS: 0,
        durationS: WARM_UP_WINDOW_S,
        timeoutS,
      };
      if (trial !== undefined) windows.push(trial);
      if (isSteady(windows)) break;
    }
    for (const concurrency of settings.concurrencies ?? []) {
      yield {
        kind: 'trial',
        purpose: 'measure',
        scenario,
        load: { model: 'closed', concurrency },
        warmUpS: settings.warmUpS,
        durationS: settings.durationS,
        timeoutS,
      };
    }
  }
  for (const step of faultSteps(settings, tier, middleConcurrency(settings.concurrencies ?? []))) {
    yield { kind: 'cool-down', durationS: settings.coolDownS };
    yield step;
  }
}

/** The steps of a ladder that warms up as long as it may, for the time left that people see. */
export function longestLadder(settings: RunSettings, tier: Tier): readonly LadderStep[] {
  return [...ladder(settings, tier, () => false)];
}

function middleConcurrency(concurrencies: readonly number[]): number {
  return concurrencies[Math.floor((concurrencies.length - 1) / 2)] ?? 1;
}
