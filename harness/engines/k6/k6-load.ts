import type { OfferedLoad } from '../../core/load.ts';
import type { TrialPlan } from '../../core/trial.ts';

type OpenLoad = Extract<OfferedLoad, { model: 'open' }>;

/** What a scenario of k6 is given, and what k6 makes of it. */
export interface K6Load {
  readonly executor: Readonly<Record<string, unknown>>;
  /** How long it lasts: warm-up and window, and no less than k6 allows. */
  readonly executorS: number;
  /** Gives when the next iteration is scheduled, in seconds from the start of the executor. Open loads alone. */
  readonly nextScheduledS?: () => number;
  /** The schedule begins only when the virtual users are ready, and not when the scenario does. */
  readonly startsLate: boolean;
}

/** k6 refuses shorter scenarios. */
const SHORTEST_S = 1;
const LARGEST_UNIT_S = 1e9;

/** In a closed load each virtual user is called again after the window, to report what it held back. */
const LAST_REPORT_S = 0.1;
/** All cut off their requests at the end of the window, so this passes only where they come too late to the CPU. */
const GRACEFUL_STOP = '5s';

/** Nothing that ended after the window has a part in the trial. */
export function k6Load(
  { load, warmUpS, durationS }: Pick<TrialPlan, 'load' | 'warmUpS' | 'durationS'>,
  virtualUsers: number,
): K6Load {
  const gracefulStop = GRACEFUL_STOP;
  if (load.model === 'closed') {
    const executorS = Math.max(SHORTEST_S, warmUpS + durationS + LAST_REPORT_S);
    const executor = { executor: 'constant-vus', vus: virtualUsers, duration: inWords(executorS), gracefulStop };
    return { executor, executorS, startsLate: false };
  }
  const executorS = Math.max(SHORTEST_S, warmUpS + durationS);
  const vus = { preAllocatedVUs: virtualUsers, maxVUs: virtualUsers, gracefulStop };
  if (load.changes === undefined || load.changes.length === 0) {
    const unitS = unitFor([load.arrivalRatePerS]);
    const rate = inUnit(load.arrivalRatePerS, unitS);
    const executor = {
      executor: 'constant-arrival-rate',
      rate,
      timeUnit: inWords(unitS),
      duration: inWords(executorS),
      ...vus,
    };
    return { executor, executorS, nextScheduledS: constantSchedule(rate, unitS), startsLate: false };
  }
  const { startRate, stages, unitS } = stagesOf(load, 0 - warmUpS, executorS - warmUpS);
  const executor = {
    executor: 'ramping-arrival-rate',
    startRate,
    timeUnit: inWords(unitS),
    stages: stages.map(({ durationS: lengthS, target }) => ({ duration: inWords(lengthS), target })),
    ...vus,
  };
  return { executor, executorS, nextScheduledS: rampingSchedule(startRate, stages, unitS), startsLate: true };
}

/** k6 knows whole numbers of iterations in a unit of time: the shortest power of ten seconds in which all rates are. */
function unitFor(ratesPerS: readonly number[]): number {
  for (let unitS = 1; unitS < LARGEST_UNIT_S; unitS *= 10) {
    if (ratesPerS.every((rate) => Math.abs(rate * unitS - Math.round(rate * unitS)) <= 1e-9 * rate * unitS))
      return unitS;
  }
  return LARGEST_UNIT_S;
}

function inUnit(ratePerS: number, unitS: number): number {
  return Math.max(1, Math.round(ratePerS * unitS));
}

/** Go reads numbers with a fraction, but no exponents. */
function inWords(seconds: number): string {
  return `${Number((seconds * 1000).toFixed(6)).toLocaleString('en-US', { useGrouping: false, maximumFractionDigits: 6 })}ms`;
}

/** As lib/executor/constant_arrival_rate.go has it: from one to the next a whole number of nanoseconds passes. */
function constantSchedule(rate: number, unitS: number): () => number {
  const periodNs = Math.trunc((unitS * 1e9) / rate);
  let count = -1;
  return () => {
    count += 1;
    return (count * periodNs) / 1e9;
  };
}

interface Stage {
  readonly durationS: number;
  /** In the unit of time. */
  readonly target: number;
}

interface Stages {
  readonly startRate: number;
  readonly stages: readonly Stage[];
  readonly unitS: number;
}

/** The rates between two moments as stages: each goes evenly to its target, at once where it takes no time. */
function stagesOf(load: OpenLoad, fromS: number, toS: number): Stages {
  const points = pointsOf(load, fromS, toS);
  const unitS = unitFor(points.map((point) => point.ratePerS));
  const stages = points.slice(1).map(({ atS, ratePerS }, index) => {
    const durationS = atS - (points[index]?.atS ?? fromS);
    return { durationS, target: inUnit(ratePerS, unitS) };
  });
  return { startRate: inUnit(points[0]?.ratePerS ?? load.arrivalRatePerS, unitS), stages, unitS };
}

interface Point {
  readonly atS: number;
  readonly ratePerS: number;
}

/** Between them the rate changes evenly; a step is two at one time. */
function pointsOf({ arrivalRatePerS, changes = [] }: OpenLoad, fromS: number, toS: number): readonly Point[] {
  const points: Point[] = [{ atS: Number.NEGATIVE_INFINITY, ratePerS: arrivalRatePerS }];
  let ratePerS = arrivalRatePerS;
  for (const { atS, overS, toRatePerS } of changes) {
    points.push({ atS, ratePerS }, { atS: atS + overS, ratePerS: toRatePerS });
    ratePerS = toRatePerS;
  }
  points.push({ atS: Number.POSITIVE_INFINITY, ratePerS });
  const inside = points.filter(({ atS }) => atS > fromS && atS < toS);
  return [{ atS: fromS, ratePerS: rateAt(points, fromS) }, ...inside, { atS: toS, ratePerS: rateAt(points, toS) }];
}

function rateAt(points: readonly Point[], atS: number): number {
  const index = points.findIndex((point) => point.atS > atS);
  const [before, after] = [points[index - 1], points[index]];
  if (before === undefined || after === undefined) throw new RangeError(`there is no rate at ${atS} s`);
  if (!Number.isFinite(before.atS) || !Number.isFinite(after.atS)) return before.ratePerS;
  return before.ratePerS + ((after.ratePerS - before.ratePerS) * (atS - before.atS)) / (after.atS - before.atS);
}

/**
 * As lib/executor/ramping_arrival_rate.go has it: the n-th, from 1 on, is scheduled when n are expected since the start, which is
 * the area under the rates.
 */
function rampingSchedule(startRate: number, stages: readonly Stage[], unitS: number): () => number {
  let index = 0;
  let stageFromS = 0;
  let fromPerS = startRate / unitS;
  let before = 0;
  let count = 0;
  return () => {
    count += 1;
    for (let stage = stages[index]; stage !== undefined; stage = stages[index]) {
      const toPerS = stage.target / unitS;
      const slope = stage.durationS === 0 ? 0 : (toPerS - fromPerS) / stage.durationS;
      const expected = stage.durationS * (fromPerS + 0.5 * slope * stage.durationS);
      if (count <= before + expected) {
        const missing = count - before;
        // The root of `from t + slope t^2 / 2 = missing`, in its stable form.
        return stageFromS + (2 * missing) / (fromPerS + Math.sqrt(Math.max(0, fromPerS ** 2 + 2 * slope * missing)));
      }
      before += expected;
      stageFromS += stage.durationS;
      fromPerS = toPerS;
      index += 1;
    }
    return Number.POSITIVE_INFINITY;
  };
}
