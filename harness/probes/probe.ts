import { once } from 'node:events';
import { type Agent, get, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
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

/** The text at `url`. Rejects when the answer is not 200 or takes longer than `timeoutS`; `name` is what the error calls it. */
export async function fetchText(name: string, url: string, agent: Agent, timeoutS: number): Promise<string> {
  const signal = AbortSignal.timeout(timeoutS * 1000);
  try {
    const request = get(url, { agent, signal });
    const [response]: IncomingMessage[] = await once(request, 'response');
    if (response === undefined) throw new Error('no answer');
    const body = await text(response);
    if (response.statusCode !== 200) throw new Error(`answered ${response.statusCode}`);
    return body;
  } catch (cause) {
    const what = signal.aborted ? `did not answer within ${timeoutS} s` : (cause as Error).message;
    throw new Error(`${name}: ${what}`, { cause });
  }
}
