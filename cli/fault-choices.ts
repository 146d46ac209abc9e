import { suggestion } from '../harness/core/closest-match.ts';
import { type Problem, TierbenchError } from '../harness/core/errors.ts';
import type { FaultChoice } from '../harness/core/run.ts';
import type { Tier } from '../harness/core/tier.ts';
import { type FaultKind, faultKinds } from '../harness/core/trial.ts';
import { instanceNamed } from '../harness/studies/run/faults.ts';

/** `kill:cache,pause:database/1`, and with `all` every service killed and paused in turn. */
export function readFaultChoices(words: readonly string[], all: boolean, problems: Problem[]): FaultChoice[] {
  const chosen = words.flatMap((word): FaultChoice[] => {
    const [, kind = '', service] = /^([^:]*):(.+)$/.exec(word) ?? [];
    if (service === undefined) {
      problems.push({ what: `--fault '${word}' is no fault`, nextStep: 'write KIND:SERVICE, such as kill:cache' });
      return [];
    }
    if (!isFaultKind(kind)) {
      problems.push({ what: `--fault '${word}': there is no fault '${kind}'`, nextStep: suggestion(kind, faultKinds) });
      return [];
    }
    return [{ kind, service }];
  });
  return [...chosen, ...(all ? faultKinds.map((kind): FaultChoice => ({ kind, service: null })) : [])];
}

function isFaultKind(text: string): text is FaultKind {
  return faultKinds.some((kind) => kind === text);
}

/** @throws TierbenchError OPTIONS_INVALID with every service that none of the tiers has. */
export function checkFaultServices(faults: readonly FaultChoice[], tiers: readonly Tier[]): void {
  const known = [...new Set(tiers.flatMap(({ services }) => services.map(({ name }) => name)))];
  const problems = faults.flatMap(({ kind, service }): Problem[] => {
    if (service === null || tiers.some((tier) => instanceNamed(service, tier) !== undefined)) return [];
    const [name = ''] = service.split('/');
    const what = known.includes(name) ? `'${name}' has no instance '${service}'` : `there is no service '${service}'`;
    return [
      {
        what: `--fault '${kind}:${service}': ${what} in ${tiers.map((tier) => tier.name).join(', ')}`,
        nextStep: known.includes(name) ? 'instances count from 1, up to those of the tier' : suggestion(name, known),
      },
    ];
  });
  if (problems.length === 0) return;
  throw new TierbenchError(
    'OPTIONS_INVALID',
    problems.length === 1 ? 'a fault names nothing' : `${problems.length} faults name nothing`,
    '`tierbench tiers` lists the services of each tier.',
    { problems },
  );
}
