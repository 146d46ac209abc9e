import { type Problem, TierbenchError } from '../harness/core/errors.ts';
import type { Target } from '../harness/core/target.ts';
import { parseQuantity } from '../harness/core/units.ts';

export interface TypedTargets {
  readonly p95?: string;
  readonly errors?: string;
}

const kinds = [
  {
    id: 'p95',
    title: 'p95 latency of every step',
    unit: 's',
    isPossible: (valueS: number) => valueS > 0 && valueS <= 3600,
    range: 'a time above 0 and up to 1 h, such as 200ms',
    judged: { by: 'measured', metric: 'latency-p95', each: 'step' },
  },
  {
    id: 'errors',
    title: 'Failed requests of all requests',
    unit: 'ratio',
    // That nothing at all ever fails, no number of requests shows.
    isPossible: (ratio: number) => ratio > 0 && ratio < 1,
    range: 'a share above 0% and below 100%, such as 0.1%',
    judged: { by: 'measured', metric: 'error-ratio' },
  },
] as const;

/** The targets that `--p95` and `--errors` make, each with the name of its option as id. What is wrong joins `problems`. */
export function readTypedTargets(typed: TypedTargets, problems: Problem[]): readonly Target[] {
  return kinds.flatMap(({ id, title, unit, isPossible, range, judged }): Target[] => {
    const text = typed[id];
    if (text === undefined) return [];
    const parsed = parseQuantity(text);
    if ('problem' in parsed || parsed.value.unit !== unit || !isPossible(parsed.value.value)) {
      problems.push({ what: `--${id} must be ${range}, but is '${text}'` });
      return [];
    }
    return [
      {
        id,
        title,
        source: { document: 'command line', section: `--${id} ${text}` },
        comparison: '<=',
        value: parsed.value.value,
        unit,
        appliesTo: { tiers: [], scenarios: [] },
        judged,
        contradictions: [],
      },
    ];
  });
}

/** @throws TierbenchError OPTIONS_INVALID where a file gives one of its targets the id of a typed one. */
export function withTypedTargets(ofFiles: readonly Target[], typed: readonly Target[]): readonly Target[] {
  const problems = typed
    .filter(({ id }) => ofFiles.some((target) => target.id === id))
    .map(({ id }): Problem => ({ what: `the targets file has a target '${id}' too` }));
  if (problems.length === 0) return [...ofFiles, ...typed];
  const nextStep = 'Give the target of the file another id, or leave out the option.';
  throw new TierbenchError('OPTIONS_INVALID', 'two targets have one id', nextStep, { problems });
}
