import { randomBytes } from 'node:crypto';
import { haveBuiltImage } from '../../container-engine/build-image.ts';
import { enforced } from '../../container-engine/container.ts';
import { connectToEngine, type Engine } from '../../container-engine/docker.ts';
import type { EngineFacts } from '../../container-engine/engine.ts';
import { haveImage } from '../../container-engine/images.ts';
import { makeNetwork } from '../../container-engine/network.ts';
import { DEPLOYMENT_LABEL, removeDeployment } from '../../container-engine/objects.ts';
import { TierbenchError } from '../../core/errors.ts';
import type { Service, Tier } from '../../core/tier.ts';
import { type Address, postgresUrl } from '../../services/address.ts';
import { images } from '../../services/images.ts';
import { keepsPreparedStatements } from '../../services/pooler.ts';
import { bringUp, type Surroundings } from '../bring-up.ts';
import type { Provider } from '../provider.ts';
import { startApi } from './api.ts';
import { aliasOf, type ContainerDeployment, type ContainerInstance, type StartedContainers } from './deployment.ts';
import { containerFaults, watchInstance } from './faults.ts';
import { startNginx } from './nginx.ts';
import { containerObstacles, referenceAppImage } from './obstacles.ts';
import { startPgbouncer } from './pgbouncer.ts';
import { startPrimary, startReplica } from './postgres.ts';
import { publishesByProxy } from './published-ports.ts';
import { startRedis } from './redis.ts';
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

/** Brings a tier up in containers on this machine, in a network of its own, published on 127.0.0.1 only. */
export function containersProvider(options: ContainersProviderOptions): Provider {
  return {
    name: 'containers',
    obstacles: (tier) => containerObstacles([...new Set(tier.services.map(({ kind }) => kind))]),
    async deploy(tier, signal, onProgress = () => {}) {
      signal.throwIfAborted();
      const engine = await connectToEngine();
      return await bringUp<StartedContainers>('containers', tier, signal, onProgress, (surroundings) =>
        begin(options, engine, tier, surroundings),
      );
    },
  };
}

async function begin(
  { run, systemCpus }: ContainersProviderOptions,
  engine: Engine,
  tier: Tier,
  { stack, failures, signal, disposed, onProgress, note }: Surroundings,
) {
  const { docker, facts } = engine;
  const name = `tierbench-${run.id}-${randomBytes(2).toString('hex')}`;
  const labels = { ...run.labels, [DEPLOYMENT_LABEL]: name };
  const redisPassword = randomPassword();
  const jwtSecret = randomBytes(48).toString('base64url');
  const credentials = { user: 'tierbench', password: randomPassword(), database: 'postgres' };
  // Before anything is made. What is under way when it is needed has come to its end by then.
  stack.defer(() => removeDeployment(engine.address, name));
  noteAbout(tier, facts, note);

  const wanted = new Set(tier.services.map(({ kind }) => kind).filter((kind) => kind !== 'api'));
  await Promise.all(
    [...new Set([...wanted].map((kind) => images[kind as keyof typeof images]))].map((image) =>
      haveImage(docker, image, { signal, onProgress }),
    ),
  );
  const appImage = haveBuiltImage(docker, referenceAppImage, { signal, onProgress });
  // Told by whoever waits for it; where the tier has no API, by nobody.
  appImage.catch(() => {});
  const deployment: ContainerDeployment = {
    engine,
    network: await makeNetwork(engine, name, labels),
    labels,
    cpus: systemCpus,
    secrets: [credentials.password, redisPassword, jwtSecret],
    signal,
    credentials,
    appImage,
    onProgress,
  };
  const instances = new Map<string, ContainerInstance>();
  const migrations: Promise<void>[] = [];

  /** With its name, which is looked up each time, so that a part that is down is known to be. */
  const namedAddress = (service: StartedContainers): Address => ({
    host: aliasOf(service.running.name, 1),
    port: service.insidePort,
  });
  const numericAddresses = ({ instances: all, insidePort }: StartedContainers): Address[] =>
    all.map(({ container }) => ({ host: container.address, port: insidePort }));

  function migrate(primary: StartedContainers): Promise<void> {
    onProgress('migrating the database');
    return runOnce(deployment, {
      name: 'the migration of the database',
      alias: `migrate-${primary.running.name}`,
      failureCode: 'MIGRATION_FAILED',
      program: ['migrate.ts'],
      secrets: { DATABASE_URL: postgresUrl(namedAddress(primary), credentials) },
    });
  }

  async function start(
    service: Service,
    connections: ReadonlyMap<string, StartedContainers>,
  ): Promise<StartedContainers> {
    const connected = (role: string): StartedContainers => {
      const found = connections.get(role);
      if (found === undefined) throw notConnected(service, role);
      return found;
    };
    switch (service.kind) {
      case 'primary': {
        const primary = await startPrimary(deployment, service);
        // Nothing needs to wait for it but whoever waits for the tier.
        const migration = migrate(primary);
        migration.catch(() => {});
        migrations.push(migration);
        return primary;
      }
      case 'replica':
        return await startReplica(deployment, service, namedAddress(connected('primary')).host);
      case 'pooler': {
        const [database] = numericAddresses(connected('database'));
        if (database === undefined) throw notConnected(service, 'database');
        return await startPgbouncer(deployment, service, database);
      }
      case 'cache':
        return await startRedis(deployment, service, redisPassword);
      case 'load-balancer':
        return await startNginx(deployment, service, numericAddresses(connected('backend')));
      case 'api': {
        const reader = connections.get('reader');
        const cache = connections.get('cache');
        const cacheAt = cache && namedAddress(cache);
        const poolers = [connected('writer'), ...(reader ? [reader] : [])].filter(
          ({ running }) => running.kind === 'pooler',
        );
        const api = startApi(deployment, service, {
          writerUrl: postgresUrl(namedAddress(connected('writer')), credentials),
          ...(reader && { readerUrl: postgresUrl(namedAddress(reader), credentials) }),
          ...(cacheAt && { cacheUrl: `redis://:${redisPassword}@${cacheAt.host}:${cacheAt.port}` }),
          jwtSecret,
          preparedStatements: poolers.every(({ running }) => keepsPreparedStatements(numberIn(running.version))),
        });
        // It starts while the database is migrated, and neither is left under way when the other fails.
        await Promise.allSettled([api, ...migrations]);
        await Promise.all(migrations);
        return await api;
      }
      default:
        throw new Error(`no kind of service: ${service.kind}`);
    }
  }

  return {
    async start(service: Service, connections: ReadonlyMap<string, StartedContainers>) {
      const started = await start(service, connections);
      for (const instance of started.instances) {
        instances.set(instance.name, instance);
        watchInstance(failures, instance);
      }
      if (service.name === tier.entry && (await publishesByProxy())) note(PROXY_NOTE);
      return started;
    },
    faults: containerFaults(instances, failures, disposed),
    async prepareData(
      started: ReadonlyMap<string, StartedContainers>,
      size: { readonly users: number; readonly tasksPerUser: number; readonly seed: number },
      password: string,
      seedSignal: AbortSignal,
    ) {
      const primary = [...started.values()].find(({ running }) => running.kind === 'primary');
      if (primary === undefined) return;
      const bcryptCost = tier.services.find(({ kind }) => kind === 'api')?.settings.BCRYPT_COST;
      const options = { users: size.users, 'tasks-per-user': size.tasksPerUser, seed: size.seed };
      await runOnce(
        { ...deployment, secrets: [...deployment.secrets, password], signal: seedSignal },
        {
          name: 'seeding the database',
          alias: 'seed',
          failureCode: 'SEED_FAILED',
          program: ['seed.ts', ...Object.entries(options).flatMap(([option, value]) => [`--${option}`, String(value)])],
          environment: bcryptCost === undefined ? {} : { BCRYPT_COST: String(bcryptCost) },
          secrets: { DATABASE_URL: postgresUrl(namedAddress(primary), credentials), SEED_PASSWORD: password },
        },
      );
    },
    understandable: (error: unknown) => error,
  };
}

const PROXY_NOTE =
  'the container engine passes published ports on by a process (docker-proxy), which costs more than half of the ' +
  'requests per second of a light endpoint; start the engine with `--userland-proxy=false` to measure without it';

function noteAbout(tier: Tier, facts: EngineFacts, note: (text: string) => void): void {
  note(`in containers of Docker Engine ${facts.version}`);
  for (const { name, resources } of tier.services) {
    const held = enforced(facts, resources);
    const not = (['cpus', 'memoryBytes'] as const).filter(
      (limit) => held[limit] === undefined && resources[limit] !== undefined,
    );
    if (not.length > 0) note(`limits of ${name} are not enforced: the container engine cannot hold it to them`);
  }
}

function randomPassword(): string {
  return randomBytes(18).toString('base64url');
}

/** `PgBouncer 1.24.1` -> `1.24.1` */
function numberIn(version: string | undefined): string {
  return /\d+(\.\d+)+/.exec(version ?? '')?.[0] ?? '';
}

function notConnected({ name }: Service, role: string): TierbenchError {
  return new TierbenchError(
    'TIER_NOT_CONNECTED',
    `'${name}' has no connection with the role '${role}'`,
    'Mend `connectsTo` in the tier file.',
  );
}
