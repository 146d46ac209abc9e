import { setTimeout as delay } from 'node:timers/promises';
import type Docker from 'dockerode';
import { redact } from '../core/errors.ts';
import { thisSystem } from '../operating-system/this-system.ts';

/** A container that was started. Its deployment removes it, by its labels. */
export interface StartedContainer {
  readonly id: string;
  /** In the network of the deployment; kept over kill and start. */
  readonly address: string;
  readonly limits: { readonly cpus?: number; readonly memoryBytes?: number };
  /** The port of 127.0.0.1 for a port of the container; kept over kill and start. */
  port(containerPort: number): number;
  /** Where this machine shows them; the main one first. */
  processIds(): readonly number[];
  /** Resolves when the processes that run now end, asked for or not; never rejects. Anew after `start`. */
  ended(): Promise<ContainerEnd>;
  /** What it said last, without secrets. */
  lastLines(): Promise<string>;
  /** False once it has ended, asked for or not; a paused one runs. */
  runs(): Promise<boolean>;
  /** SIGKILL. Resolves when it is gone. */
  kill(): Promise<void>;
  /** After `kill`. Resolves when it runs; whether it answers is for the caller to see. */
  start(): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
}

interface ContainerEnd {
  readonly exitCode: number | null;
  /** `ended with exit code 1`, followed by its last lines. */
  readonly what: string;
}

interface RunningContainer extends Pick<StartedContainer, 'address' | 'limits'> {
  readonly docker: Docker.Container;
  /** Port of the container -> port of this machine. */
  readonly ports: ReadonlyMap<number, number>;
  /** Values that must not appear in any text it is quoted in. */
  readonly secrets: readonly string[];
}

const KEPT_LINES = 30;
const PORT_ATTEMPTS = 5;
const PORT_PAUSE_S = 0.3;
/** What the engine says of a port that something else listens on. */
export const portBusy = /port is already allocated|address already in use|ports are not available/i;

/** Watches one that has just been started. */
export async function startedContainer({
  docker,
  address,
  ports,
  limits,
  secrets,
}: RunningContainer): Promise<StartedContainer> {
  let processIds: readonly number[] = [];

  async function lastLines(): Promise<string> {
    const frames = await docker.logs({ stdout: true, stderr: true, tail: KEPT_LINES, follow: false });
    return redact(textOf(frames).trim(), secrets);
  }

  async function endOf(): Promise<ContainerEnd> {
    try {
      await docker.wait();
      const { State } = await docker.inspect();
      const lines = await lastLines();
      const why = State.OOMKilled ? ' for lack of memory' : '';
      return {
        exitCode: State.ExitCode,
        what: `ended with exit code ${State.ExitCode}${why}${lines === '' ? '' : `\n${lines}`}`,
      };
    } catch (error) {
      return { exitCode: null, what: `is gone: ${(error as Error).message}` };
    }
  }

  let end = endOf();
  processIds = await processIdsOf(docker);
  return {
    id: docker.id,
    address,
    limits,
    port: (containerPort) => ports.get(containerPort) ?? 0,
    processIds: () => processIds,
    ended: () => end,
    lastLines,
    runs: async () => (await docker.inspect()).State.Running,
    async kill() {
      await docker.kill();
      await end;
      processIds = [];
    },
    async start() {
      for (let attempt = 1; ; attempt += 1) {
        try {
          await docker.start();
          break;
        } catch (error) {
          if (!portBusy.test((error as Error).message) || attempt === PORT_ATTEMPTS) throw error;
          await delay(PORT_PAUSE_S * 1000);
        }
      }
      end = endOf();
      processIds = await processIdsOf(docker);
    },
    pause: () => docker.pause().then(() => {}),
    resume: () => docker.unpause().then(() => {}),
  };
}

/** The engine may run on another machine than its processes seem to: the container must be one of this kernel. */
async function processIdsOf(docker: Docker.Container): Promise<readonly number[]> {
  const { State } = await docker.inspect();
  return thisSystem.isInContainer(State.Pid, docker.id) ? [State.Pid] : [];
}

/** The engine sends standard output and standard error in frames: a byte for which, three empty ones, the length. */
function textOf(frames: Buffer): string {
  const parts: Buffer[] = [];
  for (let at = 0; at + 8 <= frames.length; ) {
    const length = frames.readUInt32BE(at + 4);
    parts.push(frames.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  return Buffer.concat(parts).toString('utf8');
}
