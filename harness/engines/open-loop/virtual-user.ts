import type { TrialRequest } from '../engine.ts';
import { runnerForUser } from '../runner-for-user.ts';
import type { ScenarioRunner } from '../scenario-runner.ts';
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
  return {
    index,
    runner: runnerForUser(request, index),
    connection: undefined,
    phase: 'waiting',
    isSending: false,
    dueMs: 0,
    startedMs: 0,
    thinking: undefined,
  };
}
