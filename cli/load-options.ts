import type { Problem } from '../harness/core/errors.ts';
import { type ArrivalProcess, arrivalProcesses } from '../harness/core/load.ts';
import type { RunQuestion } from '../harness/core/run.ts';
import { splitList, type TypedReader } from './typed-reader.ts';

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

/** The loads of a scenario where the engine has no open-loop load. */
const concurrencies = [1, 2, 5, 10, 25, 50, 100];
/** The ends and the middle. */
const quickConcurrencies = [1, 10, 100];

/** How wide the interval of a sustained rate may be, and how long its trials may take together. */
const PRECISION = 0.05;
const PRECISION_QUICK = 0.1;
const SEARCH_S = 300;
const SEARCH_QUICK_S = 20;

export interface TypedLoadOptions {
  readonly rate?: string;
  readonly arrivals?: string;
  readonly concurrency?: string;
  readonly stages?: string;
  readonly precision?: string;
  readonly searchTime?: string;
  readonly workers?: string;
  readonly k6?: string;
}

interface Loads
  extends Pick<
    RunQuestion,
    | 'arrivalRatesPerS'
    | 'arrivals'
    | 'concurrencies'
    | 'precisionRatio'
    | 'searchBudgetS'
    | 'searchesConcurrency'
    | 'stages'
  > {
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
  const refuse = (what: string, nextStep: string) => problems.push({ what, nextStep });
  const rates =
    typed.rate === undefined ? undefined : read.numbers('--rate', typed.rate, { from: 0.01, to: 1_000_000 });
  const concurrencies =
    typed.concurrency === undefined
      ? undefined
      : read.numbers('--concurrency', typed.concurrency, { from: 1, to: 10_000, whole: true });
  const arrivals =
    typed.arrivals === undefined ? undefined : read.oneOf('--arrivals', typed.arrivals, arrivalProcesses);

  if (rates !== undefined && offered.length === 0) {
    refuse(
      `--rate ${typed.rate} does not go with --engine ${engine}: ${whyNot[engine]}`,
      'choose an engine that knows arrival rates (--engine open-loop), or give --concurrency',
    );
  } else if (arrivals !== undefined && !offered.includes(arrivals)) {
    refuse(
      `--arrivals ${arrivals} does not go with --engine ${engine}: ${whyNot[engine]}`,
      offered.length === 0 ? 'choose --engine open-loop' : `choose --engine open-loop, or --arrivals ${offered[0]}`,
    );
  } else if (arrivals !== undefined && rates === undefined && concurrencies !== undefined) {
    refuse(
      `--arrivals ${arrivals} says how arrivals follow one another, but with --concurrency alone nothing arrives`,
      'give --rate too, or leave one of the two out',
    );
  }
  const stages = typed.stages === undefined ? null : readStages(typed.stages, read, problems);
  if (stages !== null && offered.length === 0) {
    refuse(
      `--stages ${typed.stages} does not go with --engine ${engine}: ${whyNot[engine]}`,
      'choose an engine that knows arrival rates, such as --engine open-loop',
    );
  }
  for (const option of ['rate', 'concurrency'] as const) {
    if (stages === null || typed[option] === undefined) continue;
    refuse(`--stages and --${option} exclude each other`, 'stages are a load of their own: leave out one of them');
  }
  if (typed.k6 !== undefined && engine !== 'k6') {
    refuse(`--k6 ${typed.k6} goes with --engine k6 only`, 'leave it out, or add --engine k6');
  }
  const workers = read.number('--workers', typed.workers, 1, { from: 1, to: 64, whole: true });
  if (typed.workers !== undefined && engine === 'k6') {
    refuse(`--workers ${typed.workers} does not go with --engine k6`, 'leave it out: k6 chooses its threads itself');
  }
  const isGiven = rates !== undefined || concurrencies !== undefined || stages !== null || offered.length === 0;
  for (const [option, text] of [
    ['--precision', typed.precision],
    ['--search-time', typed.searchTime],
  ] as const) {
    if (text === undefined || !isGiven) continue;
    refuse(
      `${option} ${text} is about the search for the sustained rate, and these loads leave nothing to search`,
      'leave it out, or let the run search: without --rate, --concurrency and --stages',
    );
  }
  const nothingTyped = rates === undefined && concurrencies === undefined && stages === null;
  return {
    arrivalRatesPerS: rates ?? (nothingTyped && offered.length > 0 ? null : []),
    arrivals: arrivals ?? offered[0] ?? 'constant',
    precisionRatio: read.percent('--precision', typed.precision, quick ? PRECISION_QUICK : PRECISION, {
      from: 1,
      to: 50,
    }),
    searchBudgetS: read.seconds('--search-time', typed.searchTime, quick ? SEARCH_QUICK_S : SEARCH_S, {
      from: 10,
      to: 86_400,
    }),
    stages,
    concurrencies: concurrencies ?? defaultConcurrencies(nothingTyped, offered.length > 0, quick),
    ...(nothingTyped && offered.length === 0 && { searchesConcurrency: true }),
    workers,
  };
}

/** `0:50,60:200,120:50`: seconds and arrivals per second, the first at 0 s, in the order of time. */
function readStages(text: string, read: TypedReader, problems: Problem[]): Loads['stages'] {
  const stages = splitList(text).map((word) => {
    const [at = '', rate = '', ...others] = word.split(':');
    if (others.length > 0) problems.push({ what: `--stages: '${word}' is no stage`, nextStep: STAGES_HINT });
    return {
      atS: read.seconds('--stages', at, 0, { from: 0, to: 86_400 }),
      ratePerS: read.number('--stages', rate, 1, { from: 0.01, to: 1_000_000 }),
    };
  });
  const inOrder = stages.every(({ atS }, index) => atS >= (stages[index - 1]?.atS ?? 0));
  if (stages.length < 2 || stages[0]?.atS !== 0 || !inOrder || stages.at(-1)?.atS === 0) {
    problems.push({
      what: `--stages '${text}' must begin at 0 s and go on in the order of time`,
      nextStep: STAGES_HINT,
    });
  }
  return stages;
}

const STAGES_HINT = 'write SECONDS:RATE for two stages or more, such as 0:50,60:200,120:50';

function defaultConcurrencies(nothingTyped: boolean, knowsArrivals: boolean, quick: boolean): readonly number[] | null {
  if (!nothingTyped) return [];
  if (knowsArrivals) return null;
  return quick ? quickConcurrencies : concurrencies;
}
