import { access, chmod, constants, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { TierbenchError } from '../../core/errors.ts';
import type { Service, Tier } from '../../core/tier.ts';
import { allOrFirstFailure, bringUp, type StartedService } from '../bring-up.ts';
import type { Deployment, Provider } from '../provider.ts';
import { type ApiPrograms, newJwtSecret, referenceApp, startApiInstance } from './api-instance.ts';
import type { Child } from './child-process.ts';
import { startEmbeddedPostgres } from './embedded-postgres.ts';
import { findEmbeddedPostgres } from './embedded-postgres-binaries.ts';
import { runProgram } from './run-program.ts';
import { tierObstacles } from './what-runs-here.ts';

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
      return await deployLocally(options, tier, signal, onProgress);
    },
  };
}

function deployLocally(
  { run, api = referenceApp() }: LocalProviderOptions,
  tier: Tier,
  callerSignal: AbortSignal,
  onProgress: (what: string) => void,
): Promise<Deployment> {
  return bringUp<StartedService>('local', tier, callerSignal, onProgress, async (surroundings) => {
    const { stack, failures, signal } = surroundings;
    const folder = await deploymentFolder(run.folder, tier.name);
    stack.defer(() => rm(folder, { recursive: true, force: true }));
    const jwtSecret = newJwtSecret();

    async function startPrimary(service: Service): Promise<StartedService> {
      const name = `${service.name}/1`;
      const serverFolder = join(folder, service.name);
      await mkdir(serverFolder, { mode: 0o700 });
      onProgress(`starting PostgreSQL (${service.name})`);
      const postgres = stack.use(
        await startEmbeddedPostgres({
          folder: serverFolder,
          settings: service.settings,
          environment: run.environment,
          signal,
        }),
      );
      failures.watch(name, postgres.ended());
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
      const { port, version } = postgres;
      return {
        running: {
          name: service.name,
          kind: service.kind,
          instances: [{ name, host: '127.0.0.1', port, processIds: postgres.processIds().slice(0, 1) }],
          ...(version !== undefined && { version }),
        },
        access: [{ instance: name, kind: service.kind, url: postgres.url }],
      };
    }

    async function startApi(
      service: Service,
      connections: ReadonlyMap<string, StartedService>,
    ): Promise<StartedService> {
      const databaseUrl = connections.get('writer')?.access[0]?.url ?? '';
      onProgress(`starting the API (${service.name})`);
      const oneFailed = new AbortController();
      const starting = Array.from({ length: service.instances }, async (_, index) => {
        const name = `${service.name}/${index + 1}`;
        const { port, process, processIds } = await startApiInstance({
          name,
          programs: api,
          folder,
          settings: service.settings,
          databaseUrl,
          jwtSecret,
          environment: run.environment,
          signal: AbortSignal.any([signal, oneFailed.signal]),
          onStarted: (child: Child) => stack.defer(() => child.stop('SIGTERM', API_STOP_PATIENCE_S)),
        });
        failures.watch(
          name,
          process.ended.then((end) => end.what),
        );
        return { name, host: '127.0.0.1', port, processIds };
      });
      const instances = await allOrFirstFailure(starting, oneFailed);
      return {
        running: { name: service.name, kind: service.kind, instances },
        access: instances.map(({ name, host, port }) => ({
          instance: name,
          kind: service.kind,
          url: `http://${host}:${port}`,
        })),
      };
    }

    return {
      start: (service, connections) =>
        service.kind === 'primary' ? startPrimary(service) : startApi(service, connections),
      understandable: (error) => understandable(error, folder),
      async prepareData(started, size, password, seedSignal) {
        const primary = [...started.values()].find(({ running }) => running.kind === 'primary');
        const databaseUrl = primary?.access[0]?.url ?? '';
        const bcryptCost = tier.services.find((service) => service.kind === 'api')?.settings.BCRYPT_COST;
        await runProgram({
          name: 'seeding the database',
          failureCode: 'SEED_FAILED',
          program: api.seed,
          arguments: Object.entries({
            users: size.users,
            'tasks-per-user': size.tasksPerUser,
            seed: size.seed,
          }).flatMap(([option, value]) => [`--${option}`, String(value)]),
          folder,
          environment: {
            ...run.environment,
            DATABASE_URL: databaseUrl,
            SEED_PASSWORD: password,
            ...(bcryptCost !== undefined && { BCRYPT_COST: String(bcryptCost) }),
          },
          secrets: [databaseUrl, password],
          signal: seedSignal,
        });
      },
    };
  });
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
