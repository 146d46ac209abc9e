import type { TrialRequest } from './engine.ts';
import { createScenarioRunner, type ScenarioRunner } from './scenario-runner.ts';

/** The scenario of a trial, as the virtual user with this index goes through it. */
export function runnerForUser(request: TrialRequest, virtualUser: number): ScenarioRunner {
  const user = request.users[virtualUser];
  if (user === undefined) throw new RangeError(`there is no user for virtual user ${virtualUser}`);
  return createScenarioRunner({
    scenario: request.scenario,
    user,
    seed: request.plan.seed,
    virtualUser,
    skipThinkTimes: request.skipThinkTimes ?? false,
  });
}
