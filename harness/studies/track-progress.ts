import { isDeepStrictEqual } from 'node:util';
import type { RunSettings } from '../core/run.ts';
import type { RunEvent } from '../core/run-event.ts';
import type { Tier } from '../core/tier.ts';
import type { Interval, MeasuredTrial } from '../core/trial.ts';
import { mergeHistograms } from '../histograms/latency-histogram.ts';
import { succeededIn, throughputPerSIn } from '../judging/interval-throughput.ts';
import { longestLadder } from './ladder.ts';
import { type LadderStep, lengthS } from './steps.ts';

export type Progress = ReturnType<typeof trackProgress>;

/** Turns what the run study does into events for whoever watches: which trial of how many, how fast, how long still. */
export function trackProgress(settings: RunSettings, tiers: readonly Tier[], emit: (event: RunEvent) => void) {
  const startedAt = performance.now();
  /** What is still to come after the current step, when nothing is shorter than it may be. */
  let ahead = longestRun(settings, tiers);
  let current: LadderStep | undefined;
  let counted = 0;
  let sequence = 0;
  const countedAhead = () => ahead.filter(({ step }) => isCounted(step)).length;

  return {
    /** The tier is not run here, or no further. */
    skip(tier: string): void {
      ahead = ahead.filter((each) => each.tier !== tier);
    },
    begin(step: LadderStep, tier: string): void {
      // What was planned before this step was not needed, such as a further window of warm-up.
      const planned = ahead.findIndex((each) => each.tier === tier && isDeepStrictEqual(each.step, step));
      ahead = ahead.slice(planned + 1);
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
      const leftS = (current?.durationS ?? 0) - (interval.startS + interval.durationS);
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
    finished(measured: MeasuredTrial, summary: string): void {
      if (measured.purpose === 'warm-up') return;
      emit({ kind: 'trial-finished', sequence: counted, total: counted + countedAhead(), summary });
    },
  };
}

/** Every step of a run in which nothing is shorter than it may be, and the rest before each tier but the first. */
export function longestRun(
  settings: RunSettings,
  tiers: readonly Tier[],
): readonly { readonly tier: string; readonly step: LadderStep }[] {
  return tiers.flatMap((tier, index) => {
    const rest: LadderStep[] = index === 0 ? [] : [{ kind: 'cool-down', durationS: settings.coolDownS }];
    return [...rest, ...longestLadder(settings, tier)].map((step) => ({ tier: tier.name, step }));
  });
}

/** What people are told as `trial 3 of 12`. */
function isCounted(step: LadderStep): boolean {
  return step.kind === 'trial' && (step.purpose === 'measure' || step.purpose === 'fault');
}
