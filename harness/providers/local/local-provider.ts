import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { App } from '../../core/app.ts';
import { limitsNotEnforced } from '../../core/deployment.ts';
import { TierbenchError } from '../../core/errors.ts';
import type { Tier } from '../../core/tier.ts';
import { programEnvironment } from '../../machine/environment.ts';
import { thisSystem } from '../../operating-system/this-system.ts';
import { controlGroupName } from '../../orphans/control-groups.ts';
import type { Provider } from '../provider.ts';
import { type Renderer, startTier, type TierContext } from '../start-tier.ts';
import { makeInstanceGroup } from './control-groups.ts';
import { startLocalInstance } from './local-instance.ts';
import { localProgram } from './programs.ts';
import { obstaclesHere } from './requirements.ts';
import { runCommand } from './run-command.ts';

export interface LocalProviderOptions {
  /** The registered run everything started belongs to (harness/orphans), so that it can be found when it is left. */
  readonly run: {
    readonly id: string;
    /** An existing folder that other accounts may pass through, such as the one PostgreSQL runs under. */
    readonly folder: string;
    /** Variables every process of the run carries. */
    readonly environment: Readonly<Record<string, string>>;
  };
  /** The CPUs the services run on; those of tierbench itself when left out. */
  readonly systemCpus?: readonly number[];
}

/** Starts a tier as processes of this machine, all on 127.0.0.1. */
export function localProvider(options: LocalProviderOptions): Provider {
  return {
    name: 'local',
    obstacles: ({ tier, app }) => obstaclesHere(tier, app),
    async deploy({ tier, app }, signal, onProgress = () => {}) {
      await refuseWhatCannotRun(tier, app);
      return await startTier({ provider: 'local', tier, app }, signal, onProgress, (context) =>
        localRenderer(options, context),
      );
    },
  };
}

async function localRenderer(
  { run, systemCpus }: LocalProviderOptions,
  { tier, stack, note }: TierContext,
): Promise<Renderer> {
  const folder = await deploymentFolder(run.folder, tier.name);
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  if (systemCpus !== undefined && thisSystem.onCpus(systemCpus, []) === undefined) {
    note({ code: 'not-pinned', cpus: systemCpus });
  }
  const { environment } = run;
  return {
    async startInstance(order) {
      // One instance in a folder and control groups of its own.
      const fileName = order.name.replaceAll(/[^\w-]/g, '-');
      const instanceFolder = join(folder, fileName);
      await mkdir(instanceFolder, { mode: 0o700 });
      const groupName = controlGroupName(run.id, `${basename(folder)}.${fileName}`);
      const group = stack.use(makeInstanceGroup(groupName, order.service.resources));
      const instance = stack.use(
        await startLocalInstance(order, {
          folder: instanceFolder,
          environment,
          confinement: { cpus: systemCpus, join: group.join },
          limits: group.enforced,
        }),
      );
      const reason = group.reason();
      const limits = limitsNotEnforced(order.service.resources, group.enforced());
      if (reason !== undefined && limits !== undefined) {
        note({ code: 'limits-not-enforced', service: order.service.name, limits, detail: reason });
      }
      return instance;
    },
    async runStep({ name, command: step, environment: visible, secretEnvironment }, _spec, failureCode, signal) {
      const { command, arguments: before } = await localProgram(step.program, undefined, folder);
      const failure = await runCommand(
        {
          command,
          arguments: [...before, ...step.arguments],
          folder,
          environment: { ...programEnvironment(folder), ...environment, ...visible, ...secretEnvironment },
          confinement: { cpus: systemCpus },
          secrets: Object.values(secretEnvironment),
        },
        signal,
      );
      if (failure === undefined) return;
      throw new TierbenchError(
        failureCode,
        `${name} ${failure}`,
        'Its last lines above name the cause; without a hint there, `tierbench doctor` says what this machine lacks.',
      );
    },
    explain: (error) => explain(error, folder),
  };
}

/** A folder of its own for each deployment. As root, the accounts servers run under may pass through it. */
async function deploymentFolder(runFolder: string, tierName: string): Promise<string> {
  try {
    const folder = await mkdtemp(join(runFolder, `${tierName.replaceAll(/[^\w-]/g, '_')}-`));
    if (process.getuid?.() === 0) await chmod(folder, 0o711);
    return folder;
  } catch (error) {
    throw explain(error, runFolder);
  }
}

/** File system errors as something a user can act on; everything else as it is. */
function explain(error: unknown, folder: string): unknown {
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

async function refuseWhatCannotRun(tier: Tier, app: App): Promise<void> {
  const obstacles = await obstaclesHere(tier, app);
  if (obstacles.length === 0) return;
  throw new TierbenchError(
    'TIER_CANNOT_RUN_HERE',
    `the tier '${tier.name}' cannot run as processes of this machine`,
    'Fix what is listed, or choose a tier that can run here; `tierbench doctor` says what is missing.',
    { problems: obstacles.map((obstacle) => ({ what: `tier ${tier.name}`, obstacle })) },
  );
}
