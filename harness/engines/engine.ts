import type { Scenario, User } from '../../scenarios/kit.ts';
import type { ArrivalProcess, OfferedLoad } from '../core/load.ts';
import type { Interval, Trial, TrialPlan } from '../core/trial.ts';

/** Everything a trial needs. `users` carries passwords, so it is kept apart from the plan, which is stored. */
export interface TrialRequest {
  readonly plan: TrialPlan;
  readonly scenario: Scenario;
  /** Where the scenario was read from, for engines that run it elsewhere. */
  readonly scenarioFile?: string;
  /** Virtual user `i` is `users[i]`; there must be at least as many as virtual users. */
  readonly users: readonly User[];
  /** Leave think times out. */
  readonly skipThinkTimes?: boolean;
  /** A trial may go on with the sessions of the one before it that had the same key, where the engine keeps them. */
  readonly sessionsKey?: string;
}

/** Drives one scenario at one offered load. What it must do is `harness/contracts/engines/engine-contract.ts`, which every engine runs. */
export interface LoadEngine {
  readonly name: string;
  readonly supports: ReadonlySet<OfferedLoad['model']>;
  /** How arrivals may follow one another; empty where it offers no open load. */
  readonly arrivals: ReadonlySet<ArrivalProcess>;
  /**
   * Resolves when the measured window is over, or soon after `signal` aborts: then with what was measured and
   * `stopped: true`. Rejects with a TierbenchError when the trial cannot be run at all.
   */
  run(request: TrialRequest, signal: AbortSignal, onInterval?: (interval: Interval) => void): Promise<Trial>;
}
