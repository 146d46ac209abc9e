import type Docker from 'dockerode';
import { TierbenchError } from '../core/errors.ts';
import { cpuQuota, type Service } from '../core/tier.ts';
import { freePort } from '../machine/free-port.ts';
import type { Engine } from './docker.ts';
import type { EngineFacts } from './engine.ts';
import type { DeploymentNetwork } from './network.ts';
import { removeObject } from './objects.ts';
import { portBusy, type StartedContainer, startedContainer } from './started-container.ts';

/** What all containers of a deployment have in common. */
export interface ContainerContext {
  readonly engine: Engine;
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

const PORT_ATTEMPTS = 5;

/**
 * Starts a container in the network of the deployment. Its ports are published on 127.0.0.1 only.
 * @throws TierbenchError PORT_BUSY for a port that was asked for.
 */
export async function startContainer(context: ContainerContext, spec: ContainerSpec): Promise<StartedContainer> {
  const address = context.network.nextAddress();
  for (let attempt = 1; ; attempt += 1) {
    const ports = new Map<number, number>();
    for (const [container, asked] of spec.ports ?? []) ports.set(container, asked ?? (await freePort()));
    try {
      return await startOnce(context, spec, address, ports);
    } catch (error) {
      context.signal.throwIfAborted();
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
  context: ContainerContext,
  spec: ContainerSpec,
  address: string,
  ports: ReadonlyMap<number, number>,
): Promise<StartedContainer> {
  const { engine, signal } = context;
  signal.throwIfAborted();
  const docker = await engine.docker.createContainer({
    ...createOptions(context, spec, address),
    HostConfig: hostConfig(context, spec, ports),
  });
  signal.throwIfAborted();
  const files = Object.entries(spec.files ?? {});
  if (files.length > 0) await docker.putArchive(tarOf(files), { path: '/' });
  signal.throwIfAborted();
  try {
    await docker.start();
  } catch (error) {
    // Its name and address are for the next attempt.
    if (portBusy.test((error as Error).message))
      await removeObject(engine.address, { kind: 'container', id: docker.id });
    throw error;
  }
  signal.throwIfAborted();
  const limits = enforced(engine.facts, spec.resources ?? {});
  return await startedContainer({ docker, address, ports, limits, secrets: context.secrets });
}

function createOptions(
  { engine, network, labels }: ContainerContext,
  spec: ContainerSpec,
  address: string,
): Docker.ContainerCreateOptions {
  return {
    name: `${network.name}-${spec.alias}`,
    Image: spec.image,
    Hostname: spec.alias,
    Env: Object.entries(spec.environment ?? {}).map(([name, value]) => `${name}=${value}`),
    Labels: { ...labels, ...engine.reaperLabels },
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
  { engine, network, labels, cpus }: ContainerContext,
  { resources = {}, dataFolder, sharedMemoryBytes }: ContainerSpec,
  ports: ReadonlyMap<number, number>,
): Docker.HostConfig {
  const limits = enforced(engine.facts, resources);
  const quota = limits.cpus === undefined ? undefined : cpuQuota(limits.cpus);
  return {
    NetworkMode: network.name,
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

const BLOCK = 512;

/** An archive of text files that everyone may read (POSIX ustar: "pax Interchange Format" in the manual of pax). */
function tarOf(files: readonly (readonly [path: string, content: string])[]): Buffer {
  const blocks = files.flatMap(([path, content]) => {
    const name = path.replace(/^\//, '');
    const body = Buffer.from(content);
    if (Buffer.byteLength(name) >= 100) throw new Error(`the path ${path} is too long for an archive`);
    const octal = (value: number, digits: number) => value.toString(8).padStart(digits, '0');
    const header = Buffer.alloc(BLOCK);
    header.write(name, 0);
    header.write(
      `${octal(0o444, 7)}\0${octal(0, 7)}\0${octal(0, 7)}\0${octal(body.length, 11)}\0${octal(0, 11)}\0`,
      100,
    );
    header.write('        0', 148);
    header.write('ustar\x0000', 257);
    header.write(
      `${octal(
        header.reduce((sum, byte) => sum + byte, 0),
        6,
      )}\0 `,
      148,
    );
    return [header, body, Buffer.alloc((BLOCK - (body.length % BLOCK)) % BLOCK)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]);
}
