import { isDeepStrictEqual } from 'node:util';
import type { RunSettings } from '../core/run.ts';
import type { RunEvent } from '../core/run-event.ts';
import type { Interval, MeasuredTrial } from '../core/trial.ts';
import { mergeHistograms } from '../histograms/latency-histogram.ts';
import { succeededIn, throughputPerSIn } from '../judging/interval-throughput.ts';
import { type LadderStep, longestLadder } from './ladder.ts';

/** Turns what the run study does into events for whoever watches: which trial of how many, how fast, how long still. */
export function trackProgress(settings: RunSettings, tiers: readonly string[], emit: (event: RunEvent) => void) {
  const startedAt = performance.now();
  /** What is still to come after the current step, when nothing is shorter than it may be. */
  let ahead = tiers.flatMap((tier) => longestLadder(settings).map((step) => ({ tier, step })));
  let current: LadderStep | undefined;
  let measuring = 0;
  let sequence = 0;
  const measuresAhead = () => ahead.filter(({ step }) => isMeasure(step)).length;

  return {
    /** The tier is not run here. */
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
      const isMeasured = isMeasure(step);
      if (isMeasured) measuring += 1;
      emit({
        kind: 'trial-started',
        tier,
        purpose: step.purpose,
        sequence: isMeasured ? measuring : measuring + 1,
        total: measuring + measuresAhead(),
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
      if (measured.purpose !== 'measure') return;
      emit({ kind: 'trial-finished', sequence: measuring, total: measuring + measuresAhead(), summary });
    },
  };
}

function isMeasure(step: LadderStep): boolean {
  return step.kind === 'trial' && step.purpose === 'measure';
}

/** Warm-up and measured window together. */
function lengthS(step: LadderStep): number {
  return step.durationS + (step.kind === 'trial' ? step.warmUpS : 0);
}
