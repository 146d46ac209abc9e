import { randomBytes } from 'node:crypto';
import type { RunningService } from '../harness/core/deployment.ts';
import type { SettingValue, Tier } from '../harness/core/tier.ts';
import { readTier } from '../harness/files/tier-file.ts';
import { registerRun } from '../harness/orphans/register.ts';
import { localProvider } from '../harness/providers/local/local-provider.ts';
import { referenceApp } from '../harness/services/reference-app.ts';
import type { User } from '../scenarios/kit.ts';

/** The reference app as the tier `single` has it: one API process and one PostgreSQL, with users who can sign in. */
export interface ReferenceApp extends AsyncDisposable {
  readonly baseUrl: string;
  readonly services: readonly RunningService[];
  readonly users: readonly User[];
  /** A folder that goes when the app does. */
  readonly folder: string;
}

const TASKS_PER_USER = 20;
/** Users sign in before each trial, which is not measured: the cheapest bcrypt, and tokens that outlive any benchmark. */
const cheapSignIn = { BCRYPT_COST: 4, ACCESS_TOKEN_TTL_S: 86_400 };

export async function startReferenceApp(options: {
  readonly userCount: number;
  readonly systemCpus: readonly number[] | undefined;
  readonly signal: AbortSignal;
  /** Of the API, instead of those of the tier. Default: hashes that cost next to nothing, and long-lived tokens. */
  readonly settings?: Readonly<Record<string, SettingValue>>;
  readonly tasksPerUser?: number;
}): Promise<ReferenceApp> {
  const { userCount, systemCpus, signal, settings = cheapSignIn, tasksPerUser = TASKS_PER_USER } = options;
  await using starting = new AsyncDisposableStack();
  const run = starting.use(await registerRun());
  const provider = localProvider({ run, ...(systemCpus !== undefined && { systemCpus }) });
  const tier = withApiSettings(await readTier('single'), settings);
  const deployment = starting.use(await provider.deploy({ tier, app: referenceApp }, signal));
  const password = randomBytes(15).toString('base64url');
  const data = { userCount, tasksPerUser, seed: 1 };
  await deployment.prepareData?.(data, password, signal);
  const started = starting.move();
  return {
    baseUrl: deployment.baseUrl,
    services: deployment.services,
    users: referenceApp.users(data, password),
    folder: run.folder,
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}

function withApiSettings(tier: Tier, changed: Readonly<Record<string, SettingValue>>): Tier {
  const services = tier.services.map((service) =>
    service.kind === 'api' ? { ...service, settings: { ...service.settings, ...changed } } : service,
  );
  return { ...tier, services };
}
