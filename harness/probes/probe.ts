import { isMetricId, type MetricId } from '../core/metrics.ts';
import type { ProbeSample } from '../core/trial.ts';

export type Reading = Omit<ProbeSample, 'atS'>;

/** One source of evidence, read once a second while a trial runs. */
export interface Probe extends AsyncDisposable {
  readonly name: string;
  /** Counters are given as rates since the last call, so the first call may return nothing. */
  read(): Promise<readonly Reading[]>;
}

/** Values of one source by metric; undefined where it does not say. */
export type Values = Readonly<Partial<Record<MetricId, number | undefined>>>;

export function readingsOf(source: string, ...values: readonly Values[]): readonly Reading[] {
  return values
    .flatMap((each) => Object.entries(each))
    .flatMap(([metric, value]) => (value === undefined || !isMetricId(metric) ? [] : [{ source, metric, value }]));
}

/** What counters were counted up by since the last reading. */
export interface Increments<Name extends string> {
  readonly elapsedS: number;
  readonly by: Readonly<Record<Name, number>>;
  /** The same per second. */
  readonly perS: Readonly<Record<Name, number>>;
}

export interface CounterMemory<Name extends string> {
  /** Undefined for the first reading. A counter that is lower than before was reset: all it counts is new. */
  next(counters: Readonly<Record<Name, number>>): Increments<Name> | undefined;
  /** The next reading is a first one: the source was away meanwhile. */
  forget(): void;
}

export function rememberCounters<Name extends string>(): CounterMemory<Name> {
  let before: { readonly atMs: number; readonly counters: Readonly<Record<Name, number>> } | undefined;
  return {
    next(counters) {
      const last = before;
      before = { atMs: performance.now(), counters };
      if (last === undefined || before.atMs <= last.atMs) return undefined;
      const elapsedS = (before.atMs - last.atMs) / 1000;
      const by = mapValues(counters, (now, name) => (now >= last.counters[name] ? now - last.counters[name] : now));
      return { elapsedS, by, perS: mapValues(by, (count) => count / elapsedS) };
    },
    forget() {
      before = undefined;
    },
  };
}

function mapValues<Name extends string>(
  values: Readonly<Record<Name, number>>,
  change: (value: number, name: Name) => number,
): Record<Name, number> {
  const names = Object.keys(values) as Name[];
  return Object.fromEntries(names.map((name) => [name, change(values[name], name)])) as Record<Name, number>;
}
