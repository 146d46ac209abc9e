import { randomBytes } from 'node:crypto';
import { haveBuiltImage } from '../../container-engine/build-image.ts';
import { type ContainerContext, enforced } from '../../container-engine/container.ts';
import { connectToEngine, type Engine } from '../../container-engine/docker.ts';
import { haveImage } from '../../container-engine/images.ts';
import { makeNetwork } from '../../container-engine/network.ts';
import { DEPLOYMENT_LABEL, removeDeployment } from '../../container-engine/objects.ts';
import type { App } from '../../core/app.ts';
import { limitsNotEnforced } from '../../core/deployment.ts';
import { TierbenchError } from '../../core/errors.ts';
import { thisSystem } from '../../operating-system/this-system.ts';
import { SCRIPT, shellScript } from '../../services/shell-script.ts';
import { outlineOf } from '../outline.ts';
import type { Provider } from '../provider.ts';
import { type Renderer, startTier, type TierContext } from '../start-tier.ts';
import { startContainerInstance } from './container-instance.ts';
import { containerObstacles, imageSource } from './obstacles.ts';
import { runOnce } from './run-once.ts';

export interface ContainersProviderOptions {
  /** The registered run everything started belongs to (harness/orphans), so that it can be found when it is left. */
  readonly run: {
    readonly id: string;
    /** What every container, network and volume of the run is labelled with. */
    readonly labels: Readonly<Record<string, string>>;
  };
  /** The CPUs every service may run on; all when left out. */
  readonly systemCpus?: readonly number[] | undefined;
}

/** Starts a tier in containers on this machine, in a network of its own, published on 127.0.0.1 only. */
export function containersProvider(options: ContainersProviderOptions): Provider {
  return {
    name: 'containers',
    obstacles: ({ tier, app }) => containerObstacles(tier.services, app),
    async deploy({ tier, app }, signal, onProgress = () => {}) {
      signal.throwIfAborted();
      const engine = await connectToEngine();
      return await startTier({ provider: 'containers', tier, app }, signal, onProgress, (context) =>
        containersRenderer(options, engine, app, context),
      );
    },
  };
}

async function containersRenderer(
  { run, systemCpus }: ContainersProviderOptions,
  engine: Engine,
  app: App,
  { tier, stack, signal, disposed, onProgress, note }: TierContext,
): Promise<Renderer> {
  const name = `tierbench-${run.id}-${randomBytes(2).toString('hex')}`;
  const labels = { ...run.labels, [DEPLOYMENT_LABEL]: name };
  // Before anything is made. What is being made when it is needed has come to its end by then.
  stack.defer(() => removeDeployment(engine.address, name));
  noteAbout(tier.services, engine, note);

  /** Each image once: its name in the engine. */
  const images = new Map<string, Promise<string>>();
  for (const service of tier.services) {
    const { image } = outlineOf(service, app);
    if (image === null) throw noImage(service.kind);
    if (images.has(image.name)) continue;
    const source = imageSource(image);
    const having =
      source === undefined
        ? haveImage(engine.docker, image.name, { signal, onProgress }).then(() => image.name)
        : haveBuiltImage(engine.docker, source, { signal, onProgress });
    // Whoever awaits it reports the error.
    having.catch(() => {});
    images.set(image.name, having);
  }
  const deployment: ContainerContext = {
    engine,
    network: await makeNetwork(engine, name, labels),
    labels,
    cpus: systemCpus,
    secrets: [],
    signal,
  };
  const imageOf = async (image: { readonly name: string } | null): Promise<string> =>
    (await images.get(image?.name ?? '')) ?? '';

  return {
    async startInstance(order) {
      const instance = await startContainerInstance(order, { ...deployment, signal: order.signal }, disposed, imageOf);
      // The engine passes published ports on by a process for each, as far as this machine shows its processes.
      if (order.service.name === tier.entry && (await thisSystem.runsProgram('docker-proxy')))
        note({ code: 'published-by-proxy' });
      return instance;
    },
    async runStep({ name: step, command, environment, secretEnvironment }, { image }, failureCode, given) {
      const failure = await runOnce(
        { ...deployment, signal: given, secrets: Object.values(secretEnvironment) },
        {
          alias: `${step}-${randomBytes(2).toString('hex')}`,
          image: await imageOf(image),
          entrypoint: ['sh', SCRIPT],
          environment,
          files: { [SCRIPT]: shellScript({ secretEnvironment, command }) },
        },
      );
      if (failure === undefined) return;
      throw new TierbenchError(
        failureCode,
        `${step} ${failure}`,
        'Its last lines above name the cause; without a hint there, `tierbench doctor` says what this machine lacks.',
      );
    },
    explain: (error) => error,
  };
}

function noteAbout(services: TierContext['tier']['services'], { facts }: Engine, note: TierContext['note']): void {
  note({ code: 'container-engine', version: facts.version });
  for (const { name: service, resources } of services) {
    const limits = limitsNotEnforced(resources, enforced(facts, resources));
    if (limits !== undefined) note({ code: 'limits-not-enforced', service, limits, detail: null });
  }
}

function noImage(kind: string): TierbenchError {
  return new TierbenchError(
    'TIER_CANNOT_RUN_HERE',
    `a service of kind ${kind} has no image, so it cannot run in a container`,
    'Use the local provider, which runs it as a process.',
  );
}
