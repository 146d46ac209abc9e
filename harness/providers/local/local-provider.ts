import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { TierbenchError } from '../../core/errors.ts';
import type { Tier } from '../../core/tier.ts';
import { findProgram } from '../../machine/programs.ts';
import { bringUp } from '../bring-up.ts';
import type { Deployment, Provider } from '../provider.ts';
import { type ApiPrograms, referenceApp } from './api-instance.ts';
import { localFaults } from './local-faults.ts';
import type { LocalServer } from './local-server.ts';
import { type LocalService, localServices } from './local-services.ts';
import { runProgram } from './run-program.ts';
import { obstaclesHere } from './what-runs-here.ts';

export interface LocalProviderOptions {
  /** The registered run everything started belongs to (harness/orphans), so that it can be found when it is left. */
  readonly run: {
    readonly id: string;
    /** An existing folder that other accounts may pass through, such as the one PostgreSQL runs under. */
    readonly folder: string;
    /** Variables every process of the run carries. */
    readonly environment: Readonly<Record<string, string>>;
  };
  /** The API to bring up; the reference app unless another is given. */
  readonly api?: ApiPrograms;
  /** The CPUs the services run on; those of tierbench itself when left out. */
  readonly systemCpus?: readonly number[];
}

/** Brings a tier up as processes of this machine, all on 127.0.0.1. */
export function localProvider(options: LocalProviderOptions): Provider {
  return {
    name: 'local',
    obstacles: (tier) => obstaclesHere(tier),
    async deploy(tier, signal, onProgress = () => {}) {
      await refuseWhatCannotRun(tier);
      return await deployLocally(options, tier, signal, onProgress);
    },
  };
}

function deployLocally(
  { run, api = referenceApp(), systemCpus }: LocalProviderOptions,
  tier: Tier,
  callerSignal: AbortSignal,
  onProgress: (what: string) => void,
): Promise<Deployment> {
  return bringUp<LocalService>('local', tier, callerSignal, onProgress, async (surroundings) => {
    const { stack, failures, signal } = surroundings;
    const folder = await deploymentFolder(run.folder, tier.name);
    stack.defer(() => rm(folder, { recursive: true, force: true }));
    if (systemCpus !== undefined && findProgram(['taskset']) === undefined) {
      surroundings.note(`the services are not kept to CPUs ${systemCpus.join(', ')}: there is no taskset`);
    }
    const servers = new Map<string, LocalServer>();
    const confinement = systemCpus && { cpus: systemCpus };

    async function migrate(databaseUrl: string): Promise<void> {
      onProgress('migrating the database');
      await runProgram({
        name: 'the migration of the database',
        failureCode: 'MIGRATION_FAILED',
        program: api.migrate,
        arguments: [],
        folder,
        environment: { ...run.environment, DATABASE_URL: databaseUrl },
        confinement,
        secrets: [databaseUrl, new URL(databaseUrl).password],
        signal,
      });
    }

    return {
      start: localServices({
        surroundings,
        runId: run.id,
        folder,
        deploymentName: basename(folder),
        environment: run.environment,
        systemCpus,
        api,
        migrate,
        servers,
      }),
      faults: localFaults(servers, failures),
      understandable: (error) => understandable(error, folder),
      async prepareData(started, size, password, seedSignal) {
        const primary = [...started.values()].find(({ running }) => running.kind === 'primary');
        const databaseUrl = primary?.url ?? '';
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
          confinement,
          secrets: [databaseUrl, password],
          signal: seedSignal,
        });
      },
    };
  });
}

/** A folder of its own for each deployment. As root, the accounts servers run under may pass through it. */
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

async function refuseWhatCannotRun(tier: Tier): Promise<void> {
  const obstacles = await obstaclesHere(tier);
  if (obstacles.length === 0) return;
  throw new TierbenchError(
    'TIER_CANNOT_RUN_HERE',
    `the tier '${tier.name}' cannot be brought up as processes of this machine`,
    'Mend what is listed, or choose a tier that can run here; `tierbench doctor` says what is missing.',
    { problems: obstacles.map((what) => ({ what })) },
  );
}
