import type { TrialRequest } from '../engine.ts';
import { createScenarioRunner, type ScenarioRunner } from '../scenario-runner.ts';
import type { Connection } from './connection.ts';

export interface VirtualUserState {
  readonly index: number;
  readonly runner: ScenarioRunner;
  connection: Connection<VirtualUserState> | undefined;
  phase: 'waiting' | 'beginning' | 'begun' | 'iterating';
  isSending: boolean;
  /** Of the request in flight: when it was meant to start, and when it did, by `performance.now()`. */
  dueMs: number;
  startedMs: number;
  thinking: NodeJS.Timeout | undefined;
}

export function virtualUser(request: TrialRequest, index: number): VirtualUserState {
  const user = request.users[index];
  if (user === undefined) throw new RangeError(`there is no user for virtual user ${index}`);
  const runner = createScenarioRunner({
    scenario: request.scenario,
    user,
    seed: request.plan.seed,
    virtualUser: index,
    skipThinkTimes: request.skipThinkTimes ?? false,
  });
  return {
    index,
    runner,
    connection: undefined,
    phase: 'waiting',
    isSending: false,
    dueMs: 0,
    startedMs: 0,
    thinking: undefined,
  };
}
