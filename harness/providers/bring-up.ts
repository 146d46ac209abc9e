import type { RunningService } from '../core/deployment.ts';
import { TierbenchError } from '../core/errors.ts';
import type { DataSize, Service, Tier } from '../core/tier.ts';
import { inDependencyOrder } from './dependency-order.ts';
import { type InstanceFailures, instanceFailures } from './instance-failures.ts';
import type { Deployment, FaultControl, InstanceAccess } from './provider.ts';
import { untilCopied } from './until-copied.ts';

/** A service that is up, with what the others need to connect to it. */
export interface StartedService {
  readonly running: RunningService;
  readonly access: readonly InstanceAccess[];
}

/** What a deployment is made in. Everything that is started goes onto `stack` at once, and so is taken down whatever comes. */
export interface Surroundings {
  readonly stack: AsyncDisposableStack;
  readonly failures: InstanceFailures;
  /** Aborted by the caller, and when one service failed: the others need not go on. */
  readonly signal: AbortSignal;
  /** Aborted when the deployment is disposed of. */
  readonly disposed: AbortSignal;
  readonly onProgress: (what: string) => void;
  /** Says something that stands in the facts of the run. */
  readonly note: (text: string) => void;
}

/** How one provider starts the services of a tier. */
export interface Bringing<Started extends StartedService> {
  /** Connections by role: `writer` -> the service that is up. */
  start(service: Service, connections: ReadonlyMap<string, Started>): Promise<Started>;
  /** When all are up. */
  readonly faults?: FaultControl;
  prepareData(
    started: ReadonlyMap<string, Started>,
    size: DataSize,
    password: string,
    signal: AbortSignal,
  ): Promise<void>;
  /** An error of starting as something a user can act on. */
  understandable(error: unknown): unknown;
}

/**
 * Starts every service as soon as all it connects to are up, and takes everything down again when one fails, when the
 * caller aborts, and when the deployment is disposed of. What is the same for every provider is here.
 */
export async function bringUp<Started extends StartedService>(
  provider: string,
  tier: Tier,
  callerSignal: AbortSignal,
  onProgress: (what: string) => void,
  begin: (surroundings: Surroundings) => Promise<Bringing<Started>>,
): Promise<Deployment> {
  const order = inDependencyOrder(tier.services);
  callerSignal.throwIfAborted();
  await using stack = new AsyncDisposableStack();
  const failures = instanceFailures();
  const oneFailed = new AbortController();
  const disposed = new AbortController();
  failures.listen(({ instance, what }) => oneFailed.abort(endedWhileStarting(instance, what)));
  const notes: string[] = [];
  const bringing = await begin({
    stack,
    failures,
    signal: AbortSignal.any([callerSignal, oneFailed.signal]),
    disposed: disposed.signal,
    onProgress,
    note: (text) => {
      if (!notes.includes(text)) notes.push(text);
    },
  });

  const starting = new Map<string, Promise<Started>>();
  for (const service of order) {
    const connections = Object.entries(service.connectsTo).map(
      async ([role, name]) => [role, await starting.get(name)] as [string, Started],
    );
    starting.set(
      service.name,
      Promise.all(connections).then(async (entries) => {
        const up = await bringing.start(service, new Map(entries));
        onProgress(`${service.name} is up`);
        return up;
      }),
    );
  }
  const all = await allOrFirstFailure([...starting.values()], oneFailed).catch((error) => {
    callerSignal.throwIfAborted();
    throw bringing.understandable(error);
  });
  callerSignal.throwIfAborted();
  oneFailed.signal.throwIfAborted();

  const started = new Map(all.map((each) => [each.running.name, each]));
  const access = all.flatMap((each) => each.access);
  const entry = started.get(tier.entry)?.running.instances[0];
  const everything = stack.move();
  let preparing: Promise<void> = Promise.resolve();
  let disposal: Promise<void> | undefined;
  return {
    tier,
    provider,
    baseUrl: `http://${entry?.host}:${entry?.port}`,
    services: tier.services.flatMap(({ name }) => started.get(name)?.running ?? []),
    access,
    notes,
    ...(bringing.faults && { faults: bringing.faults }),
    async prepareData(size, password, signal) {
      const given = AbortSignal.any([signal, disposed.signal]);
      try {
        given.throwIfAborted();
        preparing = bringing.prepareData(started, size, password, given);
        await preparing;
        await untilCopied(access, given);
      } catch (error) {
        given.throwIfAborted();
        throw bringing.understandable(error);
      }
    },
    onFailure: failures.listen,
    [Symbol.asyncDispose]() {
      failures.stop();
      disposed.abort(new Error('the deployment was disposed of'));
      // What it starts while everything is taken down would stay. It was told to stop above.
      disposal ??= preparing.catch(() => {}).then(() => everything.disposeAsync());
      return disposal;
    },
  };
}

/** All results, or the first failure once everything else has been told to stop and has. */
export async function allOrFirstFailure<T>(
  promises: readonly Promise<T>[],
  oneFailed: { abort(reason: unknown): void; readonly signal: AbortSignal },
): Promise<T[]> {
  for (const promise of promises) promise.catch((error) => oneFailed.abort(error));
  const settled = await Promise.allSettled(promises);
  if (settled.some(({ status }) => status === 'rejected')) throw oneFailed.signal.reason;
  return Promise.all(promises);
}

function endedWhileStarting(instance: string, what: string): TierbenchError {
  return new TierbenchError(
    'SERVICE_ENDED',
    `${instance} ended while the tier was brought up: it ${what}`,
    'Its last lines above name the cause; lack of memory is a common one, which `tierbench doctor` shows.',
  );
}
