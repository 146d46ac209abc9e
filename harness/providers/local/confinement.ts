/** What a process is held to. */
export interface Confinement {
  /** The CPUs it may run on, where there is a `taskset`; those of tierbench itself when left out. */
  readonly cpus?: readonly number[];
  /** Puts a process into its control group, as soon as there is one. */
  join?(processId: number): void;
}
