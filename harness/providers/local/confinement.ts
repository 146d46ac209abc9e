/** What a process is held to. */
export interface Confinement {
  /** The CPUs it may run on; all when left out. */
  readonly cpus?: readonly number[];
  /** Puts a process into its control group, before it runs. */
  join?(processId: number): void;
}
