/**
 * What an operating system may lack: limits on the CPU and memory of processes, CPUs that processes are kept to, and the CPU
 * time of single threads (with it the run queue, and time that went to the host, to interrupts or to waiting for disks).
 */
export const systemLacks = ['control-groups', 'cpu-placement', 'thread-cpu'] as const;
export type SystemLack = (typeof systemLacks)[number];

/** The machine a run was made on. */
export interface MachineFacts {
  readonly cpuModel: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly operatingSystem: string;
  readonly kernel: string;
  readonly node: string;
  /** What runs on this system do without. */
  readonly lacks: readonly SystemLack[];
  /** What the control group of this process allows; less than the machine has in containers and on shared hosts. */
  readonly limits: { readonly cpus?: number; readonly memoryBytes?: number };
  /** What kind of container this runs in, or null. */
  readonly container: string | null;
}

/** Something tierbench can use on a machine. */
export interface Capability {
  /** Stable: `embedded PostgreSQL`, `redis-server`. */
  readonly name: string;
  /** What a user cannot do without it. */
  readonly neededFor: string;
  /** `limited`: there, but `detail` says what to expect. */
  readonly state: 'ready' | 'missing' | 'limited';
  /** What was found or went wrong, and the next step where no command takes it. */
  readonly detail: string;
  /** A command that installs it, to be run in the folder of tierbench. */
  readonly install?: string;
}

/** What a check found. */
export type Finding = Pick<Capability, 'state' | 'detail' | 'install'>;

/** Looks for one capability. An error it throws counts as `missing`. */
export interface CapabilityCheck {
  readonly name: string;
  readonly neededFor: string;
  readonly find: () => Promise<Finding> | Finding;
}
