import {
  type GeneratorHealth,
  type Interval,
  type IterationCounts,
  type OutcomeCounts,
  requestOutcomes,
  type StepResult,
  type Trial,
} from '../../core/trial.ts';
import { mergeHistograms } from '../../histograms/latency-histogram.ts';

/** Merges what several generator processes measured, each for its share of one trial. */
export function mergeTrials([first, ...others]: readonly [Trial, ...Trial[]]): Trial {
  if (others.length === 0) return first;
  const parts = [first, ...others];
  const longest = parts.reduce((most, part) => (part.intervals.length > most.intervals.length ? part : most));
  // After a stop, one process may have continued into the next second.
  const intervals = longest.intervals.map((_, index) =>
    mergeIntervals(parts.flatMap(({ intervals: own }) => own.slice(index, index + 1))),
  );
  const seen = intervals.filter(({ startS }) => startS >= 0).flatMap(({ steps }) => steps.map(({ name }) => name));
  const order = [...new Set(seen)];
  const examples = new Map(
    parts.flatMap(({ failureExamples }) => failureExamples).map((one) => [`${one.outcome} ${one.step}`, one]),
  );
  return {
    ...first,
    startedAt: parts.map(({ startedAt }) => startedAt).toSorted()[0] ?? first.startedAt,
    startedAtMonotonicS: Math.min(...parts.map(({ startedAtMonotonicS }) => startedAtMonotonicS)),
    measuredS: Math.max(...parts.map(({ measuredS }) => measuredS)),
    stopped: parts.some(({ stopped }) => stopped),
    iterations: sumIterations(parts.map(({ iterations }) => iterations)),
    steps: mergeSteps(parts.map(({ steps }) => steps)).toSorted(
      (left, right) => order.indexOf(left.name) - order.indexOf(right.name),
    ),
    intervals,
    inFlightAtEnd: mergeHistograms(parts.map(({ inFlightAtEnd }) => inFlightAtEnd)).encode(),
    generator: worstHealth(parts.map(({ generator }) => generator)),
    failureExamples: [...examples.values()],
  };
}

/** The same second of each. */
export function mergeIntervals(parts: readonly Interval[]): Interval {
  const [first, ...others] = parts;
  // Avoids decoding and encoding histograms each second on the generator's CPU.
  if (first !== undefined && others.length === 0) return first;
  return {
    startS: Math.min(...parts.map(({ startS }) => startS)),
    durationS: Math.max(...parts.map(({ durationS }) => durationS)),
    iterations: sumIterations(parts.map(({ iterations }) => iterations)),
    steps: mergeSteps(parts.map(({ steps }) => steps)),
  };
}

function mergeSteps(parts: readonly (readonly StepResult[])[]): StepResult[] {
  const byName = Map.groupBy(parts.flat(), ({ name }) => name);
  return [...byName].map(([name, steps]) => ({
    name,
    outcomes: Object.fromEntries(
      requestOutcomes.map((outcome) => [outcome, sum(steps.map(({ outcomes }) => outcomes[outcome]))]),
    ) as OutcomeCounts,
    statuses: sumStatuses(steps.map(({ statuses }) => statuses)),
    responseBytes: sum(steps.map(({ responseBytes = 0 }) => responseBytes)),
    latency: mergeHistograms(steps.map(({ latency }) => latency)).encode(),
    ...mergeOptional(steps, 'serviceTime'),
    ...mergeOptional(steps, 'closedLoop'),
  }));
}

function mergeOptional<Kind extends 'serviceTime' | 'closedLoop'>(
  steps: readonly StepResult[],
  kind: Kind,
): { readonly [K in Kind]?: string } {
  const present = steps.flatMap((step) => step[kind] ?? []);
  return present.length === 0
    ? {}
    : ({ [kind]: mergeHistograms(present).encode() } as { readonly [K in Kind]: string });
}

function sumStatuses(parts: readonly StepResult['statuses'][]): StepResult['statuses'] {
  const counts: Record<string, number> = {};
  for (const [status, count] of parts.flatMap((part) => Object.entries(part))) {
    counts[status] = (counts[status] ?? 0) + count;
  }
  return counts;
}

function sumIterations(parts: readonly IterationCounts[]): IterationCounts {
  return {
    intended: sum(parts.map(({ intended }) => intended)),
    completed: sum(parts.map(({ completed }) => completed)),
    failed: sum(parts.map(({ failed }) => failed)),
    dropped: sum(parts.map(({ dropped }) => dropped)),
  };
}

/** The worst process decides whether the generator kept up. */
function worstHealth(parts: readonly GeneratorHealth[]): GeneratorHealth {
  const worst = (values: readonly (number | null)[]): number | null => {
    const known = values.filter((value) => value !== null);
    return known.length === 0 ? null : Math.max(...known);
  };
  return {
    utilizationRatio: Math.max(...parts.map(({ utilizationRatio }) => utilizationRatio)),
    eventLoopLagP99S: worst(parts.map(({ eventLoopLagP99S }) => eventLoopLagP99S)),
    sendLagP99S: worst(parts.map(({ sendLagP99S }) => sendLagP99S)),
  };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
