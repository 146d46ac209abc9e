import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import pg from 'pg';
import type { OfferedLoad } from '../harness/core/load.ts';
import type { Service, SettingValue, Tier } from '../harness/core/tier.ts';
import type { Measurement } from '../harness/core/trial.ts';
import { openLoopEngine } from '../harness/engines/open-loop/open-loop.ts';
import { type Bottleneck, bottleneckOf } from '../harness/judging/bottleneck.ts';
import { registerRun } from '../harness/orphans/register.ts';
import { probesFor } from '../harness/probes/choose.ts';
import { localProvider } from '../harness/providers/local/local-provider.ts';
import { referenceApp } from '../harness/services/reference-app.ts';
import { serviceType } from '../harness/services/registry.ts';
import { measure } from '../harness/studies/measure.ts';
import browse from '../scenarios/browse.ts';
import crud from '../scenarios/crud.ts';
import { defineScenario, type Scenario, send } from '../scenarios/kit.ts';
import login from '../scenarios/login.ts';
import { throttleDisk } from './throttle-disk.ts';

/** Bottlenecks that are caused for real, by small systems whose services have just what they need. */

type Changes = Readonly<Record<string, Partial<Pick<Service, 'connectsTo' | 'resources' | 'settings' | 'instances'>>>>;

/** A system, and the data it has. */
export interface CausedSystem {
  readonly tier: Tier;
  readonly userCount: number;
  readonly tasksPerUser: number;
}

interface RunningSystem {
  /** Opened before any load, as there may be no connection left later. */
  readonly database: pg.Client;
  /** Empty without a cache. */
  readonly cacheUrl: string;
  /** Of the database with all its sessions. */
  readonly databaseProcessId: number;
}

export interface Cause {
  readonly system: CausedSystem;
  readonly scenario: Scenario;
  readonly load: OfferedLoad;
  /** Virtual users think, as people do. */
  readonly thinks?: boolean;
  /** What is done to the system while it runs; disposing of the result undoes it. */
  readonly cause?: (system: RunningSystem) => Promise<AsyncDisposable>;
  /** `database: cpu-cores, rows-scanned`; several where one is as right as the other. */
  readonly expected: readonly string[];
}

const kinds: Readonly<Record<string, string>> = {
  balancer: 'load-balancer',
  api: 'api',
  pooler: 'pooler',
  database: 'primary',
  replica: 'replica',
  cache: 'cache',
};

/** Limits that a document states are not kept: what is not the cause has all of the machine. */
const apiSettings: Readonly<Record<string, SettingValue>> = {
  ...{ RATE_LIMIT: 'off', ACCESS_TOKEN_TTL_S: 86_400, BCRYPT_COST: 4, BLACKLIST_STORE: 'database' },
};

function system(changes: Changes, data: Partial<Omit<CausedSystem, 'tier'>> = {}): CausedSystem {
  const services = Object.entries(changes).map(([name, changed]): Service => {
    const kind = kinds[name] ?? name;
    const settings = { ...(kind === 'api' && apiSettings), ...changed.settings };
    return { name, kind, instances: 1, resources: {}, connectsTo: {}, ...changed, settings };
  });
  const entry = services.some(({ name }) => name === 'balancer') ? 'balancer' : 'api';
  const about = { name: 'caused', title: 'Caused', description: 'A bottleneck that is caused.', documents: [] };
  return { tier: { ...about, entry, services }, userCount: 40, tasksPerUser: 40, ...data };
}

const writer = { connectsTo: { writer: 'database' } };
const withCache = { connectsTo: { writer: 'database', cache: 'cache' }, settings: { BLACKLIST_STORE: 'redis' } };
const untilSaturated: OfferedLoad = { model: 'closed', concurrency: 8 };

/** One that several causes share. A hash costs what it does in production, one at a time; and a pool of two. */
const smallPool = system(
  {
    api: { ...writer, settings: { BCRYPT_COST: 10, PASSWORD_HASH_CONCURRENCY: 1, DATABASE_POOL_MAX: 2 } },
    database: {},
  },
  { userCount: 10 },
);

const health = defineScenario({
  name: 'health',
  description: 'The cheapest answer of the app.',
  *iteration() {
    yield* send({ name: 'health', method: 'GET', path: '/health' });
  },
});

/** A scenario whose own work is more than the generator has time for. */
const hardWork = defineScenario({
  name: 'hard-work',
  description: 'Computes for long before each request.',
  *iteration() {
    const endMs = performance.now() + 20;
    while (performance.now() < endMs);
    yield* send({ name: 'health', method: 'GET', path: '/health' });
  },
});

export const causes = {
  'api-cpu': {
    system: system({ api: { ...writer, resources: { cpus: 0.15 } }, database: {} }),
    scenario: crud,
    load: untilSaturated,
    expected: ['api: cpu-cores'],
  },
  'hash-queue': {
    system: smallPool,
    scenario: login,
    load: untilSaturated,
    expected: ['api: password-hashes-waiting'],
  },
  'api-pool': {
    system: smallPool,
    scenario: crud,
    load: untilSaturated,
    cause: ({ database }) => onEachNewTask(database, 'perform pg_sleep(0.5);'),
    expected: ['api: pool-in-use'],
  },
  'pooler-pool': {
    system: system({
      api: { connectsTo: { writer: 'pooler' } },
      pooler: { connectsTo: { database: 'database' }, settings: { pool_mode: 'transaction', default_pool_size: 2 } },
      database: {},
    }),
    scenario: crud,
    load: { model: 'closed', concurrency: 14 },
    cause: ({ database }) => onEachNewTask(database, 'perform pg_sleep(0.5);'),
    expected: ['pooler: servers-active', 'pooler: clients-waiting'],
  },
  'max-connections': {
    system: system({
      api: { ...writer, settings: { DATABASE_POOL_MAX: 20, DATABASE_POOL_MIN: 2 } },
      database: { settings: { max_connections: 8 } },
    }),
    scenario: crud,
    load: { model: 'closed', concurrency: 20 },
    cause: ({ database }) => onEachNewTask(database, 'perform pg_sleep(0.5);'),
    expected: ['database: connections'],
  },
  'missing-index': {
    system: system({ api: writer, database: { resources: { cpus: 0.15 } } }, { tasksPerUser: 500 }),
    scenario: browse,
    load: untilSaturated,
    async cause({ database }) {
      const names = ['created_at', 'status', 'priority'].map((name) => `tasks_user_id_${name}`);
      await database.query(`drop index if exists ${names.join(', ')}`);
      return nothing;
    },
    expected: ['database: cpu-cores, rows-scanned'],
  },
  lock: {
    system: smallPool,
    scenario: crud,
    load: untilSaturated,
    cause: ({ database }) =>
      onEachNewTask(database, 'update every_task set count = count + 1; perform pg_sleep(0.15);'),
    expected: ['database: waiting-for-lock'],
  },
  'slow-disk': {
    // Commits that wait for the disk, however little it has to write.
    system: system({ api: writer, database: {} }),
    scenario: crud,
    load: untilSaturated,
    cause: ({ databaseProcessId }) => throttleDisk(databaseProcessId, 20),
    expected: ['database: waiting-for-wal', 'database: waiting-for-io'],
  },
  'slow-replica': {
    system: system({
      api: { connectsTo: { writer: 'database', reader: 'replica' } },
      database: {},
      replica: { connectsTo: { primary: 'database' }, settings: { recovery_min_apply_delay: '3s' } },
    }),
    scenario: crud,
    load: { model: 'open', arrivalRatePerS: 5, arrivals: 'constant' },
    expected: ['replica: replica-lag'],
  },
  'cache-off': {
    system: system({
      api: {
        ...withCache,
        settings: {
          ...withCache.settings,
          ...{ CACHE_TTL_TASKS_LIST_S: 0, CACHE_TTL_ME_S: 0, CACHE_TTL_TASK_STATS_S: 0, CACHE_TTL_USER_BY_ID_S: 0 },
        },
      },
      database: { resources: { cpus: 0.05 } },
      cache: {},
    }),
    scenario: browse,
    load: untilSaturated,
    expected: ['database: cpu-cores, few-cache-hits'],
  },
  'cache-small': {
    system: system(
      {
        api: withCache,
        database: { resources: { cpus: 0.05 } },
        cache: { settings: { maxmemory: '2mb', 'maxmemory-policy': 'allkeys-lru' } },
      },
      { userCount: 40, tasksPerUser: 60 },
    ),
    scenario: browse,
    load: { model: 'closed', concurrency: 40 },
    async cause({ cacheUrl }) {
      await fillCache(cacheUrl);
      return nothing;
    },
    expected: ['database: cpu-cores, evictions', 'database: cpu-cores, few-cache-hits, evictions'],
  },
  'rate-limiter': {
    system: system({
      api: {
        ...writer,
        settings: {
          RATE_LIMIT: 'on',
          RATE_LIMIT_GENERAL: '30/1s',
          ...Object.fromEntries(
            ['AUTH', 'SIGNED_IN', 'NOT_SIGNED_IN', 'EMAIL'].map((name) => [`RATE_LIMIT_${name}`, '1000000/1s']),
          ),
        },
      },
      database: {},
    }),
    scenario: browse,
    load: untilSaturated,
    expected: ['api: refused-429'],
  },
  'balancer-cpu': {
    system: system({
      balancer: { connectsTo: { backend: 'api' }, resources: { cpus: 0.01 } },
      api: writer,
      database: {},
    }),
    scenario: health,
    load: untilSaturated,
    expected: ['balancer: cpu-cores'],
  },
  'generator-small': {
    system: smallPool,
    scenario: hardWork,
    load: untilSaturated,
    expected: ['generator: main-thread'],
  },
  nothing: {
    system: smallPool,
    scenario: browse,
    load: { model: 'closed', concurrency: 3 },
    thinks: true,
    expected: ['none'],
  },
  machine: {
    system: system({ api: { ...writer, settings: { INSTANCES: 4 } }, database: {} }),
    scenario: crud,
    load: { model: 'closed', concurrency: 24 },
    expected: ['machine: machine-utilization'],
  },
} satisfies Readonly<Record<string, Cause>>;

const nothing: AsyncDisposable = { async [Symbol.asyncDispose]() {} };

/** With keys of nobody, which are evicted first: what the app adds then takes their place from the first second on. */
async function fillCache(url: string): Promise<void> {
  const client = new Redis(url);
  const isFull = async () => !/^evicted_keys:0\r?$/mu.test(await client.info('stats'));
  for (let key = 0; !(await isFull()); key += 1) await client.set(`filler:${key}`, 'x'.repeat(10_000));
  client.disconnect();
}

/** `work` is done in the transaction of each new task. */
async function onEachNewTask(client: pg.Client, work: string): Promise<AsyncDisposable> {
  const replace = (body: string) =>
    client.query(
      `create or replace function on_each_new_task() returns trigger language plpgsql as $$ begin ${body} return null; end $$`,
    );
  await client.query(`
    create table if not exists every_task (count int);
    insert into every_task select 0 where not exists (select from every_task)`);
  await replace(work);
  await client.query(
    'create or replace trigger on_each_new_task after insert on tasks for each row execute function on_each_new_task()',
  );
  return {
    // What still waits for it would wait on.
    async [Symbol.asyncDispose]() {
      await replace('');
    },
  };
}

export interface StartedSystem extends AsyncDisposable {
  /** Causes it once for so long, and says what was found. */
  measure(cause: Cause, durationS: number, signal: AbortSignal): Promise<Found>;
}

export interface Found {
  readonly bottleneck: Bottleneck;
  /** In the form of `Cause.expected`. */
  readonly named: string;
  readonly measurement: Measurement;
}

const WARM_UP_S = 2;

export async function startSystem(
  { tier, userCount, tasksPerUser }: CausedSystem,
  signal: AbortSignal,
): Promise<StartedSystem> {
  await using starting = new AsyncDisposableStack();
  const run = starting.use(await registerRun());
  const deployment = starting.use(await localProvider({ run }).deploy({ tier, app: referenceApp }, signal));
  const data = { userCount, tasksPerUser, seed: 1 };
  const password = randomBytes(15).toString('base64url');
  await deployment.prepareData?.(data, password, signal);
  const probes = probesFor(deployment, async () => undefined).map((probe) => starting.use(probe));
  // Their connections are there before the load takes all of them.
  await Promise.all(probes.map((probe) => probe.read()));
  const instance = deployment.services.find(({ kind }) => kind === 'primary')?.instances[0];
  const urlOf = (kind: string) => deployment.access.find((each) => each.kind === kind)?.url ?? '';
  const database = new pg.Client(urlOf('primary'));
  await database.connect();
  // Its server is stopped first where starting or a trial fails.
  database.on('error', () => {});
  starting.defer(() => database.end());
  const access = {
    database,
    cacheUrl: urlOf('cache'),
    databaseProcessId: instance?.processIds[0] ?? 0,
  };
  const services = tier.services.map(({ name, kind, connectsTo }) => ({
    name,
    resources: serviceType(kind, referenceApp).resources,
    connectsTo: Object.values(connectsTo),
  }));
  const started = starting.move();
  return {
    async measure({ scenario, load, thinks = false, cause }, durationS, stop) {
      await using _ = (await cause?.(access)) ?? nothing;
      const plan = {
        scenario: scenario.name,
        baseUrl: deployment.baseUrl,
        load,
        warmUpS: WARM_UP_S,
        durationS,
        seed: 1,
        timeoutS: 10,
      };
      const users = referenceApp.users(data, password);
      const request = { plan, scenario, users, skipThinkTimes: !thinks };
      const measurement = await measure(openLoopEngine(), request, probes, stop);
      const bottleneck = bottleneckOf(measurement, { services, systemCpus: null });
      if ('unknown' in bottleneck) throw new Error(bottleneck.unknown);
      return { bottleneck, named: nameOf(bottleneck), measurement };
    },
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}

function nameOf({ first, because }: Bottleneck): string {
  if (first === null) return 'none';
  const service = first.source.replace(/\/\d+$/u, '');
  return [`${service}: ${first.metric}`, ...because.map(({ code }) => code)].join(', ');
}
