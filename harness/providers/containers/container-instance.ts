import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type ContainerContext, startContainer } from '../../container-engine/container.ts';
import type { StartedContainer } from '../../container-engine/started-container.ts';
import { redact, TierbenchError } from '../../core/errors.ts';
import type { ServiceSpec, SpecContext } from '../../services/service-type.ts';
import { SCRIPT, shellScript, wordsOf } from '../../services/shell-script.ts';
import { checkHealth, numberIn } from '../health.ts';
import type { InstanceOrder, StartedInstance } from '../start-tier.ts';

const FOLDER = '/etc/tierbench';
const START_LIMIT_S = 60;
const CLOSING_LIMIT_S = 10;
const POLL_S = 0.05;

/**
 * Starts one instance of a service in a container. Its deployment removes it, by its labels.
 * @throws TierbenchError SERVICE_DID_NOT_START, SERVICE_NOT_READY, PORT_BUSY
 */
export async function startContainerInstance(
  { name, type, service, context, signal }: InstanceOrder,
  deployment: ContainerContext,
  disposed: AbortSignal,
  imageOf: (image: ServiceSpec['image']) => Promise<string>,
): Promise<StartedInstance> {
  const ports = type.ports(service);
  const render = (dataFolder: string, version?: string): ServiceSpec => {
    const at: SpecContext = {
      ...context,
      folder: FOLDER,
      dataFolder,
      temporaryFolder: '/tmp',
      host: '0.0.0.0',
      port: (port) => ports[port] ?? 0,
      ...(version !== undefined && { version }),
    };
    return type.spec(service, at);
  };
  const { dataFolder = '', image: source } = render('');
  const image = await imageOf(source);
  const stated = await statedVersion(deployment, image);
  const spec = render(dataFolder, stated);
  const host = `${service.name}-${context.instance}`;
  const askedPort =
    type.portSetting === undefined ? undefined : Number(service.settings[type.portSetting]) || undefined;
  const container = await startContainer(
    { ...deployment, secrets: [...spec.secrets] },
    {
      alias: host,
      image,
      ...(spec.user !== undefined && { user: spec.user }),
      ...startOf(spec, dataFolder),
      ports: new Map(Object.entries(ports).map(([port, number]) => [number, port === 'main' ? askedPort : undefined])),
      resources: service.resources,
      ...(spec.dataFolder !== undefined && { dataFolder }),
      ...(spec.sharedMemoryBytes !== undefined && { sharedMemoryBytes: spec.sharedMemoryBytes }),
    },
  );
  const port = (each: string) => container.port(ports[each] ?? 0);
  const { health } = spec;
  const ask = async (given: AbortSignal) =>
    health === null
      ? undefined
      : await checkHealth(health, { host: '127.0.0.1', port: port(health.port) }, context, given);
  const untilHealthy = (until: AbortSignal) => untilReady(name, container, ask, spec.secrets, until);
  const version = (await untilHealthy(signal)) ?? stated;
  const { limits } = container;
  return {
    running: {
      name,
      host: '127.0.0.1',
      port: port('main'),
      // Others after it was killed and started.
      get processIds() {
        return container.processIds();
      },
      containerId: container.id,
      ...(Object.keys(limits).length > 0 && { limits }),
    },
    spec: render(dataFolder, version),
    version: version === undefined ? undefined : `${spec.version?.name ?? image.split(':')[0]} ${version}`,
    address: { host: container.address, port: ports.main ?? 0 },
    hostName: host,
    port,
    ended: async () => (await container.ended()).what,
    isUp: () => container.runs(),
    async kill() {
      await container.kill();
      // The engine takes the published port away a moment after the container has ended.
      const until = performance.now() + CLOSING_LIMIT_S * 1000;
      while (port('main') > 0 && (await isListening(port('main'))) && performance.now() < until)
        await delay(POLL_S * 1000);
    },
    async start() {
      await container.start();
      await untilHealthy(disposed);
    },
    pause: () => container.pause(),
    async resume() {
      await container.resume();
      await untilHealthy(disposed);
    },
  };
}

/** What the container runs. With the command of its image, secrets are in its environment: nothing is known of the image. */
function startOf(spec: ServiceSpec, dataFolder: string) {
  const files = Object.fromEntries(spec.files.map(({ path, content }) => [path, content]));
  if (spec.command === null) return { files, environment: { ...spec.environment, ...spec.secretEnvironment } };
  const { environment, secretEnvironment, prepare } = spec;
  if (Object.keys(secretEnvironment).length === 0 && prepare.length === 0) {
    return { entrypoint: wordsOf(spec.command), environment, files };
  }
  const script = shellScript({ secretEnvironment, dataFolder, prepare, command: spec.command });
  return { entrypoint: ['sh', SCRIPT], environment, files: { ...files, [SCRIPT]: script } };
}

/** Public images state the version of their program in their environment; otherwise the tag says it roughly. */
async function statedVersion({ engine }: ContainerContext, image: string): Promise<string | undefined> {
  const { Config } = await engine.docker.getImage(image).inspect();
  const program = image.split(':')[0]?.split('/').at(-1)?.toUpperCase();
  const stated = Config.Env?.find((variable) => variable.startsWith(`${program}_VERSION=`));
  return numberIn(stated ?? '') ?? numberIn(image.split(':')[1] ?? '');
}

/**
 * Asks again and again until it is ready, and gives the answer.
 * @throws TierbenchError with the last lines of the container.
 */
async function untilReady<T>(
  name: string,
  container: StartedContainer,
  ask: (signal: AbortSignal) => Promise<T>,
  secrets: readonly string[],
  signal: AbortSignal,
): Promise<T> {
  const over = new AbortController();
  const limit = AbortSignal.timeout(START_LIMIT_S * 1000);
  const given = AbortSignal.any([signal, limit, over.signal]);
  let ended: string | undefined;
  void container.ended().then(({ what }) => {
    ended = what;
    over.abort();
  });
  let lastAnswer = 'none';
  for (;;) {
    try {
      given.throwIfAborted();
      return await ask(given);
    } catch (error) {
      signal.throwIfAborted();
      if (ended !== undefined) {
        throw new TierbenchError(
          'SERVICE_DID_NOT_START',
          `${name} did not start: it ${ended}`,
          'Fix what its last lines above name; its options are the settings of the service in the tier file.',
          { cause: error },
        );
      }
      if (limit.aborted) {
        const lines = await container.lastLines();
        throw new TierbenchError(
          'SERVICE_NOT_READY',
          `${name} was not ready within ${START_LIMIT_S} s; its last answer: ${redact(lastAnswer, secrets)}\n${lines}`.trim(),
          'Its last lines above say what it waits for; `docker logs` shows more while it runs.',
          { cause: error },
        );
      }
      lastAnswer = (error as Error).message;
      await delay(POLL_S * 1000);
    }
  }
}

/** Whether something takes connections on this port of 127.0.0.1. */
function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const end = (listens: boolean) => {
      socket.destroy();
      resolve(listens);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
    socket.setTimeout(1000, () => end(false));
  });
}
