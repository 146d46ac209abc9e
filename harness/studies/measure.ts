import type { Interval, Measurement } from '../core/trial.ts';
import type { LoadEngine, TrialRequest } from '../engines/engine.ts';
import type { Probe } from '../probes/probe.ts';
import { sampleEachSecond } from '../probes/sampler.ts';

export interface MeasureHooks {
  /** Called with each second of the trial as it ends, warm-up included. */
  readonly onInterval?: (interval: Interval) => void;
}

/**
 * Runs one trial and reads the probes once a second meanwhile. The only place where a trial is measured: studies,
 * benchmarks and tests all call it.
 * @throws what the engine throws when the trial cannot be run; probes that fail make notes instead.
 */
export async function measure(
  engine: LoadEngine,
  request: TrialRequest,
  probes: readonly Probe[],
  signal: AbortSignal,
  { onInterval }: MeasureHooks = {},
): Promise<Measurement> {
  const sampling = sampleEachSecond(probes);
  const trial = await engine.run(request, signal, onInterval).finally(() => sampling.stop());
  return { trial, ...sampling.since(trial.startedAtMonotonicS) };
}
