import { suggestion } from '../core/closest-match.ts';
import { isLatencyMetric, type LatencyMetric, type MeasuredMetric, measuredMetrics } from '../core/target.ts';
import { parseQuantity, type Quantity, type Unit } from '../core/units.ts';
import { shippedTypes } from '../services/registry.ts';
import { describeValue, group, type ProblemAt } from './written-value.ts';

/** The names that `appliesTo` may use; absent where they are not known, and then nothing is said. */
export interface KnownNames {
  readonly tiers?: readonly string[];
  readonly scenarios?: readonly string[];
}

const waysToJudge = ['measured', 'setting', 'model', 'not-yet'] as const;

const unitsOfOthers: Readonly<Record<Exclude<MeasuredMetric, LatencyMetric>, Unit>> = {
  'response-bytes': 'bytes',
  'error-ratio': 'ratio',
  throughput: 'requests/s',
  concurrency: 'users',
  'data-size': 'tasks',
};

function unitOf(metric: MeasuredMetric): Unit {
  return isLatencyMetric(metric) ? 's' : unitsOfOthers[metric];
}

/** Works on a target that may be wrong in other ways too, so that all problems are reported at once. */
export function targetProblems(id: string, value: unknown, known: KnownNames): readonly ProblemAt[] {
  const target = group(value);
  if (Object.keys(target).length === 0) return [];
  const appliesTo = group(target.appliesTo);
  const problems = [
    ...valueProblems(target.value, target.comparison),
    ...missingComparison(target),
    ...judgementProblems(target),
    ...unknownNames('tiers', 'tier', appliesTo.tiers, known.tiers),
    ...unknownNames('scenarios', 'scenario', appliesTo.scenarios, known.scenarios),
  ];
  return problems.map((problem) => ({ ...problem, at: ['targets', id, ...problem.at] }));
}

/** A setting must be what the document says; a measured value equals no figure, and is above or below it. */
function missingComparison({ value, comparison, judged }: Readonly<Record<string, unknown>>): ProblemAt[] {
  if (comparison !== undefined || value === undefined || Array.isArray(value)) return [];
  if (group(judged).measured === undefined) return [];
  return [
    { at: ['comparison'], what: 'comparison is missing', nextStep: "Say which side is right: comparison: '<='." },
  ];
}

function valueProblems(value: unknown, comparison: unknown): ProblemAt[] {
  const at = ['value'];
  if (value === undefined) {
    return [{ at, what: 'value is missing', nextStep: 'Add it, with its unit: value: 200 ms.' }];
  }
  if (!Array.isArray(value)) {
    const problem = quantityProblem(at, value);
    const between = {
      at: ['comparison'],
      what: "'between' needs two values",
      nextStep: 'Write both ends: value: [1 s, 3 s].',
    };
    return [...(problem === null ? [] : [problem]), ...(comparison === 'between' ? [between] : [])];
  }
  const ends = value.map((end: unknown, index) => quantityProblem([...at, index], end));
  const wrong = ends.filter((problem) => problem !== null);
  if (value.length !== 2) {
    wrong.push({
      at,
      what: `value has ${value.length} ends`,
      nextStep: 'Write two ends, or one value without brackets.',
    });
  }
  if (comparison !== undefined && comparison !== 'between') {
    const nextStep = 'Leave comparison out, or write one value.';
    wrong.push({
      at: ['comparison'],
      what: `two values go with 'between', not with ${describeValue(comparison)}`,
      nextStep,
    });
  }
  const [low, high] = value.map(readQuantity);
  if (low === undefined || high === undefined || wrong.length > 0) return wrong;
  if (low.unit !== high.unit) {
    return [{ at, what: `the ends of value are in ${low.unit} and ${high.unit}`, nextStep: 'Write both in one unit.' }];
  }
  return low.value < high.value
    ? []
    : [{ at, what: 'the first end of value is not below the second', nextStep: 'Write the lower end first.' }];
}

function readQuantity(written: unknown): Quantity | undefined {
  const parsed = parseQuantity(
    typeof written === 'number' ? String(written) : typeof written === 'string' ? written : '',
  );
  return 'value' in parsed ? parsed.value : undefined;
}

function quantityProblem(at: ProblemAt['at'], written: unknown): ProblemAt | null {
  const nextStep = 'Write a number and its unit, as in 200 ms, 0.1 %, 512 MiB, 1k requests/s or 100 users.';
  if (typeof written !== 'string' && typeof written !== 'number') {
    return { at, what: `value must be a number with a unit, but is ${describeValue(written)}`, nextStep };
  }
  const parsed = parseQuantity(String(written));
  return 'value' in parsed ? null : { at, what: `value: ${parsed.problem}`, nextStep };
}

function judgementProblems(target: Readonly<Record<string, unknown>>): ProblemAt[] {
  if (target.judged === undefined || typeof target.judged !== 'object') return [];
  const judged = group(target.judged);
  const ways = waysToJudge.filter((way) => judged[way] !== undefined);
  if (ways.length !== 1) {
    const what = ways.length === 0 ? 'judged says no way' : `judged says ${ways.length} ways: ${ways.join(', ')}`;
    return [{ at: ['judged'], what, nextStep: `Write one of ${waysToJudge.join(', ')}.` }];
  }
  const { measured, setting } = judged;
  const extra = (['as', 'unless-off'] as const).find((key) => judged[key] !== undefined);
  if (setting === undefined && extra !== undefined) {
    return [{ at: ['judged', extra], what: `${extra} goes with a setting`, nextStep: 'Remove it.' }];
  }
  if (typeof setting === 'string' && setting.includes('.')) {
    const kind = setting.split('.')[0] ?? '';
    const kinds = [...shippedTypes.keys()];
    if (kinds.includes(kind)) return [];
    const what = `'${kind}' in ${setting} is no kind of service`;
    return [{ at: ['judged', 'setting'], what, nextStep: suggestion(kind, kinds) }];
  }
  const metric = measuredMetrics.find((name) => name === measured);
  const isLatency = metric !== undefined && isLatencyMetric(metric);
  if (judged.each !== undefined && !isLatency) {
    return [{ at: ['judged', 'each'], what: 'each goes with a measured latency', nextStep: 'Remove it.' }];
  }
  if (group(target.appliesTo).steps !== undefined && !isLatency) {
    return [{ at: ['appliesTo', 'steps'], what: 'steps go with a measured latency', nextStep: 'Remove them.' }];
  }
  const first = readQuantity(Array.isArray(target.value) ? target.value[0] : target.value);
  if (metric === undefined || first === undefined || first.unit === unitOf(metric)) return [];
  const what = `${metric} is measured in ${unitOf(metric)}, but value is in ${first.unit}`;
  return [{ at: ['value'], what, nextStep: `Write a value in ${unitOf(metric)}, or name another metric.` }];
}

function unknownNames(key: string, kind: string, names: unknown, known: readonly string[] | undefined): ProblemAt[] {
  if (known === undefined || !Array.isArray(names)) return [];
  return names.flatMap((name: unknown, index): ProblemAt[] =>
    typeof name !== 'string' || known.includes(name)
      ? []
      : [{ at: ['appliesTo', key, index], what: `there is no ${kind} '${name}'`, nextStep: suggestion(name, known) }],
  );
}
