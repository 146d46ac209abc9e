import { setTimeout as delay } from 'node:timers/promises';
import type Docker from 'dockerode';
import { GenericContainer, Wait } from 'testcontainers';
import { TierbenchError } from '../../core/errors.ts';
import type { Service } from '../../core/tier.ts';
import { cpuQuota } from '../../services/cpu-quota.ts';
import { freePort } from '../local/free-port.ts';
import type { Engine, EngineFacts } from './engine.ts';
import type { DeploymentNetwork } from './network.ts';
import { portBusy, type StartedContainer, startedContainer } from './started-container.ts';

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

const POLL_S = 0.03;
const PORT_ATTEMPTS = 5;

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
  const limits = enforced(surroundings.facts, spec.resources ?? {});
  return await startedContainer({ docker, address, ports, limits, secrets: surroundings.secrets });
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
