import type Docker from 'dockerode';
import { type Problem, TierbenchError } from '../core/errors.ts';
import { type EngineAddress, type EngineFacts, engineAddress, engineFacts, isInContainer } from './engine.ts';

/** Removes the containers of a command that was killed; the tag is that of testcontainers. */
export const reaperImage = 'testcontainers/ryuk:0.14.0';

/** A container engine that answers, and removes what is labelled with `reaperLabels` should this process be killed. */
export interface Engine {
  readonly address: EngineAddress;
  readonly docker: Docker;
  readonly facts: EngineFacts;
  readonly reaperLabels: Readonly<Record<string, string>>;
}

/**
 * The engine of this account with the reaper of testcontainers, which starts on the first call.
 * @throws TierbenchError ENGINE_NOT_AVAILABLE
 */
export async function connectToEngine(): Promise<Engine> {
  const facts = await engineFacts();
  const address = engineAddress();
  if ('obstacle' in facts)
    throw notAvailable('no container engine can be used', { problems: [{ what: 'containers', ...facts }] });
  if (address === undefined) throw notAvailable('no container engine was found');
  // Where there is a file /.dockerenv, testcontainers takes this machine for a container next to those it starts, and
  // looks for their ports at the gateway of the engine's network. engineFacts has refused that case.
  if (isInContainer()) process.env.TESTCONTAINERS_HOST_OVERRIDE ??= '127.0.0.1';
  process.env.RYUK_CONTAINER_IMAGE ??= reaperImage;
  const { getContainerRuntimeClient, getReaper, LABEL_TESTCONTAINERS_SESSION_ID } = (await loadClients())
    .testcontainers;
  try {
    const client = await getContainerRuntimeClient();
    const { sessionId } = await getReaper(client);
    const { dockerode: docker } = client.container;
    return { address, docker, facts, reaperLabels: { [LABEL_TESTCONTAINERS_SESSION_ID]: sessionId } };
  } catch (error) {
    throw notAvailable(`the container engine cannot be used: ${(error as Error).message}`, { cause: error });
  }
}

/**
 * The engine of this account, without a reaper: for whoever removes what it makes by itself.
 * @throws TierbenchError ENGINE_NOT_AVAILABLE
 */
export async function dockerHere(): Promise<Docker> {
  const { Docker: Client } = await loadClients();
  return new Client(engineAddress());
}

/**
 * Why the packages that speak with the engine cannot be loaded; undefined when they can. They bring native and optional
 * parts, and whoever uses no containers can do without.
 */
export async function whyNoClient(): Promise<string | undefined> {
  return await loadClients().then(
    () => undefined,
    (error: Error) => error.message,
  );
}

async function loadClients() {
  try {
    const [{ default: Docker }, testcontainers] = await Promise.all([import('dockerode'), import('testcontainers')]);
    return { Docker, testcontainers };
  } catch (cause) {
    const [why] = String((cause as Error).message).split('\n');
    throw new TierbenchError(
      'ENGINE_NOT_AVAILABLE',
      `the packages dockerode and testcontainers cannot be loaded (${why})`,
      'Run `npm install` again where tierbench is installed, or use the local provider.',
      { cause },
    );
  }
}

function notAvailable(
  what: string,
  options: { readonly problems?: readonly Problem[]; readonly cause?: unknown } = {},
): TierbenchError {
  return new TierbenchError(
    'ENGINE_NOT_AVAILABLE',
    what,
    'Start a container engine that this account may use, or use the local provider; `tierbench doctor` says more.',
    options,
  );
}
