import type { SystemLack } from '../core/machine.ts';
import type { ControlGroupTree } from './control-groups.ts';

/** A process. What may not be read is empty. */
export interface SeenProcess {
  readonly processId: number;
  readonly parentId: number;
  /** When it started, in a unit of the system: with the id, its identity. */
  readonly startTicks: number;
  readonly hasTerminal: boolean;
  /** The value of the variable that was asked for, in the environment it was started with. */
  readonly mark: string | undefined;
  readonly workingFolder: string;
}

/** What a process has used since it started. */
export interface ProcessUsage {
  readonly processId: number;
  readonly startTicks: number;
  readonly cpuS: number;
  /** Undefined where the system does not tell threads apart. */
  readonly mainThreadCpuS: number | undefined;
  /** Resident memory. */
  readonly memoryBytes: number;
  /** The part of it that other processes may have as well; undefined where the system does not say. */
  readonly sharedBytes: number | undefined;
  /** Files and sockets it has open, and how many it may open; undefined where the system does not say. */
  readonly openFiles: { readonly count: number; readonly limit: number } | undefined;
}

/** All CPUs of the machine together, since it was started. */
export interface MachineCpu {
  readonly cores: number;
  /** Threads that run or could; undefined where the system does not say. */
  readonly runnable: number | undefined;
  /** In one unit, whichever it is. */
  readonly busy: number;
  readonly total: number;
  /** Shares of `total`: the kernel's work for the network, time that the host took, and time that programs waited for disks. */
  readonly details: { readonly interrupts: number; readonly stolen: number; readonly waiting: number } | undefined;
}

/** Bytes since it was started. */
export interface NetworkInterface {
  readonly name: string;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  /** In each direction. */
  readonly bytesPerS: number;
}

/**
 * What tierbench asks an operating system. The only room that reads files of the kernel or runs programs to learn of
 * processes; everywhere else it shows what is missing as a value, such as an empty list.
 */
export interface OperatingSystem {
  /** As Node names it: `linux`, `darwin`. */
  readonly platform: string;
  readonly lacks: readonly SystemLack[];
  /** `Debian GNU/Linux 12 (bookworm)`, `macOS 15.5`. */
  name(): string;
  /** Distinguishes one start of the machine from the next, and what process ids are counted in; empty where unknown. */
  bootId(): string;
  processNamespace(): string;
  availableMemoryBytes(): number;
  /** Of this process; Infinity without a limit, undefined where unknown. */
  openFilesLimit(): number | undefined;
  /** The first port that is given to outgoing connections; undefined where unknown. */
  firstOutgoingPort(): number | undefined;
  machineCpu(): MachineCpu;
  /** Those whose speed is known; virtual ones have none. */
  networkInterfaces(): readonly NetworkInterface[];

  /** All that can be seen, without those that have ended; with `mark` also the value of that variable. */
  processes(mark?: string): readonly SeenProcess[];
  /** Undefined where there is no such process. */
  startTicks(processId: number): number | undefined;
  /** Whether exactly this process, and not a later one with its id, runs. */
  isRunning(process: Pick<SeenProcess, 'processId' | 'startTicks'>): boolean;
  /** Each process of `roots` with its descendants, without those that are roots themselves. Empty for one that is gone. */
  usageOf(roots: readonly number[]): Promise<ReadonlyMap<number, readonly ProcessUsage[]>>;
  /** A process one of whose arguments is this. */
  processWithArgument(argument: string): Promise<number | undefined>;
  /**
   * How long its threads worked, and how long they could have but had to wait for a CPU where the system says that, all
   * together since they started. Undefined when the process is gone.
   */
  busyS(processId: number): Promise<number | undefined>;
  /** Whether a program of that name runs, whoever started it. */
  runsProgram(name: string): Promise<boolean>;
  /** Whether one of them listens on the port; true where the system does not say, so that an answer at the port must do. */
  listensOn(processIds: readonly number[], port: number): boolean;
  /** Whether SIGHUP was ignored when this process started, as by `nohup`. */
  sighupWasIgnored(): boolean;

  /** The CPUs a process may run on, this one by default; empty where the system does not say. */
  allowedCpus(processId?: number): readonly number[];
  /** What runs `command` on these CPUs, as the same process; undefined where that cannot be. */
  onCpus(cpus: readonly number[], command: readonly string[]): readonly string[] | undefined;
  /** Keeps this process, with all its threads and whatever it starts, to these CPUs. False when it cannot. */
  pinThisProcess(cpus: readonly number[]): boolean;
  pinThread(threadId: number, cpus: readonly number[]): boolean;
  /** The id the system knows the calling thread by; null where it does not say. */
  threadId(): number | null;

  /** The trees of groups that can limit CPU or memory, with the group a process is in (this one by default). */
  controlGroupTrees(processId?: number): readonly ControlGroupTree[];
  /** Whether the kernel shows the process in the group of this container: its id may be that of another machine. */
  isInContainer(processId: number, containerId: string): boolean;
}
