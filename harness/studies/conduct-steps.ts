import type { Scenario, User } from '../../scenarios/kit.ts';
import { TierbenchError } from '../core/errors.ts';
import type { Note } from '../core/findings.ts';
import { describeLoad } from '../core/load.ts';
import type { SubjectFacts } from '../core/study-record.ts';
import type { Interval, Measurement, Trial, TrialRecord } from '../core/trial.ts';
import { LatencyHistogram, mergeHistograms } from '../histograms/latency-histogram.ts';
import { judgeTrial } from '../judging/judge-trial.ts';
import type { JudgedTrial } from '../judging/judged-trial.ts';
import { requestsIn, succeededIn, throughputPerSIn } from '../judging/trial-window.ts';
import { monotonicS } from '../machine/clock.ts';
import type { Probe } from '../probes/probe.ts';
import type { Deployment } from '../providers/provider.ts';
import { MOST_REPEATS_OF_A_LOAD, mayBeValidNextTime } from './budget.ts';
import type { Conducted } from './environment.ts';
import { measureWithFault } from './make-fault.ts';
import { lengthS, type PlanStep, type Step, type TrialStep } from './study.ts';

/** A subject of the group that is being measured. */
export interface RunningSubject {
  readonly deployment: Deployment;
  readonly crashes: ServiceCrashes;
  readonly probes: readonly Probe[];
  readonly users: readonly User[];
  readonly seed: number;
  facts(): SubjectFacts;
  /** Stores changed facts. */
  change(changes: Partial<SubjectFacts>): Promise<void>;
}

/** Services that ended unasked. */
export interface ServiceCrashes {
  /** Aborts with the first one: whatever is measured after that is not the subject. */
  readonly signal: AbortSignal;
  readonly seen: readonly Note[];
  error(): TierbenchError | undefined;
}

export function watchForCrashes(deployment: Deployment): ServiceCrashes {
  const controller = new AbortController();
  const seen: { readonly code: 'service-crashed'; readonly instance: string; readonly detail: string }[] = [];
  deployment.onFailure(({ instance, what }) => {
    seen.push({ code: 'service-crashed', instance, detail: what });
    controller.abort();
  });
  return {
    signal: controller.signal,
    seen,
    error() {
      if (seen.length === 0) return undefined;
      return new TierbenchError(
        'SERVICE_ENDED',
        seen.map(({ instance, detail }) => `${instance} crashed: ${detail}`).join('; '),
        'Read its last lines above. What was measured until then is kept; `tierbench report` shows it.',
      );
    },
  };
}

/**
 * Takes the steps that a study proposes for a group, and stores each trial as it comes.
 * @returns the group's answer, or why the group ended before its last step.
 * @throws what would end every other group too, such as a trial that cannot be run or written.
 */
export async function conductSteps<Answer>(
  steps: Generator<Step, Answer, JudgedTrial | undefined>,
  running: ReadonlyMap<string, RunningSubject>,
  conducted: Conducted,
): Promise<{ readonly answer: Answer } | { readonly failure: TierbenchError }> {
  const { environment, time } = conducted;
  const { signal } = environment;
  const crashes = [...running.values()].map((subject) => subject.crashes);
  const stop = AbortSignal.any([signal, ...crashes.map((each) => each.signal)]);
  const crashed = () => crashes.map((each) => each.error()).find((error) => error !== undefined);
  const trials = trialsOf(running, conducted, stop);
  for (let next = steps.next(undefined); ; ) {
    if (next.done) return { answer: next.value };
    const step = next.value;
    const subject = running.get(step.subject);
    if (subject === undefined) throw new Error(`the group has no subject '${step.subject}'`);
    signal.throwIfAborted();
    if (step.kind === 'trial' || step.kind === 'restart') {
      await trials.drain();
      const failure = crashed();
      if (failure !== undefined) return { failure };
      signal.throwIfAborted();
    }
    time.step(step);
    let judged: JudgedTrial | undefined;
    switch (step.kind) {
      case 'note':
        environment.emit({ kind: 'note', note: step.note });
        await subject.change({ notes: [...subject.facts().notes, step.note] });
        break;
      case 'plan':
        await trials.plan(step, subject);
        break;
      case 'restart':
        await restart(step.instances, subject);
        break;
      case 'rest':
        await restUntil(performance.now() + step.durationS * 1000, 'rest', conducted, stop);
        break;
      case 'trial': {
        const outcome = await trials.run(step, subject);
        if (outcome instanceof TierbenchError) return { failure: crashed() ?? outcome };
        judged = outcome;
      }
    }
    const failure = crashed();
    if (failure !== undefined) return { failure };
    signal.throwIfAborted();
    next = steps.next(judged);
  }
}

/** Of a deployment whose processes are not ours nothing is restarted. */
async function restart(instances: readonly string[], { deployment: { faults } }: RunningSubject): Promise<void> {
  if (faults === undefined) return;
  await Promise.all(
    instances.map(async (instance) => {
      await faults.kill(instance);
      await faults.start(instance);
    }),
  );
}

/** Lets time pass, and says each second how much is left. */
export async function restUntil(
  untilMs: number,
  reason: 'drain' | 'rest',
  { environment: { emit, pause }, time }: Conducted,
  signal: AbortSignal,
): Promise<void> {
  let leftS = (untilMs - performance.now()) / 1000;
  while (leftS > 0 && !signal.aborted) {
    emit({ kind: 'waiting', reason, leftS, time: time.left(leftS) });
    const sliceS = Math.min(1, leftS);
    await pause(sliceS, signal);
    leftS -= sliceS;
  }
}

function trialsOf(running: ReadonlyMap<string, RunningSubject>, conducted: Conducted, stop: AbortSignal) {
  const { environment, facts, time, repeats } = conducted;
  const { engine, scenarios, results, emit, signal } = environment;
  let idleAtMs = performance.now();
  let planned: readonly TrialStep[] = [];
  const setups = userSetups();
  const crashNotes = () => [...running.values()].flatMap(({ crashes }) => crashes.seen);

  async function attempt(step: TrialStep, subject: RunningSubject, number: number, repeated?: JudgedTrial) {
    const source = scenarios.get(step.scenario);
    if (source === undefined) throw new Error(`no scenario '${step.scenario}'`);
    const index = planned.indexOf(step);
    const { purpose, scenario, load } = step;
    if (purpose !== 'answer-check') {
      const place = index === -1 ? null : { position: index + 1, total: planned.length };
      const durationS = lengthS(step);
      emit({
        kind: 'trial-started',
        subject: step.subject,
        purpose,
        scenario,
        load,
        durationS,
        attempt: number,
        planned: place,
        ...(step.bracket !== undefined && { bracket: step.bracket }),
        ...(step.pair !== undefined && { pair: step.pair }),
        time: time.left(durationS),
      });
    }
    const { baseUrl, baseUrls, reach, faults } = subject.deployment;
    const { warmUpS, durationS, timeoutS } = step;
    const { measurement, failure } = await measureWithFault(
      step.fault,
      faults,
      engine,
      {
        plan: {
          scenario,
          baseUrl,
          ...(baseUrls !== undefined && { baseUrls }),
          ...(reach !== undefined && { reach }),
          load,
          warmUpS,
          durationS,
          seed: subject.seed,
          timeoutS,
        },
        scenario: source.scenario,
        ...(source.file !== undefined && { scenarioFile: source.file }),
        users: subject.users.slice(0, step.users),
        ...(keepsSessions(step) && { sessionsKey: `${step.subject} ${setups.idOf(source.scenario)}` }),
        skipThinkTimes: facts.settings.skipThinkTimes,
      },
      subject.probes,
      stop,
      (interval) => emit(intervalEvent(interval, step)),
    );
    const { startedAtMonotonicS, measuredS } = measurement.trial;
    const overForS = Math.max(0, monotonicS() - startedAtMonotonicS - measuredS);
    idleAtMs = performance.now() + (drainTimeS(measurement.trial) - overForS) * 1000;
    const record = (sequence: number): TrialRecord => ({
      ...measurement,
      notes: [...measurement.notes, ...crashNotes()],
      sequence,
      subject: step.subject,
      purpose,
      ...(repeated !== undefined && { repeats: repeated.record.sequence }),
    });
    if (purpose === 'answer-check') {
      const wrong = stop.aborted ? undefined : wrongAnswers(step, measurement.trial);
      return { judged: judgeTrial(record(0), facts.calibration), failure: wrong ?? failure };
    }
    const isStored = purpose !== 'fault' || measurement.fault !== undefined;
    const judged = judgeTrial(record(isStored ? conducted.nextSequence() : 0), facts.calibration);
    if (isStored) {
      await results.trial(judged.record);
      emit({ kind: 'trial-finished', trial: judged, attempt: number });
    }
    return { judged, failure };
  }

  function intervalEvent(interval: Interval, { durationS }: TrialStep) {
    const p95S =
      succeededIn(interval) === 0
        ? null
        : mergeHistograms(interval.steps.map(({ latency }) => latency)).quantileS(0.95);
    const leftS = durationS - (interval.startS + interval.durationS);
    return { kind: 'interval', requestsPerS: throughputPerSIn(interval), p95S, time: time.left(leftS) } as const;
  }

  const drain = () => restUntil(idleAtMs, 'drain', conducted, stop);

  return {
    /** Waits until the system has finished what the last trial left in flight. */
    drain,
    async plan(step: PlanStep, subject: RunningSubject): Promise<void> {
      planned = step.trials;
      const loads = step.trials
        .filter(({ purpose }) => purpose === 'measure')
        .map(({ scenario, load }) => ({ scenario, load }));
      repeats.planned(loads.length);
      emit({ kind: 'planned', subject: step.subject, loads });
      if (loads.length > 0) await subject.change({ planned: [...subject.facts().planned, ...loads] });
    },
    /** Runs a trial, and again when it is invalid, as far as the budget goes. */
    async run(step: TrialStep, subject: RunningSubject): Promise<JudgedTrial | TierbenchError> {
      let { judged, failure } = await attempt(step, subject, 1);
      if (step.purpose !== 'measure' || isOneOfMany(step)) return failure ?? judged;
      let attempts = 1;
      while (failure === undefined && !stop.aborted && mayBeValidNextTime(judged)) {
        if (attempts > MOST_REPEATS_OF_A_LOAD || !repeats.take()) break;
        await drain();
        if (stop.aborted) break;
        attempts += 1;
        ({ judged, failure } = await attempt(step, subject, attempts, judged));
      }
      if (attempts > 1) {
        const valid = judged.validity.kind === 'valid';
        const note: Note = { code: 'trial-repeated', scenario: step.scenario, load: step.load, attempts, valid };
        emit({ kind: 'note', note });
        if (!signal.aborted) await subject.change({ notes: [...subject.facts().notes, note] });
      }
      return failure ?? judged;
    },
  };
}

/** The study itself decides what an invalid one is worth. */
function isOneOfMany({ bracket, pair }: TrialStep): boolean {
  return bracket !== undefined || pair !== undefined;
}

/** Trials of a search, its pilot trial, and those of pairs follow each other with the same users. */
function keepsSessions(step: TrialStep): boolean {
  return isOneOfMany(step) || step.purpose === 'warm-up';
}

/** Scenarios that have the same function for the setup of their users go on with the same sessions. */
function userSetups(): { idOf(scenario: Scenario): number } {
  const known: unknown[] = [];
  return {
    idOf(scenario) {
      const setup = scenario.begin ?? scenario;
      if (!known.includes(setup)) known.push(setup);
      return known.indexOf(setup);
    },
  };
}

/** Load on an API that answers wrongly measures nothing: better to know before the long part. */
function wrongAnswers(step: TrialStep, trial: Trial): TierbenchError | undefined {
  if (trial.iterations.failed === 0) return undefined;
  return new TierbenchError(
    'ANSWERS_WRONG',
    `${trial.iterations.failed} of ${trial.iterations.completed} iterations of scenario '${step.scenario}' failed against ${step.subject} at ${describeLoad(step.load)}, before any load`,
    'Fix the scenario or the API, then run again; the first failure of each kind is above.',
    {
      problems: trial.failureExamples.map(({ step: name, outcome, message }) => ({
        what: `'${name}': ${outcome}: ${message}`,
      })),
    },
  );
}

/**
 * How long the system may still work on what was in flight when the window closed, in seconds: by Little's law, at the rate
 * at which it answered, and no longer than a request may take. Nobody waits for those answers, yet servers give them: 25
 * logins that are abandoned keep a CPU busy for more than a second, and whoever comes then waits behind them.
 */
export function drainTimeS({ plan: { timeoutS }, inFlightAtEnd, steps, measuredS }: Measurement['trial']): number {
  const inFlight = LatencyHistogram.decode(inFlightAtEnd).count;
  if (inFlight === 0) return 0;
  const answered = requestsIn(steps);
  return answered === 0 ? timeoutS : Math.min(timeoutS, (inFlight * measuredS) / answered);
}
