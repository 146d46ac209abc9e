import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type Docker from 'dockerode';
import { GenericContainer, Wait } from 'testcontainers';
import { TierbenchError } from '../../core/errors.ts';
import type { Service } from '../../core/tier.ts';
import { cpuQuota } from '../../servers/cpu-quota.ts';
import { redact } from '../local/child-process.ts';
import { freePort } from '../local/free-port.ts';
import type { Engine, EngineFacts } from './engine.ts';
import type { DeploymentNetwork } from './network.ts';

/** What all containers of a deployment have in common. */
export interface ContainerSurroundings {
  readonly engine: Engine;
  readonly facts: EngineFacts;
  readonly network: DeploymentNetwork;
  readonly labels: Readonly<Record<string, string>>;
  /** The CPUs they may run on; all when left out. */
  readonly cpus?: readonly number[] | undefined;
  /** Values that must not appear in any text a container is quoted in. */
  readonly secrets: string[];
  readonly signal: AbortSignal;
}

export interface ContainerSpec {
  /** Its name in the network: `api-1`. */
  readonly alias: string;
  readonly image: string;
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly user?: string;
  /** Seen by whoever may use the engine. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Path in the container -> content. Everyone in the container may read them, nobody outside but root. */
  readonly files?: Readonly<Record<string, string>>;
  /** Ports it listens on -> the port of this machine asked for; undefined for any. */
  readonly ports?: ReadonlyMap<number, number | undefined>;
  readonly resources?: Service['resources'];
  /** A folder that outlives the processes of the container, not the container. */
  readonly dataFolder?: string;
  readonly sharedMemoryBytes?: number;
}

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

const KEPT_LINES = 30;
const POLL_S = 0.03;
const PORT_ATTEMPTS = 5;
const PORT_PAUSE_S = 0.3;
const portBusy = /port is already allocated|address already in use|ports are not available/i;

/** A container of testcontainers that says when it exists, before it starts. */
class Container extends GenericContainer {
  readonly #onCreated: (id: string) => void;

  constructor(
    image: string,
    create: Docker.ContainerCreateOptions,
    host: Docker.HostConfig,
    onCreated: (id: string) => void,
  ) {
    super(image);
    Object.assign(this.createOpts, create);
    Object.assign(this.hostConfig, host);
    this.#onCreated = onCreated;
  }

  protected override async containerCreated(id: string): Promise<void> {
    this.#onCreated(id);
  }
}

/**
 * Starts a container in the network of the deployment. Its ports are published on 127.0.0.1 only.
 * @throws TierbenchError PORT_BUSY for a port that was asked for.
 */
export async function startContainer(
  surroundings: ContainerSurroundings,
  spec: ContainerSpec,
): Promise<StartedContainer> {
  const address = surroundings.network.nextAddress();
  for (let attempt = 1; ; attempt += 1) {
    const ports = new Map<number, number>();
    for (const [container, asked] of spec.ports ?? []) ports.set(container, asked ?? (await freePort()));
    try {
      return await startOnce(surroundings, spec, address, ports);
    } catch (error) {
      surroundings.signal.throwIfAborted();
      if (!portBusy.test((error as Error).message)) throw error;
      const asked = [...(spec.ports?.values() ?? [])].filter((port) => port !== undefined);
      if (asked.length === 0 && attempt < PORT_ATTEMPTS) continue;
      throw new TierbenchError(
        'PORT_BUSY',
        `${spec.alias} cannot listen on 127.0.0.1:${[...ports.values()].join(' or ')}: something else does`,
        'Take the port out of the settings of the tier, so that a free one is chosen, or stop what uses it.',
        { cause: error },
      );
    }
  }
}

async function startOnce(
  surroundings: ContainerSurroundings,
  spec: ContainerSpec,
  address: string,
  ports: ReadonlyMap<number, number>,
): Promise<StartedContainer> {
  const { engine, signal } = surroundings;
  signal.throwIfAborted();
  const created = Promise.withResolvers<string>();
  const container = new Container(
    spec.image,
    createOptions(surroundings, spec, address),
    hostConfig(surroundings, spec, ports),
    (id) => {
      created.resolve(id);
      signal.throwIfAborted();
    },
  )
    .withNetworkMode(surroundings.network.name)
    .withLabels({ ...surroundings.labels })
    .withEnvironment({ ...spec.environment })
    .withCopyContentToContainer(
      Object.entries(spec.files ?? {}).map(([target, content]) => ({ target, content, mode: 0o444 })),
    )
    .withWaitStrategy(Wait.forAll([]));
  // Its ports are known; testcontainers would look for those of a container that ended at once for ten seconds.
  const starting = container.start();
  starting.catch(created.reject);
  const docker = engine.docker.getContainer(await created.promise);
  const { promise: aborted, reject: abort } = Promise.withResolvers<never>();
  const onAbort = () => abort(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.race([starting, leftCreation(docker), aborted]);
  } catch (error) {
    // Its name and address are for the next attempt.
    if (portBusy.test((error as Error).message)) await docker.remove({ force: true, v: true });
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
    // Whichever came first, the others are of no interest any more.
    starting.catch(() => {});
    aborted.catch(() => {});
  }
  return await watched(surroundings, spec, docker, address, ports);
}

function createOptions(
  { network }: ContainerSurroundings,
  spec: ContainerSpec,
  address: string,
): Docker.ContainerCreateOptions {
  return {
    name: `${network.name}-${spec.alias}`,
    Hostname: spec.alias,
    ...(spec.entrypoint && { Entrypoint: [...spec.entrypoint] }),
    ...(spec.command && { Cmd: [...spec.command] }),
    ...(spec.user !== undefined && { User: spec.user }),
    ExposedPorts: Object.fromEntries([...(spec.ports?.keys() ?? [])].map((port) => [`${port}/tcp`, {}])),
    NetworkingConfig: {
      EndpointsConfig: { [network.name]: { Aliases: [spec.alias], IPAMConfig: { IPv4Address: address } } },
    },
  };
}

function hostConfig(
  { engine, facts, labels, cpus }: ContainerSurroundings,
  { resources = {}, dataFolder, sharedMemoryBytes }: ContainerSpec,
  ports: ReadonlyMap<number, number>,
): Docker.HostConfig {
  const limits = enforced(facts, resources);
  const quota = limits.cpus === undefined ? undefined : cpuQuota(limits.cpus);
  return {
    PortBindings: Object.fromEntries(
      [...ports].map(([container, host]) => [`${container}/tcp`, [{ HostIp: '127.0.0.1', HostPort: String(host) }]]),
    ),
    ...(quota && { CpuPeriod: quota.periodMicroseconds, CpuQuota: quota.quotaMicroseconds }),
    // The same for memory with swap: a server that swaps is not what is measured.
    ...(limits.memoryBytes !== undefined && { Memory: limits.memoryBytes, MemorySwap: limits.memoryBytes }),
    ...(cpus && { CpusetCpus: cpus.join(',') }),
    ...(sharedMemoryBytes !== undefined && { ShmSize: sharedMemoryBytes }),
    ...(dataFolder !== undefined && {
      Mounts: [
        {
          Type: 'volume',
          Source: '',
          Target: dataFolder,
          VolumeOptions: {
            Labels: { ...labels, ...engine.reaperLabels },
            NoCopy: false,
            DriverConfig: { Name: 'local', Options: {} },
          },
        },
      ],
    }),
  };
}

/** What the engine's kernel can hold a container to. */
export function enforced(
  { limitsCpus, limitsMemory }: EngineFacts,
  { cpus, memoryBytes }: Service['resources'],
): StartedContainer['limits'] {
  return {
    ...(cpus !== undefined && limitsCpus && { cpus }),
    ...(memoryBytes !== undefined && limitsMemory && { memoryBytes }),
  };
}

/** Resolves when it runs, or has ended already. */
async function leftCreation(docker: Docker.Container): Promise<void> {
  while ((await docker.inspect()).State.Status === 'created') await delay(POLL_S * 1000);
}

async function watched(
  { facts, secrets }: ContainerSurroundings,
  { resources = {} }: ContainerSpec,
  docker: Docker.Container,
  address: string,
  ports: ReadonlyMap<number, number>,
): Promise<StartedContainer> {
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
    limits: enforced(facts, resources),
    port: (containerPort) => ports.get(containerPort) ?? 0,
    processIds: () => processIds,
    ended: () => end,
    lastLines,
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
  const groups = await readFile(`/proc/${State.Pid}/cgroup`, 'utf8').catch(() => '');
  return State.Pid > 0 && groups.includes(docker.id) ? [State.Pid] : [];
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
