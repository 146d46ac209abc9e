import { TierbenchError } from '../../core/errors.ts';
import {
  type GeneratorResource,
  type Interval,
  type IterationCounts,
  noOutcomes,
  type OutcomeCounts,
  type RequestOutcome,
  requestOutcomes,
  type StepResult,
  type Trial,
} from '../../core/trial.ts';
import { LatencyHistogram } from '../../histograms/latency-histogram.ts';

/**
 * Counts what happens in a trial, by second and in total, free of clocks. Times are seconds from the start of the
 * measured window, negative while warming up, and do not go back.
 *
 * A request counts in the second in which it ended, and an iteration's start and end in theirs. So what is in flight
 * when the window opens counts once it ends, and what is in flight when the window closes does not: waiting for it
 * would let the window's throughput hold work of another window. How long it had waited by then is kept instead, so that
 * requests that are never answered do not go unseen. What comes before the warm-up or after the window
 * leaves no trace but its failure examples.
 */
export interface Accounting {
  iterationStarted(atS: number): void;
  iterationEnded(atS: number, failed: boolean): void;
  /** Scheduled, but never started. Counts as intended too. */
  iterationDropped(atS: number): void;
  /** @throws TierbenchError SCENARIO_TOO_MANY_STEPS when requests have more names than `MOST_STEPS`. */
  requestEnded(atS: number, request: AccountedRequest): void;
  /** Closes the seconds that are over by now and returns them. */
  advance(nowS: number): readonly Interval[];
  /**
   * Ends the window now, or at its planned end if that is past. Nothing counts after it. `inFlightSinceS` are the starts
   * of the requests that have not ended.
   */
  close(nowS: number, inFlightSinceS: readonly number[]): AccountedTrial;
}

export interface AccountedRequest {
  readonly step: string;
  readonly outcome: RequestOutcome;
  /** 0 when no answer came. */
  readonly status: number;
  /** Of the body of the answer. */
  readonly bodyBytes: number;
  readonly latencyS: number;
  /** From the actual start, where that may be later than the intended one. */
  readonly serviceTimeS?: number;
  /** One of those that a few closed-loop users would have sent: `StepResult.closedLoop`. */
  readonly isClosedLoopSample?: boolean;
  /** Of `generator-limit`: what ran out. */
  readonly resource?: GeneratorResource | undefined;
  describe(): string;
}

type AccountedTrial = Omit<Trial, 'engine' | 'plan' | 'startedAt' | 'startedAtMonotonicS' | 'generator'>;

interface Counts {
  readonly iterations: { -readonly [Kind in keyof IterationCounts]: number };
  readonly steps: Map<string, StepCounts>;
}

interface StepCounts {
  readonly outcomes: { -readonly [Outcome in keyof OutcomeCounts]: number };
  readonly statuses: Map<number, number>;
  responseBytes: number;
  readonly latency: LatencyHistogram;
}

/** Kept of the window as a whole and not of each second. */
interface WindowTimes {
  readonly serviceTime: Map<string, LatencyHistogram>;
  readonly closedLoop: Map<string, LatencyHistogram>;
}

/** Each step has a histogram for each second: with a name for each id the generator would be slower than the server. */
export const MOST_STEPS = 200;

export function createAccounting(window: { readonly warmUpS: number; readonly durationS: number }): Accounting {
  const { warmUpS, durationS } = window;
  const totals = emptyCounts();
  const times: WindowTimes = { serviceTime: new Map(), closedLoop: new Map() };
  const intervals: Interval[] = [];
  const examples = new Map<string, Trial['failureExamples'][number]>();
  const names = new Set<string>();
  let current = emptyCounts();
  let startS = 0 - warmUpS; // Not -warmUpS, which is -0 without warm-up.
  let endS = nextBoundary(startS, durationS);
  let reported = 0;
  let closed = false;

  /** The counts of this moment; undefined where nothing counts. */
  function countsAt(atS: number): Counts | undefined {
    if (closed || atS < -warmUpS || atS >= durationS) return undefined;
    if (atS >= endS) closeSecondsBefore(atS);
    return current;
  }

  function closeSecondsBefore(nowS: number): void {
    while (endS <= nowS && startS < durationS) closeSecond(endS);
  }

  function closeSecond(atS: number): void {
    intervals.push({
      startS,
      durationS: atS - startS,
      iterations: { ...current.iterations },
      steps: stepResults(current),
    });
    if (startS >= 0) addCounts(totals, current);
    current = emptyCounts();
    startS = atS;
    endS = nextBoundary(startS, durationS);
  }

  function unreported(): readonly Interval[] {
    const fresh = intervals.slice(reported);
    reported = intervals.length;
    return fresh;
  }

  return {
    iterationStarted(atS) {
      const counts = countsAt(atS);
      if (counts !== undefined) counts.iterations.intended += 1;
    },
    iterationEnded(atS, failed) {
      const counts = countsAt(atS);
      if (counts === undefined) return;
      counts.iterations.completed += 1;
      if (failed) counts.iterations.failed += 1;
    },
    iterationDropped(atS) {
      const counts = countsAt(atS);
      if (counts === undefined) return;
      counts.iterations.intended += 1;
      counts.iterations.dropped += 1;
    },
    requestEnded(atS, request) {
      if (!names.has(request.step)) {
        if (names.size >= MOST_STEPS) throw tooManySteps([...names], request.step);
        names.add(request.step);
      }
      const counts = countsAt(atS);
      if (counts !== undefined) {
        addRequest(stepOf(counts, request.step), request);
        if (startS >= 0) addTimes(times, request);
      }
      if (request.outcome === 'ok' || closed) return;
      const key = `${request.outcome} ${request.step}`;
      if (examples.has(key)) return;
      const { step, outcome, resource } = request;
      examples.set(key, { step, outcome, message: request.describe(), ...(resource !== undefined && { resource }) });
    },
    advance(nowS) {
      if (!closed) closeSecondsBefore(nowS);
      return unreported();
    },
    close(nowS, inFlightSinceS) {
      const stopS = Math.min(Math.max(nowS, -warmUpS), durationS);
      if (!closed) {
        closeSecondsBefore(stopS);
        if (stopS > startS) closeSecond(stopS);
        closed = true;
      }
      const inFlightAtEnd = LatencyHistogram.empty();
      for (const sinceS of inFlightSinceS) if (sinceS < stopS) inFlightAtEnd.record(stopS - sinceS);
      return {
        measuredS: Math.max(0, startS),
        stopped: startS < durationS,
        iterations: { ...totals.iterations },
        steps: stepResults(totals).map((step) => ({ ...step, ...encodedTimes(times, step.name) })),
        intervals,
        inFlightAtEnd: inFlightAtEnd.encode(),
        failureExamples: [...examples.values()],
      };
    },
  };
}

function tooManySteps([first]: readonly string[], another: string): TierbenchError {
  return new TierbenchError(
    'SCENARIO_TOO_MANY_STEPS',
    `The scenario gives its requests more than ${MOST_STEPS} different names, such as '${first}' and '${another}'.`,
    'Name requests after what they do, such as `read task`, and leave ids out: latencies are kept by this name.',
  );
}

/** Seconds are cut at whole seconds of the window, and at its two ends. */
function nextBoundary(startS: number, durationS: number): number {
  return Math.min(Math.floor(startS) + 1, startS < 0 ? 0 : durationS);
}

function emptyCounts(): Counts {
  return { iterations: { intended: 0, completed: 0, failed: 0, dropped: 0 }, steps: new Map() };
}

function stepOf(counts: Counts, name: string): StepCounts {
  const known = counts.steps.get(name);
  if (known !== undefined) return known;
  const fresh = {
    outcomes: { ...noOutcomes },
    statuses: new Map<number, number>(),
    responseBytes: 0,
    latency: LatencyHistogram.empty(),
  };
  counts.steps.set(name, fresh);
  return fresh;
}

function addRequest(step: StepCounts, request: AccountedRequest): void {
  step.outcomes[request.outcome] += 1;
  if (request.status !== 0) step.statuses.set(request.status, (step.statuses.get(request.status) ?? 0) + 1);
  step.responseBytes += request.bodyBytes;
  if (request.outcome === 'ok') step.latency.record(request.latencyS);
}

function addTimes({ serviceTime, closedLoop }: WindowTimes, request: AccountedRequest): void {
  if (request.outcome !== 'ok') return;
  if (request.serviceTimeS !== undefined) histogramOf(serviceTime, request.step).record(request.serviceTimeS);
  if (request.isClosedLoopSample === true) histogramOf(closedLoop, request.step).record(request.latencyS);
}

function histogramOf(histograms: Map<string, LatencyHistogram>, step: string): LatencyHistogram {
  const known = histograms.get(step);
  if (known !== undefined) return known;
  const fresh = LatencyHistogram.empty();
  histograms.set(step, fresh);
  return fresh;
}

function addCounts(totals: Counts, counts: Counts): void {
  totals.iterations.intended += counts.iterations.intended;
  totals.iterations.completed += counts.iterations.completed;
  totals.iterations.failed += counts.iterations.failed;
  totals.iterations.dropped += counts.iterations.dropped;
  for (const [name, from] of counts.steps) {
    const to = stepOf(totals, name);
    for (const outcome of requestOutcomes) to.outcomes[outcome] += from.outcomes[outcome];
    for (const [status, count] of from.statuses) to.statuses.set(status, (to.statuses.get(status) ?? 0) + count);
    to.responseBytes += from.responseBytes;
    to.latency.merge(from.latency);
  }
}

function stepResults(counts: Counts): StepResult[] {
  return [...counts.steps].map(([name, step]) => ({
    name,
    outcomes: { ...step.outcomes },
    statuses: Object.fromEntries([...step.statuses].map(([status, count]) => [String(status), count])),
    responseBytes: step.responseBytes,
    latency: step.latency.encode(),
  }));
}

function encodedTimes(times: WindowTimes, step: string): Pick<StepResult, 'serviceTime' | 'closedLoop'> {
  const serviceTime = times.serviceTime.get(step)?.encode();
  const closedLoop = times.closedLoop.get(step)?.encode();
  return { ...(serviceTime !== undefined && { serviceTime }), ...(closedLoop !== undefined && { closedLoop }) };
}
