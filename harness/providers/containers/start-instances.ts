import { type ContainerSpec, startContainer } from '../../container-engine/container.ts';
import type { StartedContainer } from '../../container-engine/started-container.ts';
import type { RunningInstance } from '../../core/deployment.ts';
import type { ErrorCode } from '../../core/error-codes.ts';
import type { Service } from '../../core/tier.ts';
import { allOrFirstFailure } from '../bring-up.ts';
import type { InstanceAccess } from '../provider.ts';
import { aliasOf, type ContainerDeployment, type ContainerInstance, type StartedContainers } from './deployment.ts';
import { untilReady } from './until-ready.ts';

/** How one kind of service runs in containers. */
export interface ServiceStarter {
  /** The port it is reached on. */
  readonly insidePort: number;
  readonly spec: (alias: string, number: number) => ContainerSpec;
  /** One question that it answers when it is ready; resolves with its version if it tells. */
  readonly ask: (container: StartedContainer, signal: AbortSignal) => Promise<string | undefined>;
  readonly accessUrl: (container: StartedContainer) => string;
  readonly endedCode: ErrorCode;
  readonly notReadyCode: ErrorCode;
}

/** Starts all instances of a service, and resolves when all are ready. */
export async function startInstances(
  deployment: ContainerDeployment,
  service: Service,
  starter: ServiceStarter,
): Promise<StartedContainers> {
  const oneFailed = new AbortController();
  const signal = AbortSignal.any([deployment.signal, oneFailed.signal]);
  const starting = Array.from({ length: service.instances }, async (_, index) => {
    const number = index + 1;
    const name = `${service.name}/${number}`;
    const container = await startContainer(
      { ...deployment, signal },
      starter.spec(aliasOf(service.name, number), number),
    );
    const { endedCode, notReadyCode } = starter;
    const ready = (until: AbortSignal) =>
      untilReady({
        name,
        container,
        ask: (given) => starter.ask(container, given),
        secrets: deployment.secrets,
        endedCode,
        notReadyCode,
        signal: until,
      });
    const version = await ready(signal);
    const instance: ContainerInstance = {
      name,
      container,
      port: container.port(starter.insidePort),
      untilReady: ready,
    };
    return { instance, version };
  });
  const started = await allOrFirstFailure(starting, oneFailed);
  const instances = started.map(({ instance }) => instance);
  const version = started.find((each) => each.version !== undefined)?.version;
  return {
    instances,
    insidePort: starter.insidePort,
    running: {
      name: service.name,
      kind: service.kind,
      instances: instances.map(runningInstance),
      ...(version !== undefined && { version }),
    },
    access: instances.map(
      ({ name, container }): InstanceAccess => ({
        instance: name,
        kind: service.kind,
        url: starter.accessUrl(container),
      }),
    ),
  };
}

function runningInstance({ name, container, port }: ContainerInstance): RunningInstance {
  return {
    name,
    host: '127.0.0.1',
    port,
    // Others after it was killed and started.
    get processIds() {
      return container.processIds();
    },
    containerId: container.id,
    ...(Object.keys(container.limits).length > 0 && { limits: container.limits }),
  };
}
