import type { Problem } from '../harness/core/errors.ts';
import { type ArrivalProcess, arrivalProcesses } from '../harness/core/load.ts';
import type { RunQuestion } from '../harness/core/run.ts';
import type { TypedReader } from './typed-reader.ts';

/** The first is the default. */
export const engineNames = ['open-loop', 'k6', 'autocannon'] as const;
export type EngineName = (typeof engineNames)[number];

/** What the engines say of themselves (`arrivals`), known before one is loaded; the first is what it offers by default. */
export const arrivalsOf: Readonly<Record<EngineName, readonly ArrivalProcess[]>> = {
  'open-loop': ['poisson', 'constant'],
  k6: ['constant'],
  autocannon: [],
};

/** Why `--rate` and `--arrivals` are refused. */
const whyNot: Readonly<Record<EngineName, string>> = {
  'open-loop': '',
  k6: "k6's arrivals are evenly spaced: its executors know no others",
  autocannon: 'autocannon sends the next request when the last is answered, and with a rate it reads wrong latencies',
};

/** Where an engine knows no arrivals, a scenario is measured by these instead. */
const concurrencyLadder = [1, 2, 5, 10, 25, 50, 100];
/** The ends and the middle. */
const quickConcurrencyLadder = [1, 10, 100];

export interface TypedLoadOptions {
  readonly rate?: string;
  readonly arrivals?: string;
  readonly concurrency?: string;
  readonly workers?: string;
  readonly k6?: string;
}

interface Loads extends Pick<RunQuestion, 'arrivalRatesPerS' | 'arrivals' | 'concurrencies' | 'stages'> {
  readonly workers: number;
}

/** What is offered: as it was typed, or found out by the run. */
export function readLoads(
  typed: TypedLoadOptions,
  engine: EngineName,
  quick: boolean,
  read: TypedReader,
  problems: Problem[],
): Loads {
  const offered = arrivalsOf[engine];
  const rates =
    typed.rate === undefined ? undefined : read.numbers('--rate', typed.rate, { from: 0.01, to: 1_000_000 });
  const concurrencies =
    typed.concurrency === undefined
      ? undefined
      : read.numbers('--concurrency', typed.concurrency, { from: 1, to: 10_000, whole: true });
  const arrivals =
    typed.arrivals === undefined ? undefined : read.oneOf('--arrivals', typed.arrivals, arrivalProcesses);

  if (rates !== undefined && offered.length === 0) {
    problems.push({
      what: `--rate ${typed.rate} does not go with --engine ${engine}: ${whyNot[engine]}`,
      nextStep: 'choose an engine that knows arrival rates (--engine open-loop), or give --concurrency',
    });
  } else if (arrivals !== undefined && !offered.includes(arrivals)) {
    problems.push({
      what: `--arrivals ${arrivals} does not go with --engine ${engine}: ${whyNot[engine]}`,
      nextStep:
        offered.length === 0 ? 'choose --engine open-loop' : `choose --engine open-loop, or --arrivals ${offered[0]}`,
    });
  } else if (arrivals !== undefined && rates === undefined && concurrencies !== undefined) {
    problems.push({
      what: `--arrivals ${arrivals} says how arrivals follow one another, but with --concurrency alone nothing arrives`,
      nextStep: 'give --rate too, or leave one of the two out',
    });
  }
  if (typed.k6 !== undefined && engine !== 'k6') {
    problems.push({
      what: `--k6 ${typed.k6} goes with --engine k6 only`,
      nextStep: 'leave it out, or add --engine k6',
    });
  }
  const workers = read.number('--workers', typed.workers, 1, { from: 1, to: 64, whole: true });
  if (typed.workers !== undefined && engine !== 'open-loop') {
    problems.push({
      what: `--workers ${typed.workers} goes with --engine open-loop only`,
      nextStep: 'the other engines choose their threads themselves',
    });
  }
  const nothingTyped = rates === undefined && concurrencies === undefined;
  return {
    arrivalRatesPerS: rates ?? (nothingTyped && offered.length > 0 ? null : []),
    arrivals: arrivals ?? offered[0] ?? 'constant',
    stages: null,
    concurrencies: concurrencies ?? defaultConcurrencies(nothingTyped, offered.length > 0, quick),
    workers,
  };
}

function defaultConcurrencies(nothingTyped: boolean, knowsArrivals: boolean, quick: boolean): readonly number[] | null {
  if (!nothingTyped) return [];
  if (knowsArrivals) return null;
  return quick ? quickConcurrencyLadder : concurrencyLadder;
}
