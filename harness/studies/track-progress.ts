import type { RunSettings } from '../core/run.ts';
import type { RunEvent } from '../core/run-event.ts';
import type { Tier } from '../core/tier.ts';
import type { Interval, Trial, TrialRecord } from '../core/trial.ts';
import { mergeHistograms } from '../histograms/latency-histogram.ts';
import { succeededIn, throughputPerSIn } from '../judging/interval-throughput.ts';
import { type LadderScenario, ladder } from './ladder.ts';
import { type LadderStep, lengthS, type TrialStep } from './steps.ts';

export type Progress = ReturnType<typeof trackProgress>;

/** What a run is going to do, as far as that is known before its probes. */
export interface RunOutline {
  readonly settings: RunSettings;
  readonly tiers: readonly Tier[];
  readonly scenariosOf: (tier: Tier) => readonly LadderScenario[];
  readonly userCount: number;
}

/** Turns what the run study does into events for whoever watches: which trial of how many, how fast, how long still. */
export function trackProgress(outline: RunOutline, emit: (event: RunEvent) => void) {
  const startedAt = performance.now();
  /** What is still to come after the current step, when nothing is shorter than it may be. */
  let ahead = expectedRun(outline);
  let current: LadderStep | undefined;
  let counted = 0;
  let sequence = 0;
  const countedAhead = () => ahead.filter(({ step }) => isCounted(step)).length;

  return {
    /** The tier is not run here, or no further. */
    skip(tier: string): void {
      ahead = ahead.filter((each) => each.tier !== tier);
    },
    /** The loads of a scenario are known now. */
    planned(tier: string, scenario: string, trials: readonly TrialStep[]): void {
      const isReplaced = (each: (typeof ahead)[number]) => each.tier === tier && isMeasureOf(each.step, scenario);
      const first = ahead.findIndex(isReplaced);
      const others = ahead.filter((each) => !isReplaced(each));
      const at = Math.max(first, 0);
      ahead = [...others.slice(0, at), ...trials.map((step) => ({ tier, step })), ...others.slice(at)];
    },
    begin(step: LadderStep, tier: string): void {
      if (step.kind === 'plan') return;
      // What was expected before this step was not needed, such as a further window of warm-up.
      const expected = ahead.findIndex((each) => each.tier === tier && isAlike(each.step, step));
      ahead = ahead.slice(expected + 1);
      current = step;
      if (step.kind === 'cool-down') {
        emit({ kind: 'cooling-down', durationS: step.durationS });
        return;
      }
      if (step.purpose === 'answer-check') return;
      const counts = isCounted(step);
      if (counts) counted += 1;
      emit({
        kind: 'trial-started',
        tier,
        purpose: step.purpose,
        sequence: counts ? counted : counted + 1,
        total: counted + countedAhead(),
        scenario: step.scenario,
        load: step.load,
        durationS: lengthS(step),
      });
    },
    interval(interval: Interval): void {
      const p95S =
        succeededIn(interval) === 0
          ? null
          : mergeHistograms(interval.steps.map((step) => step.latency)).quantileS(0.95);
      const durationS = current === undefined || current.kind === 'plan' ? 0 : current.durationS;
      const leftS = durationS - (interval.startS + interval.durationS);
      emit({
        kind: 'interval',
        requestsPerS: throughputPerSIn(interval),
        p95S,
        elapsedS: (performance.now() - startedAt) / 1000,
        remainingS: ahead.reduce((sum, { step }) => sum + lengthS(step), Math.max(0, leftS)),
      });
    },
    nextSequence(): number {
      sequence += 1;
      return sequence;
    },
    finished(measured: TrialRecord, summary: string): void {
      if (measured.purpose === 'warm-up') return;
      emit({ kind: 'trial-finished', sequence: counted, total: counted + countedAhead(), summary });
    },
  };
}

/** Every step of a run that warms up as long as it may, and the rest before each tier but the first. */
export function expectedRun({
  settings,
  tiers,
  scenariosOf,
  userCount,
}: RunOutline): readonly { readonly tier: string; readonly step: LadderStep }[] {
  return tiers.flatMap((tier, index) => {
    const rest: LadderStep[] = index === 0 ? [] : [{ kind: 'cool-down', durationS: settings.coolDownS }];
    const steps: LadderStep[] = [];
    const walk = ladder(settings, tier, scenariosOf(tier), userCount, () => false);
    for (let next = walk.next(undefined); !next.done; next = walk.next(expectedTrial(next.value))) {
      steps.push(next.value);
    }
    return [...rest, ...steps].map((step) => ({ tier: tier.name, step }));
  });
}

/** What a small system might answer, so that a probe leads to some number of steps. */
function expectedTrial(step: LadderStep): Trial | undefined {
  if (step.kind !== 'trial') return undefined;
  const completed = 300 * step.durationS;
  const plan = { load: step.load } as Trial['plan'];
  const iterations = { intended: completed, completed, failed: 0, dropped: 0 };
  const steps = [{ outcomes: { ok: completed } }] as unknown as Trial['steps'];
  return { plan, measuredS: step.durationS, iterations, steps, intervals: [] as Trial['intervals'] } as Trial;
}

function isAlike(expected: LadderStep, step: LadderStep): boolean {
  if (expected.kind !== 'trial' || step.kind !== 'trial') return expected.kind === step.kind;
  return expected.purpose === step.purpose && expected.scenario === step.scenario;
}

function isMeasureOf(step: LadderStep, scenario: string): boolean {
  return step.kind === 'trial' && step.purpose === 'measure' && step.scenario === scenario;
}

/** What people are told as `trial 3 of 12`. */
function isCounted(step: LadderStep): boolean {
  return step.kind === 'trial' && (step.purpose === 'measure' || step.purpose === 'fault');
}
