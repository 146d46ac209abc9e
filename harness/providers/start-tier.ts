import { randomBytes } from 'node:crypto';
import type { App, DataValues } from '../core/app.ts';
import type { ProbeTarget, RunningInstance, RunningService } from '../core/deployment.ts';
import type { ErrorCode } from '../core/error-codes.ts';
import { TierbenchError } from '../core/errors.ts';
import type { Note } from '../core/findings.ts';
import type { Service, Tier } from '../core/tier.ts';
import { type Address, serviceUrl } from '../services/address.ts';
import { serviceType } from '../services/registry.ts';
import type { OnceStep, Peer, ProbeChoice, ServiceSpec, ServiceType, SpecContext } from '../services/service-type.ts';
import { inDependencyOrder } from './dependency-order.ts';
import type { DeploymentSecrets } from './health.ts';
import { type FaultTarget, faultControl, type InstanceFailures, instanceFailures } from './instance-failures.ts';
import type { Deployment, InstanceAccess } from './provider.ts';
import { untilCopied } from './until-copied.ts';

/** What a deployment is made in. Everything that is started goes onto `stack` at once, and so is stopped in any case. */
export interface TierContext {
  readonly tier: Tier;
  readonly stack: AsyncDisposableStack;
  readonly secrets: DeploymentSecrets;
  /** Aborted by the caller, and when one service failed: the others need not go on. */
  readonly signal: AbortSignal;
  /** Aborted when the deployment is disposed of. */
  readonly disposed: AbortSignal;
  readonly onProgress: (what: string) => void;
  /** For the facts of the run. */
  readonly note: (note: Note) => void;
}

/** One instance to start: all that its spec depends on but where its files are and where it listens. */
export interface InstanceOrder {
  /** `database/1` */
  readonly name: string;
  readonly type: ServiceType;
  readonly service: Service;
  readonly context: Omit<SpecContext, 'folder' | 'dataFolder' | 'temporaryFolder' | 'host' | 'port' | 'version'>;
  readonly signal: AbortSignal;
}

/** One instance that is healthy. What is started again after `kill` has the same data at the same address. */
export interface StartedInstance extends FaultTarget {
  readonly running: RunningInstance;
  /** As it was rendered. */
  readonly spec: ServiceSpec;
  /** `PostgreSQL 18.4`; undefined when the server does not say. */
  readonly version: string | undefined;
  /** Of its main port, for the other services of the tier. */
  readonly address: Address;
  /** A name for the host of `address` that is looked up each time. */
  readonly hostName: string;
  /** The port of this machine for a port of the instance. */
  port(name: string): number;
}

/** How one provider renders the specs of a tier. */
export interface Renderer {
  startInstance(order: InstanceOrder): Promise<StartedInstance>;
  /** Runs a step of the app to its end. `spec`: of the service that has it. */
  runStep(step: OnceStep, spec: ServiceSpec, failureCode: ErrorCode, signal: AbortSignal): Promise<void>;
  /** An error of starting as something a user can act on. */
  explain(error: unknown): unknown;
}

/** For what does not depend on where an instance is. */
const nowhere = { folder: '/', dataFolder: '/', temporaryFolder: '/', host: '127.0.0.1', port: () => 1 } as const;

/** A service that is up, as the others of its tier and the probes see it. */
interface StartedService {
  readonly running: RunningService;
  readonly instances: readonly StartedInstance[];
  readonly order: InstanceOrder;
  readonly peer: Peer;
  readonly access: readonly InstanceAccess[];
  readonly probes: readonly ProbeTarget[];
  /** Of its first instance, from this machine. */
  readonly url: string;
}

/**
 * Starts every service as soon as all it connects to are up, and stops everything again when one fails, when the caller
 * aborts, and when the deployment is disposed of. What is the same for every provider is here.
 */
export async function startTier(
  { provider, tier, app }: { readonly provider: string; readonly tier: Tier; readonly app: App },
  callerSignal: AbortSignal,
  onProgress: (what: string) => void,
  begin: (context: TierContext) => Promise<Renderer>,
): Promise<Deployment> {
  const order = inDependencyOrder(tier.services);
  callerSignal.throwIfAborted();
  await using stack = new AsyncDisposableStack();
  const failures = instanceFailures();
  const oneFailed = new AbortController();
  const disposed = new AbortController();
  failures.listen(({ instance, what }) => oneFailed.abort(endedWhileStarting(instance, what)));
  const notes = new Map<string, Note>();
  const context: TierContext = {
    tier,
    stack,
    secrets: newSecrets(),
    signal: AbortSignal.any([callerSignal, oneFailed.signal]),
    disposed: disposed.signal,
    onProgress,
    note: (note) => notes.set(JSON.stringify(note), note),
  };
  const renderer = await begin(context);
  const startService = serviceStarter(context, app, renderer, failures);

  const starting = new Map<string, Promise<StartedService>>();
  for (const service of order) {
    const connections = Object.entries(service.connectsTo).map(
      async ([role, name]) => [role, await starting.get(name)] as [string, StartedService],
    );
    starting.set(
      service.name,
      Promise.all(connections).then(async (entries) => {
        onProgress(`starting ${service.name}`);
        const started = await startService(service, new Map(entries));
        onProgress(`${service.name} is up`);
        return started;
      }),
    );
  }
  const all = await allOrFirstFailure([...starting.values()], oneFailed).catch((error) => {
    callerSignal.throwIfAborted();
    throw renderer.explain(error);
  });
  callerSignal.throwIfAborted();
  oneFailed.signal.throwIfAborted();

  const started = new Map(all.map((each) => [each.running.name, each]));
  const inTierOrder = tier.services.flatMap(({ name }) => started.get(name) ?? []);
  const probes = all.flatMap((each) => each.probes);
  const entry = started.get(tier.entry)?.running.instances[0];
  const everything = stack.move();
  let preparing: Promise<void> = Promise.resolve();
  let disposal: Promise<void> | undefined;
  async function prepareData(values: DataValues, password: string, signal: AbortSignal): Promise<void> {
    const given = AbortSignal.any([signal, disposed.signal]);
    try {
      given.throwIfAborted();
      preparing = (async () => {
        for (const { order: one, instances } of inTierOrder) {
          const spec = instances[0]?.spec;
          const steps = one.type.data?.(one.service, { ...one.context, ...nowhere }, values, password) ?? [];
          for (const step of steps) {
            if (spec !== undefined) await renderer.runStep(step, spec, 'SEED_FAILED', given);
          }
        }
      })();
      await preparing;
      await untilCopied(probes, given);
    } catch (error) {
      given.throwIfAborted();
      throw renderer.explain(error);
    }
  }
  return {
    tier,
    provider,
    baseUrl: `http://${entry?.host}:${entry?.port}`,
    services: inTierOrder.map(({ running }) => running),
    access: all.flatMap((each) => each.access),
    probes,
    notes: [...notes.values()],
    faults: faultControl(
      new Map(all.flatMap(({ instances }) => instances.map((one) => [one.running.name, one]))),
      failures,
    ),
    ...(order.some(({ kind }) => serviceType(kind, app).data !== undefined) && { prepareData }),
    onFailure: failures.listen,
    [Symbol.asyncDispose]() {
      failures.stop();
      disposed.abort(new Error('the deployment was disposed of'));
      // What it starts while everything is stopped would stay. It was asked to stop above.
      disposal ??= preparing.catch(() => {}).then(() => everything.disposeAsync());
      return disposal;
    },
  };
}

/** How a service of the tier is started: its instances, and what is to be run once for all of them. */
function serviceStarter(context: TierContext, app: App, renderer: Renderer, failures: InstanceFailures) {
  const { tier, secrets, stack } = context;
  /** Several services of the same database have the same migration. */
  const steps = new Map<string, Promise<void>>();

  function run(step: OnceStep, spec: ServiceSpec): Promise<void> {
    const key = [step.name, ...step.services].join(' ');
    const before = steps.get(key);
    if (before !== undefined) return before;
    context.onProgress(`running ${step.name}`);
    const running = renderer.runStep(step, spec, 'MIGRATION_FAILED', context.signal);
    steps.set(key, running);
    // Who waits for it says that it failed. Nothing may be removed before it has ended.
    const ended = running.catch(() => {});
    stack.defer(() => ended);
    return running;
  }

  return async (service: Service, connections: ReadonlyMap<string, StartedService>): Promise<StartedService> => {
    const type = serviceType(service.kind, app);
    const oneFailed = new AbortController();
    const signal = AbortSignal.any([context.signal, oneFailed.signal]);
    const orders = Array.from(
      { length: service.instances },
      (_, index): InstanceOrder => ({
        name: `${service.name}/${index + 1}`,
        type,
        service,
        context: {
          tier,
          instance: index + 1,
          peer: (role) => connections.get(role)?.peer,
          ...secrets,
        },
        signal,
      }),
    );
    const [first] = orders;
    if (first === undefined) throw new Error(`the service '${service.name}' has no instances`);
    // Steps depend on the peers alone.
    const outline = type.spec(service, { ...first.context, ...nowhere });
    const instances = orders.map(async (order) => {
      const instance = await renderer.startInstance(order);
      failures.watch(order.name, instance.ended());
      return instance;
    });
    // It starts while the database is migrated, and neither is left running when the other fails.
    const prepared = outline.steps.map((step) => run(step, outline).then(() => undefined));
    const started = (await allOrFirstFailure([...prepared, ...instances], oneFailed)).filter(
      (one) => one !== undefined,
    );
    for (const { spec } of started) for (const note of spec.notes) context.note(note);
    return describe(first, started, connections, secrets);
  };
}

function describe(
  order: InstanceOrder,
  instances: readonly StartedInstance[],
  connections: ReadonlyMap<string, StartedService>,
  secrets: DeploymentSecrets,
): StartedService {
  const { type, service } = order;
  const [first] = instances;
  const offered = type.offers(service);
  const urlAt = (address: Address) => (offered === undefined ? '' : serviceUrl(offered, address, secrets));
  const addresses = instances.map(({ address }) => address);
  const own = {
    service,
    addresses,
    url: first === undefined ? '' : urlAt({ ...first.address, host: first.hostName }),
  };
  const forwarded = type.forwards === undefined ? undefined : connections.get(type.forwards)?.peer.end;
  const version = instances.find((each) => each.version !== undefined)?.version;
  const probes = instances.map((instance) =>
    type.probes.map((choice): ProbeTarget => {
      const peerUrl = choice.peer === undefined ? undefined : connections.get(choice.peer)?.url;
      return {
        probe: choice.probe,
        source: instance.running.name,
        url: probeUrl(choice, instance, secrets),
        ...(peerUrl !== undefined && { peerUrl }),
      };
    }),
  );
  const hereUrl = ({ running: { host, port } }: StartedInstance) => urlAt({ host, port });
  return {
    order,
    instances,
    running: {
      name: service.name,
      kind: service.kind,
      instances: instances.map(({ running }) => running),
      ...(version !== undefined && { version }),
    },
    peer: { ...own, lacks: first?.spec.lacks ?? [], end: forwarded ?? own },
    probes: probes.flat(),
    // One that offers nothing is looked into by nobody.
    access: instances.flatMap((instance, index) => {
      const url = probes[index]?.[0]?.url ?? hereUrl(instance);
      return url === '' ? [] : [{ instance: instance.running.name, kind: service.kind, url }];
    }),
    url: first === undefined ? '' : hereUrl(first),
  };
}

export function probeUrl(
  { protocol, port, path, database }: ProbeChoice,
  instance: StartedInstance,
  secrets: DeploymentSecrets,
): string {
  const credentials = { ...secrets.credentials, ...(database !== undefined && { database }) };
  const address = { host: instance.running.host, port: instance.port(port) };
  return `${serviceUrl(protocol, address, { ...secrets, credentials })}${path ?? ''}`;
}

export function newSecrets(): DeploymentSecrets {
  const named = new Map<string, string>();
  return {
    credentials: { user: 'tierbench', password: randomBytes(18).toString('base64url'), database: 'postgres' },
    secret(name) {
      const made = named.get(name) ?? randomBytes(36).toString('base64url');
      named.set(name, made);
      return made;
    },
  };
}

/** All results, or the first failure once everything else has been asked to stop and has. */
async function allOrFirstFailure<T>(
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
    `${instance} ended while the tier was started: it ${what}`,
    'Its last lines above name the cause; lack of memory is a common one, which `tierbench doctor` shows.',
  );
}
