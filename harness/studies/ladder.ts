import { describeLoad, type OfferedLoad } from '../core/load.ts';
import type { RunSettings } from '../core/run.ts';
import type { Tier } from '../core/tier.ts';
import type { Trial } from '../core/trial.ts';
import { type PilotEstimate, readPilot } from '../judging/pilot.ts';
import { samplesNeeded } from '../statistics/quantile-ranks.ts';
import { faultSteps } from './fault-steps.ts';
import { arrivalRates, type DocumentedLoads } from './loads.ts';
import type { LadderStep, TrialStep } from './steps.ts';

/** Have the warm-up windows so far, one after the other, come to a steady throughput? */
export type IsSteady = (windows: readonly Trial[]) => boolean;

/** What the ladder must know of a scenario. */
export interface LadderScenario {
  readonly name: string;
  /** It pauses between requests: then it is measured with users, who come and stay, rather than by arrivals. */
  readonly thinks: boolean;
  /** Each user does something before the first iteration, such as signing in. */
  readonly begins: boolean;
  readonly documented: DocumentedLoads;
}

const ANSWER_CHECK_S = 1;
/** A window of warm-up; the next one follows until the answers come steadily, or this often. */
const WARM_UP_WINDOW_S = 5;
const MOST_WARM_UP_WINDOWS = 6;
const MOST_WARM_UP_WINDOWS_QUICK = 1;
/** Enough users to keep a small system busy, and few enough not to choke it. */
const PROBE_CONCURRENCY = 25;
const FAULT_CONCURRENCY = 10;
/** Users who think all begin at once: so many times the usual warm-up is left to them until they have drifted apart. */
const WARM_UPS_OF_THINKING = 3;
/** Users of a scenario that begins: for iterations of this length, or of so many times what the probe read. */
const ITERATION_ALLOWED_S = 1;
const ITERATIONS_ALLOWED = 4;
const FEWEST_USERS = 20;
const LONGEST_ROUND_S = 15;
const USERS_WHERE_NOT_DOCUMENTED = 100;
/** Chance gives fewer requests than the rate promises; and a trial is not made longer than so many times. */
const SAMPLES_TO_SPARE = 1.3;
const MOST_TIMES_LONGER = 3;

/**
 * The decisions of the run study on one tier, free of clocks and sockets: for each scenario check that the answers are
 * right, warm up until steady, which tells how much it carries, climb the arrival rates, offer the documented numbers of
 * users, cool down; then the faults that were asked for. It receives each trial it asked for.
 */
export function* ladder(
  settings: RunSettings,
  tier: Tier,
  scenarios: readonly LadderScenario[],
  userCount: number,
  isSteady: IsSteady,
): Generator<LadderStep, void, Trial | undefined> {
  for (const [index, scenario] of scenarios.entries()) {
    if (index > 0) yield { kind: 'cool-down', durationS: settings.coolDownS };
    yield* climbOne(settings, scenario, userCount, isSteady);
  }
  for (const step of faultSteps(settings, tier, faultConcurrency(settings))) {
    yield { kind: 'cool-down', durationS: settings.coolDownS };
    yield step;
  }
}

function* climbOne(
  settings: RunSettings,
  scenario: LadderScenario,
  userCount: number,
  isSteady: IsSteady,
): Generator<LadderStep, void, Trial | undefined> {
  const { timeoutS } = settings;
  const { name } = scenario;
  const thinks = scenario.thinks && !settings.skipThinkTimes;
  const probes = settings.arrivalRatesPerS === null && !thinks;
  const trial = (purpose: TrialStep['purpose'], load: OfferedLoad, warmUpS: number, durationS: number): TrialStep => ({
    kind: 'trial',
    purpose,
    scenario: name,
    load,
    warmUpS,
    durationS,
    timeoutS,
  });
  const check = trial('answer-check', { model: 'closed', concurrency: 1 }, 0, ANSWER_CHECK_S);
  const checked = yield check;
  // No iteration came to its end: then it is given the time in which a request that is never answered times out.
  if (checked?.iterations.completed === 0) yield { ...check, durationS: timeoutS + ANSWER_CHECK_S };

  const windows: Trial[] = [];
  const mostWindows = warmUpWindows(settings, thinks, probes);
  const warmUpLoad: OfferedLoad = {
    model: 'closed',
    concurrency: probes
      ? Math.min(PROBE_CONCURRENCY, userCount)
      : middle(settings.concurrencies ?? [], FAULT_CONCURRENCY),
  };
  let found: PilotEstimate | undefined;
  let isWarm = mostWindows === 0;
  // A probe in which nothing came rightly to its end is made again, once more than there may be windows at most.
  for (let window = 0; !isWarm || (probes && found === undefined && window <= mostWindows); window += 1) {
    const seen = yield trial('warm-up', warmUpLoad, 0, WARM_UP_WINDOW_S);
    if (seen !== undefined) windows.push(seen);
    found = seen && readPilot(seen);
    isWarm = window + 1 >= mostWindows || isSteady(windows);
  }

  const rates =
    settings.arrivalRatesPerS ?? (found && probes ? arrivalRates(found, scenario.documented, settings.quick) : []);
  const concurrencies = settings.concurrencies ?? documentedConcurrencies(scenario, userCount);
  const open = rates.map((arrivalRatePerS) => ({
    ...trial(
      'measure',
      { model: 'open', arrivalRatePerS, arrivals: settings.arrivals },
      settings.warmUpS,
      probes
        ? longEnoughS(settings.durationS, arrivalRatePerS * (found?.requestsPerIteration ?? 1))
        : settings.durationS,
    ),
    ...(scenario.begins && !thinks && { users: usersFor(arrivalRatePerS, found, userCount) }),
  }));
  const closed = concurrencies.map((concurrency) =>
    trial(
      'measure',
      { model: 'closed', concurrency },
      closedWarmUpS(settings, thinks, concurrency, found),
      settings.durationS,
    ),
  );
  const trials = [...open, ...closed];
  const unknown = probes && found === undefined;
  yield { kind: 'plan', scenario: name, trials, ...(unknown && { note: ratesUnknown(name, warmUpLoad) }) };
  yield* trials;
}

function ratesUnknown(scenario: string, load: OfferedLoad): string {
  return `No arrival rate of ${scenario} was measured: in the probe at ${describeLoad(load)} nothing came rightly to its end, so none was known to be carried; name rates with --rate.`;
}

/** Users who think come to life with their trial: windows of warm-up would each begin with all of them signing in. */
function warmUpWindows({ warmUpS, quick }: RunSettings, thinks: boolean, probes: boolean): number {
  if (thinks) return 0;
  if (warmUpS === 0) return probes ? 1 : 0;
  return quick ? MOST_WARM_UP_WINDOWS_QUICK : MOST_WARM_UP_WINDOWS;
}

/** Where nothing is documented, as many as at login: enough to see whether more load brings more. */
function documentedConcurrencies({ documented }: LadderScenario, userCount: number): readonly number[] {
  const known = documented.concurrencies.filter((concurrency) => concurrency <= userCount);
  return known.length === 0 ? [Math.min(USERS_WHERE_NOT_DOCUMENTED, userCount)] : known;
}

/** Users who all begin at once queue in a row at first: until each has come round once, they read less than they will. */
function closedWarmUpS(
  { warmUpS }: RunSettings,
  thinks: boolean,
  concurrency: number,
  found: PilotEstimate | undefined,
): number {
  if (thinks) return WARM_UPS_OF_THINKING * warmUpS;
  if (warmUpS === 0 || found === undefined) return warmUpS;
  return Math.max(warmUpS, Math.min(Math.ceil(concurrency / found.iterationsPerS), LONGEST_ROUND_S));
}

/** At low rates a trial lasts until a p95 has samples enough for its interval. */
function longEnoughS(durationS: number, requestRatePerS: number): number {
  const neededS = Math.ceil((SAMPLES_TO_SPARE * samplesNeeded(0.95)) / requestRatePerS);
  return Math.max(durationS, Math.min(neededS, MOST_TIMES_LONGER * durationS));
}

/** Each user that takes part signs in first, so no more do than are needed; and the more, the slower it may get. */
function usersFor(arrivalRatePerS: number, found: PilotEstimate | undefined, userCount: number): number {
  // Little's law, twice: how long an iteration took in the probe, and how many are under way at this rate.
  const probedS = found === undefined ? 0 : found.concurrency / found.iterationsPerS;
  const allowedS = Math.max(ITERATION_ALLOWED_S, ITERATIONS_ALLOWED * probedS);
  return Math.min(userCount, Math.max(FEWEST_USERS, Math.ceil(arrivalRatePerS * allowedS)));
}

function faultConcurrency({ concurrencies }: RunSettings): number {
  return middle(concurrencies ?? [], FAULT_CONCURRENCY);
}

function middle(values: readonly number[], otherwise: number): number {
  return values[Math.floor((values.length - 1) / 2)] ?? otherwise;
}
