import type { Subject } from '../../core/app.ts';
import type { FaultChoice, RunQuestion } from '../../core/run.ts';
import type { Tier } from '../../core/tier.ts';
import type { TrialStep } from '../study.ts';
import { middleOf, USUAL_CONCURRENCY } from './load-steps.ts';

/** The window of a fault trial: a quarter before the fault, a quarter while it lasts, the rest to see the recovery. */
const FAULT_WINDOW_S = 40;
const FAULT_WINDOW_QUICK_S = 24;
/**
 * A closed load waits for its answers: on a service that is silent each virtual user would wait out a long timeout, and
 * what comes back meanwhile would not be seen.
 */
const FAULT_TIMEOUT_S = 2;

/** One trial for each chosen fault that the tier has the service for, with crud where it is among the scenarios. */
export function faultSteps(question: RunQuestion, { id, tier }: Subject): readonly TrialStep[] {
  const scenario = question.scenarios.includes('crud') ? 'crud' : question.scenarios.at(-1);
  if (scenario === undefined) return [];
  const durationS = question.quick ? FAULT_WINDOW_QUICK_S : FAULT_WINDOW_S;
  return faultsOf(question.faults, tier).map(({ kind, instance }) => ({
    kind: 'trial',
    subject: id,
    purpose: 'fault',
    scenario,
    load: { model: 'closed', concurrency: middleOf(question.concurrencies ?? [], USUAL_CONCURRENCY) },
    warmUpS: question.warmUpS,
    durationS,
    timeoutS: Math.min(question.timeoutS, FAULT_TIMEOUT_S),
    fault: { kind, instance, atS: durationS / 4, undoAtS: durationS / 2 },
  }));
}

/** Each fault once, in the order they were chosen; those on every service by service. */
function faultsOf(
  choices: readonly FaultChoice[],
  tier: Tier,
): readonly { kind: FaultChoice['kind']; instance: string }[] {
  const named = choices.flatMap(({ kind, service }) => {
    const instance = service === null ? undefined : instanceNamed(service, tier);
    return instance === undefined ? [] : [{ kind, instance }];
  });
  const kindsForAll = choices.filter(({ service }) => service === null).map(({ kind }) => kind);
  const onAll = tier.services.flatMap(({ name }) => kindsForAll.map((kind) => ({ kind, instance: `${name}/1` })));
  const all = [...named, ...onAll].map((fault) => [`${fault.kind}:${fault.instance}`, fault] as const);
  return [...new Map(all).values()];
}

/** `api` is its first instance, `api/2` the second; undefined where the tier has no such instance. */
export function instanceNamed(text: string, tier: Tier): string | undefined {
  const [, name, position = '1'] = /^([^/]+)(?:\/(\d+))?$/.exec(text) ?? [];
  const service = tier.services.find((each) => each.name === name);
  const number = Number(position);
  return service !== undefined && number >= 1 && number <= service.instances ? `${service.name}/${number}` : undefined;
}
