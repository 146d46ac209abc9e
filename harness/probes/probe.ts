import type { ProbeSample } from '../core/trial.ts';

export type Reading = Omit<ProbeSample, 'atS'>;

/** One source of evidence, read once a second while a trial runs. */
export interface Probe extends AsyncDisposable {
  readonly name: string;
  /** Counters are given as rates since the last call, so the first call may return nothing. */
  read(): Promise<readonly Reading[]>;
}
