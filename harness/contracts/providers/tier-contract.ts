import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answers, askInstance, overPostgres, overRedis } from '../../../test-support/instance-access.ts';
import { isListening } from '../../../test-support/left-behind.ts';
import { answerOf, requestsCounted, signIn, visit } from '../../../test-support/task-api.ts';
import type { RunningInstance } from '../../core/deployment.ts';
import type { Service, ServiceKind, Tier } from '../../core/tier.ts';
import type { Deployment, InstanceAccess } from '../../providers/provider.ts';
import { seededRandom } from '../../statistics/block-bootstrap.ts';
import { instancesOf, type ProviderUnderTest } from './provider-contract.ts';

/** A provider whose services are its own, so that they can be made to fail. */
export interface TierProviderUnderTest extends ProviderUnderTest {
  /** Ends one instance as a crash would, past the provider. */
  crash(instance: RunningInstance): Promise<void>;
}

const USERS = 30;
const RECOVERY_LIMIT_MS = 60_000;
/** Clients at once, more than a pooler opens connections for. */
const CLIENTS = 24;
const ABORTS = 2;

/** What every provider must do with a tier of the reference API. Most tests share one deployment, because starting takes time. */
export function describeTier(
  providerName: string,
  builtIn: Tier,
  setUp: (tier: Tier) => Promise<TierProviderUnderTest>,
) {
  const tier = withCheapPasswords(builtIn);
  const password = randomBytes(15).toString('base64url');
  const servicesOf = (kind: ServiceKind) => tier.services.filter((service) => service.kind === kind);

  describe(`tier ${tier.name} by provider ${providerName}`, { timeout: 120_000 }, () => {
    let context: TierProviderUnderTest;
    let deployment: Deployment;
    let startMs = 0;
    const failures: string[] = [];

    beforeAll(async () => {
      context = await setUp(tier);
      expect(await context.provider.obstacles(context)).toEqual([]);
      const startedMs = performance.now();
      deployment = await context.provider.deploy(context, new AbortController().signal);
      startMs = performance.now() - startedMs;
      deployment.onFailure(({ instance, what }) => failures.push(`${instance} ${what}`));
      await deployment.prepareData?.(
        { userCount: USERS, tasksPerUser: 20, seed: 1 },
        password,
        new AbortController().signal,
      );
    }, 300_000);

    afterAll(async () => {
      await deployment?.[Symbol.asyncDispose]();
      await context?.[Symbol.asyncDispose]();
    }, 120_000);

    const accessTo = (kind: ServiceKind): InstanceAccess => {
      const found = deployment.access.find((each) => each.kind === kind);
      if (found === undefined) throw new Error(`no access to the ${kind}`);
      return found;
    };
    const instance = (name: string): RunningInstance => {
      const found = instancesOf(deployment).find((each) => each.name === name);
      if (found === undefined) throw new Error(`no instance ${name}`);
      return found;
    };
    const answersRight = () => visit(deployment.baseUrl, 1, password);

    it('answers right through its entry', async () => {
      expect(await answersRight()).toBe('right');
      const user = await signIn(deployment.baseUrl, 2, password);
      const id = await user.create('find me');
      expect(await user.status(`/api/tasks/${id}`)).toBe(200);
      expect(await user.status('/api/tasks/999999999')).toBe(404);
      expect(await user.status('/api/tasks', { signedIn: false })).toBe(401);
      expect((await answerOf(`${deployment.baseUrl}/no-such-page`)).status).toBe(404);
    });

    it('describes its services and instances correctly, and each can be reached', async () => {
      expect(deployment.provider).toBe(context.provider.name);
      expect(deployment.services.map(({ name, kind }) => ({ name, kind }))).toEqual(
        tier.services.map(({ name, kind }) => ({ name, kind })),
      );
      for (const service of tier.services) {
        const { instances } = deployment.services.find(({ name }) => name === service.name) ?? {};
        expect(instances?.map(({ name }) => name)).toEqual(namesOf(service));
      }
      for (const each of instancesOf(deployment)) {
        expect(await isListening(each), `${each.name} listens`).toBe(true);
        expect(each.processIds.length > 0 || each.containerId !== undefined, `${each.name} can be found`).toBe(true);
      }
      expect(deployment.access.map(({ instance: name }) => name).toSorted()).toEqual(
        tier.services.flatMap(namesOf).toSorted(),
      );
      const said: Readonly<Record<string, string>> = {
        api: 'nodejs_eventloop_lag',
        'load-balancer': 'Active connections',
        pooler: 'PgBouncer 1.',
        primary: 'original',
        replica: 'copy',
        cache: 'PONG',
      };
      for (const access of deployment.access) {
        expect(await askInstance(access, 5), access.instance).toContain(said[access.kind] ?? '');
      }
    });

    it('holds each instance to the limits of the tier, or says that it does not', () => {
      for (const service of tier.services) {
        for (const { limits = {} } of deployment.services.find(({ name }) => name === service.name)?.instances ?? []) {
          for (const limit of ['cpus', 'memoryBytes'] as const) {
            const asked = service.resources[limit];
            if (limits[limit] === undefined && asked !== undefined) {
              expect(deployment.notes).toContainEqual(
                expect.objectContaining({
                  code: 'limits-not-enforced',
                  service: service.name,
                  limits: expect.arrayContaining([limit]),
                }),
              );
            } else {
              expect(limits[limit], `${limit} of ${service.name}`).toBe(asked);
            }
          }
        }
      }
    });

    if (servicesOf('load-balancer').length > 0) {
      it('spreads requests over all instances of the API', async () => {
        const apis = deployment.access.filter(({ kind }) => kind === 'api');
        const counts = () => Promise.all(apis.map(({ url }) => requestsCounted(url, '/health')));
        const before = await counts();
        for (let request = 0; request < 40; request += 1) await answerOf(`${deployment.baseUrl}/health`);
        const after = await counts();
        const fairShare = 40 / apis.length;
        for (const [index, count] of after.entries()) {
          expect(count - (before[index] ?? 0), apis[index]?.instance).toBeGreaterThanOrEqual(fairShare / 2);
        }
      });
    }

    if (servicesOf('replica').length > 0) {
      it('writes to the primary and reads lists from the replica', async () => {
        const urls = { primary: accessTo('primary').url, replica: accessTo('replica').url };
        const create = 'create extension if not exists pg_stat_statements';
        await overPostgres(urls.primary, 10, (client) => client.query(create));
        await expect.poll(() => calls(urls.replica, '%')).toBeGreaterThan(0);

        const lists = '%as totals%';
        const reader = await signIn(deployment.baseUrl, 3, password);
        let limit = 0;
        // A user who has just written or signed in may be answered by the primary for a while. No list is asked twice:
        // a cache might answer it.
        await expect
          .poll(async () => {
            const before = await calls(urls.replica, lists);
            for (let list = 0; list < 5; list += 1) {
              limit = (limit % 100) + 1;
              await reader.titles(limit);
            }
            return (await calls(urls.replica, lists)) - before;
          })
          .toBeGreaterThanOrEqual(5);

        const inserts = 'insert into tasks%';
        const before = await calls(urls.primary, inserts);
        const writer = await signIn(deployment.baseUrl, 4, password);
        for (let write = 0; write < 5; write += 1) await writer.create(`write ${write}`);
        expect((await calls(urls.primary, inserts)) - before).toBeGreaterThanOrEqual(5);
        expect(await calls(urls.replica, inserts)).toBe(0);
      });
    }

    for (const pooler of servicesOf('pooler')) {
      it(`needs fewer server connections than there are clients at ${pooler.name}`, async () => {
        const consoleUrl = deployment.access.find((each) => each.instance === `${pooler.name}/1`)?.url ?? '';
        const database = new URL(accessTo('primary').url).pathname.slice(1);
        const pooledUrl = new URL(consoleUrl);
        pooledUrl.pathname = `/${database}`;
        const pool = () => overPostgres(consoleUrl, 5, (client) => poolOf(client, database));
        expect(await answersRight()).toBe('right');
        await expect
          .poll(async () => (await pool()).clients, { message: 'the API goes through it' })
          .toBeGreaterThan(0);

        const most = { clients: 0, servers: 0 };
        const working = new AbortController();
        const clients = Array.from({ length: CLIENTS }, () =>
          overPostgres(pooledUrl.href, 30, async (client) => {
            while (!working.signal.aborted) await client.query('select pg_sleep(0.02)');
          }),
        );
        try {
          await overPostgres(consoleUrl, 30, (console) =>
            expect
              .poll(async () => {
                const now = await poolOf(console, database);
                most.clients = Math.max(most.clients, now.clients);
                most.servers = Math.max(most.servers, now.servers);
                return most.clients >= CLIENTS && most.servers > 0;
              })
              .toBe(true),
          );
        } finally {
          working.abort();
        }
        await Promise.all(clients);
        expect(most.servers).toBeLessThan(most.clients);
        expect(most.servers).toBeLessThanOrEqual(Number(pooler.settings.default_pool_size));
      });
    }

    if (servicesOf('cache').length > 0) {
      it('answers from the cache, and not after a write', async () => {
        const { url } = accessTo('cache');
        const hits = async () => {
          const info = await overRedis(url, 5, (redis) => redis.info('stats'));
          return Number(/keyspace_hits:(\d+)/.exec(info)?.[1]);
        };
        const user = await signIn(deployment.baseUrl, 5, password);
        await user.titles();
        await expect
          .poll(async () => {
            const before = await hits();
            await user.titles();
            return (await hits()) - before;
          })
          .toBeGreaterThan(0);
        await user.create('fresh');
        expect(await user.titles()).toContain('fresh');
      });
    }

    describe('faults', () => {
      const control = () => {
        if (deployment.faults === undefined) throw new Error('the deployment has no faults');
        return deployment.faults;
      };
      const access = (name: string) => {
        const found = deployment.access.find((each) => each.instance === name);
        if (found === undefined) throw new Error(`no access to ${name}`);
        return found;
      };

      it.each(tier.services.map(({ name }) => `${name}/1`))(
        'recovers by itself from %s killed and started, and paused and resumed',
        async (name) => {
          const user = await signIn(deployment.baseUrl, 6, password);
          const title = `before the fault of ${name}`;
          await user.create(title);
          const recovered = { timeout: RECOVERY_LIMIT_MS, message: `after the fault of ${name}` };

          await control().kill(name);
          expect(await isListening(instance(name)), `${name} still listens`).toBe(false);
          await control().start(name);
          await expect.poll(() => answers(access(name), 5), { message: `${name} after its start` }).toBe(true);
          await expect.poll(answersRight, recovered).toBe('right');
          await expect.poll(() => user.titles(), { message: 'what was written before' }).toContain(title);

          await control().pause(name);
          expect(await answers(access(name)), `${name} answers though it is paused`).toBe(false);
          await control().resume(name);
          await expect.poll(() => answers(access(name), 5), { message: `${name} resumed` }).toBe(true);
          await expect.poll(answersRight, recovered).toBe('right');
          expect(failures, 'a fault on purpose is no failure').toEqual([]);
        },
      );

      it('reports a crash once, and leaves nothing behind whatever state the other instances are in', async () => {
        const firstOf = (...kinds: ServiceKind[]) => {
          const service = kinds.flatMap(servicesOf)[0];
          return service && `${service.name}/1`;
        };
        const crashed = firstOf('api') ?? '';
        const killed = firstOf('cache', 'pooler');
        if (killed !== undefined) await control().kill(killed);
        await control().pause(firstOf('replica', 'primary') ?? '');
        await context.crash(instance(crashed));
        await expect.poll(() => failures).toEqual([expect.stringMatching(new RegExp(`^${crashed} .`))]);
        await deployment[Symbol.asyncDispose]();
        expect(failures).toHaveLength(1);
        const late: string[] = [];
        deployment.onFailure((failure) => late.push(failure.instance));
        expect(late, 'a listener that is added later is called too').toEqual([crashed]);
        await expect.poll(() => context.leftBehind(), { timeout: 30_000 }).toEqual([]);
        for (const each of instancesOf(deployment)) {
          expect(await isListening(each), `${each.name} still listens`).toBe(false);
        }
      });
    });

    it(`leaves nothing behind when it is aborted at any moment of the start`, async () => {
      const random = seededRandom(tier.name.length);
      for (let attempt = 0; attempt < ABORTS; attempt += 1) {
        await using here = await setUp(tier);
        const controller = new AbortController();
        const reason = new Error('enough');
        const atMs = ((attempt + random()) / ABORTS) * startMs;
        const deployed = here.provider.deploy(here, controller.signal);
        await Promise.race([delay(atMs), deployed.catch(() => {})]);
        controller.abort(reason);
        await deployed.then(
          // It may have come up before.
          (up) => up[Symbol.asyncDispose](),
          (error) => expect(error).toBe(reason),
        );
        await expect
          .poll(() => here.leftBehind(), { timeout: 30_000, message: `aborted after ${Math.round(atMs)} ms` })
          .toEqual([]);
      }
    });
  });
}

/** What is tested here is not how long a password takes. */
function withCheapPasswords(tier: Tier): Tier {
  return {
    ...tier,
    services: tier.services.map((service) =>
      service.kind === 'api' ? { ...service, settings: { ...service.settings, BCRYPT_COST: 4 } } : service,
    ),
  };
}

function namesOf({ name, instances }: Service): string[] {
  return Array.from({ length: instances }, (_, index) => `${name}/${index + 1}`);
}

/** How often statements like this were called there. */
async function calls(url: string, pattern: string): Promise<number> {
  const text = `select coalesce(sum(calls), 0)::int as calls from pg_stat_statements
    where query ilike $1 and query not ilike '%pg_stat_statements%'`;
  return await overPostgres(url, 5, async (client) => (await client.query(text, [pattern])).rows[0].calls).catch(
    // Until the extension has come over from the primary.
    (error) => (error.code === '42P01' ? 0 : Promise.reject(error)),
  );
}

/** Clients and connections to the server of one database, from the console of PgBouncer. */
async function poolOf(console: pg.Client, database: string): Promise<{ clients: number; servers: number }> {
  const { rows } = await console.query<Record<string, string>>('show pools');
  const sum = (prefix: string) =>
    rows
      .filter((row) => row.database === database)
      .flatMap((row) => Object.entries(row).filter(([column]) => column.startsWith(prefix)))
      .reduce((total, [, count]) => total + Number(count), 0);
  return { clients: sum('cl_'), servers: sum('sv_') };
}
