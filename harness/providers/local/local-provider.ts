import { access, chmod, constants, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunningInstance, RunningService } from '../../core/deployment.ts';
import { TierbenchError } from '../../core/errors.ts';
import type { Service, Tier } from '../../core/tier.ts';
import type { Deployment, Provider } from '../provider.ts';
import { type ApiPrograms, newJwtSecret, referenceApp, startApiInstance } from './api-instance.ts';
import type { Child } from './child-process.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.ts';
import { findEmbeddedPostgres } from './embedded-postgres-binaries.ts';
import { instanceFailures } from './instance-failures.ts';
import { runProgram } from './run-program.ts';
import { inDependencyOrder, tierObstacles } from './what-runs-here.ts';

export interface LocalProviderOptions {
  /** The registered run everything started belongs to (harness/leftovers), so that it can be found when it is left. */
  readonly run: {
    /** An existing folder that other accounts may pass through, such as the one PostgreSQL runs under. */
    readonly folder: string;
    /** Variables every process of the run carries. */
    readonly environment: Readonly<Record<string, string>>;
  };
  /** The API to bring up; the reference app unless another is given. */
  readonly api?: ApiPrograms;
}

const API_STOP_PATIENCE_S = 5;

/** Brings a tier up as processes of this machine: an embedded PostgreSQL and the API, all on 127.0.0.1. */
export function localProvider(options: LocalProviderOptions): Provider {
  return {
    name: 'local',
    async obstacles(tier) {
      return [...tierObstacles(tier), ...(await machineObstacles())];
    },
    async deploy(tier, signal, onProgress = () => {}) {
      refuseWhatCannotRun(tier);
      const order = inDependencyOrder(tier.services);
      signal.throwIfAborted();
      return await bringUp(options, tier, order, signal, onProgress);
    },
  };
}

async function bringUp(
  { run, api = referenceApp() }: LocalProviderOptions,
  tier: Tier,
  order: readonly Service[],
  callerSignal: AbortSignal,
  onProgress: (what: string) => void,
): Promise<Deployment> {
  await using started = new AsyncDisposableStack();
  const folder = await deploymentFolder(run.folder, tier.name);
  started.defer(() => rm(folder, { recursive: true, force: true }));
  const failures = instanceFailures();
  const oneFailed = new AbortController();
  const disposed = new AbortController();
  const signal = AbortSignal.any([callerSignal, oneFailed.signal]);
  failures.listen(({ instance, what }) => oneFailed.abort(endedEarly(instance, what)));
  const jwtSecret = newJwtSecret();
  const databases = new Map<string, EmbeddedPostgres>();

  async function startPrimary(service: Service): Promise<RunningService> {
    const name = `${service.name}/1`;
    const serverFolder = join(folder, service.name);
    await mkdir(serverFolder, { mode: 0o700 });
    onProgress(`starting PostgreSQL (${service.name})`);
    const postgres = started.use(
      await startEmbeddedPostgres({
        folder: serverFolder,
        settings: service.settings,
        environment: run.environment,
        signal,
      }),
    );
    failures.watch(name, postgres.ended);
    databases.set(service.name, postgres);
    onProgress('migrating the database');
    await runProgram({
      name: 'the migration of the database',
      failureCode: 'MIGRATION_FAILED',
      program: api.migrate,
      arguments: [],
      folder,
      environment: { ...run.environment, DATABASE_URL: postgres.url },
      secrets: [postgres.url, new URL(postgres.url).password],
      signal,
    });
    const { port, processId, version } = postgres;
    return runningService(service, [{ name, host: '127.0.0.1', port, processIds: [processId] }], version);
  }

  async function startApi(service: Service): Promise<RunningService> {
    const databaseUrl = writerOf(service, databases).url;
    onProgress(`starting the API (${service.name})`);
    const instances = Array.from({ length: service.instances }, async (_, index) => {
      const name = `${service.name}/${index + 1}`;
      const { port, process, processIds } = await startApiInstance({
        name,
        programs: api,
        folder,
        settings: service.settings,
        databaseUrl,
        jwtSecret,
        environment: run.environment,
        signal,
        onStarted: (child: Child) => started.defer(() => child.stop('SIGTERM', API_STOP_PATIENCE_S)),
      });
      failures.watch(
        name,
        process.ended.then((end) => end.what),
      );
      return { name, host: '127.0.0.1', port, processIds };
    });
    return runningService(service, await allOrFirstFailure(instances, oneFailed));
  }

  const running = new Map<string, Promise<RunningService>>();
  for (const service of order) {
    const needs = Object.values(service.connectsTo).map((name) => running.get(name));
    const start = service.kind === 'primary' ? startPrimary : startApi;
    running.set(
      service.name,
      Promise.all(needs).then(() => start(service)),
    );
  }
  const services = await allOrFirstFailure([...running.values()], oneFailed).catch((error) => {
    callerSignal.throwIfAborted();
    throw understandable(error, folder);
  });
  callerSignal.throwIfAborted();
  oneFailed.signal.throwIfAborted();

  const entry = services.find((service) => service.name === tier.entry)?.instances[0];
  const database = databases.values().next().value;
  const bcryptCost = tier.services.find((service) => service.kind === 'api')?.settings.BCRYPT_COST;
  const everything = started.move();
  let disposal: Promise<void> | undefined;
  return {
    tier,
    provider: 'local',
    baseUrl: `http://127.0.0.1:${entry?.port}`,
    services,
    ...(database && { databaseUrl: database.url }),
    async prepareData(size, password, seedSignal) {
      const databaseUrl = database?.url ?? '';
      await runProgram({
        name: 'seeding the database',
        failureCode: 'SEED_FAILED',
        program: api.seed,
        arguments: Object.entries({ users: size.users, 'tasks-per-user': size.tasksPerUser, seed: size.seed }).flatMap(
          ([option, value]) => [`--${option}`, String(value)],
        ),
        folder,
        environment: {
          ...run.environment,
          DATABASE_URL: databaseUrl,
          SEED_PASSWORD: password,
          ...(bcryptCost !== undefined && { BCRYPT_COST: String(bcryptCost) }),
        },
        secrets: [databaseUrl, password],
        signal: AbortSignal.any([seedSignal, disposed.signal]),
      }).catch((error) => {
        throw understandable(error, folder);
      });
    },
    onFailure: failures.listen,
    [Symbol.asyncDispose]() {
      failures.stop();
      disposed.abort(new Error('the deployment was disposed of'));
      disposal ??= everything.disposeAsync();
      return disposal;
    },
  };
}

/** All results, or the first failure once everything else has been told to stop and has. */
async function allOrFirstFailure<T>(promises: readonly Promise<T>[], oneFailed: AbortController): Promise<T[]> {
  for (const promise of promises) promise.catch((error) => oneFailed.abort(error));
  const settled = await Promise.allSettled(promises);
  if (settled.some(({ status }) => status === 'rejected')) throw oneFailed.signal.reason;
  return Promise.all(promises);
}

function runningService(service: Service, instances: readonly RunningInstance[], version?: string): RunningService {
  return { name: service.name, kind: service.kind, instances, ...(version !== undefined && { version }) };
}

function writerOf(service: Service, databases: ReadonlyMap<string, EmbeddedPostgres>): EmbeddedPostgres {
  const name = Object.values(service.connectsTo).find((other) => databases.has(other));
  const writer = name === undefined ? undefined : databases.get(name);
  if (writer === undefined) throw new Error(`${service.name} has no database; tierObstacles lets no such tier through`);
  return writer;
}

/** A folder of its own for each deployment. As root, the account PostgreSQL runs under may pass through it. */
async function deploymentFolder(runFolder: string, tierName: string): Promise<string> {
  try {
    const folder = await mkdtemp(join(runFolder, `${tierName.replaceAll(/[^\w-]/g, '_')}-`));
    if (process.getuid?.() === 0) await chmod(folder, 0o711);
    return folder;
  } catch (error) {
    throw understandable(error, runFolder);
  }
}

/** File system errors as something a user can act on; everything else as it is. */
function understandable(error: unknown, folder: string): unknown {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  // Seen by a server or program, in the words of the system.
  const noSpace =
    error instanceof TierbenchError ? /^.*No space left on device.*$/m.exec(error.message)?.[0] : undefined;
  if (error instanceof TierbenchError && noSpace === undefined) return error;
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS' || code === 'ENOENT') {
    return new TierbenchError(
      'FOLDER_NOT_WRITABLE',
      `cannot write in ${folder}: ${(error as Error).message}`,
      'Set TMPDIR to a folder this account may write in.',
      { cause: error },
    );
  }
  if (code === 'ENOSPC' || noSpace !== undefined) {
    return new TierbenchError(
      'DISK_FULL',
      `no space is left for ${folder}: ${noSpace ?? (error as Error).message}`,
      'Free some space there, or set TMPDIR to a folder on a disk with at least 1 GB free.',
      { cause: error },
    );
  }
  return error;
}

function endedEarly(instance: string, what: string): TierbenchError {
  return new TierbenchError(
    'SERVICE_ENDED',
    `${instance} ended while the tier was brought up: it ${what}`,
    'Its last lines above name the cause; lack of memory is a common one, which `tierbench doctor` shows.',
  );
}

function refuseWhatCannotRun(tier: Tier): void {
  const obstacles = tierObstacles(tier);
  if (obstacles.length === 0) return;
  throw new TierbenchError(
    'TIER_CANNOT_RUN_HERE',
    `the tier '${tier.name}' cannot be brought up by the local provider`,
    'Mend what is listed, or choose a tier that `tierbench tiers` says runs here.',
    { problems: obstacles.map((what) => ({ what })) },
  );
}

async function machineObstacles(): Promise<readonly string[]> {
  try {
    await access(await findEmbeddedPostgres(), constants.R_OK);
    return [];
  } catch (error) {
    if (error instanceof TierbenchError) return [`${error.message}; ${error.nextStep}`];
    throw error;
  }
}
