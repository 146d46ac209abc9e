import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import Docker from 'dockerode';
import {
  type ContainerRuntimeClient,
  getContainerRuntimeClient,
  getReaper,
  LABEL_TESTCONTAINERS_SESSION_ID,
} from 'testcontainers';
import { TierbenchError } from '../../core/errors.ts';
import { askEngine, engineAddress } from '../../orphans/engine.ts';
import { reaperImage } from '../../services/images.ts';

/** A container engine that answers. */
export interface Engine {
  readonly docker: Docker;
  readonly client: ContainerRuntimeClient;
  /** On everything that is made, so that the reaper removes it should this process be killed. */
  readonly reaperLabels: Readonly<Record<string, string>>;
}

/** What the engine says of itself. */
export interface EngineFacts {
  readonly version: string;
  /** The host name of the machine it runs on. */
  readonly machine: string;
  readonly cpus: number;
  /** Whether its kernel holds containers to CPUs and memory. */
  readonly limitsCpus: boolean;
  readonly limitsMemory: boolean;
}

const ANSWER_LIMIT_S = 5;

/** Undefined with a reason where containers cannot be used from here. */
export async function engineFacts(): Promise<EngineFacts | string> {
  const address = engineAddress();
  const install = 'install one from https://docs.docker.com/engine/install/, or use `--provider local`';
  if (address === undefined) return `no container engine was found; ${install}`;
  const place = 'socketPath' in address ? address.socketPath : `${address.host}:${address.port}`;
  if ('host' in address && !['localhost', '127.0.0.1', '::1', '[::1]'].includes(address.host)) {
    return `the container engine at ${place} is not on this machine; unset DOCKER_HOST, or run tierbench there`;
  }
  const answer = await askEngine(address, 'GET', '/info', ANSWER_LIMIT_S).catch(
    (error: NodeJS.ErrnoException) => error,
  );
  if (answer instanceof Error) {
    const refused = (answer as NodeJS.ErrnoException).code === 'EACCES';
    return refused
      ? `this account may not use the container engine at ${place}; \`sudo usermod -aG docker $USER\`, then sign in again`
      : `no container engine answers at ${place} (${answer.message}); start it (\`sudo systemctl start docker\`), or ${install}`;
  }
  const info = answer as Record<string, unknown>;
  const facts = {
    version: String(info.ServerVersion),
    machine: String(info.Name),
    cpus: Number(info.NCPU),
    limitsCpus: info.CpuCfsQuota === true,
    limitsMemory: info.MemoryLimit === true,
  };
  if (isInContainer() && facts.machine !== hostname()) {
    return 'tierbench runs in a container itself and cannot reach the ports of others; run it outside, or with `--provider local`';
  }
  return facts;
}

/** @throws TierbenchError ENGINE_NOT_AVAILABLE */
export async function connectToEngine(): Promise<Engine & { readonly facts: EngineFacts }> {
  const facts = await engineFacts();
  if (typeof facts === 'string') throw notAvailable(facts);
  // Where there is a file /.dockerenv, testcontainers takes this machine for a container next to those it starts, and
  // looks for their ports at the gateway of the engine's network. engineFacts has refused that case.
  if (isInContainer()) process.env.TESTCONTAINERS_HOST_OVERRIDE ??= '127.0.0.1';
  process.env.RYUK_CONTAINER_IMAGE ??= reaperImage;
  try {
    const client = await getContainerRuntimeClient();
    const { sessionId } = await getReaper(client);
    return { client, docker: dockerOf(client), reaperLabels: { [LABEL_TESTCONTAINERS_SESSION_ID]: sessionId }, facts };
  } catch (error) {
    throw notAvailable(`the container engine cannot be used: ${(error as Error).message}`, error);
  }
}

/** The whole API of the very engine that testcontainers found, which itself offers a part of it. */
function dockerOf(client: ContainerRuntimeClient): Docker {
  const docker = new Docker();
  docker.modem = client.container.getById('any').modem;
  return docker;
}

function isInContainer(): boolean {
  return existsSync('/.dockerenv');
}

function notAvailable(what: string, cause?: unknown): TierbenchError {
  return new TierbenchError(
    'ENGINE_NOT_AVAILABLE',
    what,
    'Start a container engine that this account may use, or use `--provider local`; `tierbench doctor` says more.',
    { cause },
  );
}
