import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, type ExpectStatic, it } from 'vitest';
import { readTier } from '../harness/files/tier-file.ts';
import { freePort } from '../harness/machine/free-port.ts';
import { referenceEmail } from '../harness/services/reference-app.ts';
import { lacks } from '../test-support/requirements.ts';
import { workplace } from '../test-support/tierbench.ts';

const file = join(import.meta.dirname, '../docker-compose.bench.yml');

// Each profile is a project of its own here, so that all of them can come up at the same time.
describe.skipIf(lacks('docker'))('the compose file (needs docker)', () => {
  beforeAll(async () => {
    await project('single', 0).compose('build');
  });

  it.concurrent('single answers, within the limits of its tier file', async ({ expect }) => {
    await using single = await up('single');
    await answersRight(single, expect);
    const { services } = await readTier('single');
    const limits = await single.docker(
      ...['inspect', `${single.name}-single-api-1`, '--format'],
      '{{.HostConfig.CpuQuota}} {{.HostConfig.CpuPeriod}} {{.HostConfig.Memory}}',
    );
    const [quota = 0, period = 0, memoryBytes] = limits.trim().split(' ').map(Number);
    expect({ cpus: quota / period, memoryBytes }).toEqual(services.find(({ name }) => name === 'api')?.resources);
  });

  it.concurrent('pooled pools, and can be measured as the README says', async ({ expect }) => {
    await using pooled = await up('pooled');
    const signedIn = await answersRight(pooled, expect);
    await pools(pooled, 'pooler', signedIn, expect);

    await using place = await workplace();
    await writeFile(
      join(place.folder, 'users.yaml'),
      Array.from(
        { length: USERS },
        (_, user) => `- { email: ${referenceEmail(user + 1)}, password: '${pooled.password}' }\n`,
      ).join(''),
    );
    const words =
      '--users users.yaml --scenario crud --concurrency 2 --duration 2 --warm-up 0 --allow-missed --out out';
    const run = await place.run(['run', '--url', pooled.baseUrl, ...words.split(' ')]);
    expect(run).toMatchObject({ exitCode: 0, stderr: expect.stringContaining(' 0 % errors') });
  });

  it.concurrent('replicated streams, and reads go to the replica', async ({ expect }) => {
    await using replicated = await up('replicated');
    const signedIn = await answersRight(replicated, expect);
    await streams(replicated, signedIn, expect);
    await pools(replicated, 'reader-pooler', signedIn, expect);
  });

  it.concurrent('cached streams, and the cache hits', async ({ expect }) => {
    await using cached = await up('cached');
    const signedIn = await answersRight(cached, expect);
    await streams(cached, signedIn, expect);
    // A list is stored when the first request for it has been answered.
    await expect
      .poll(async () => {
        await signedIn.get('/api/tasks?limit=5');
        const statistics = await cached.run('exec', '-T', 'cached-cache', 'redis-cli', 'info', 'stats');
        return Number(/keyspace_hits:(\d+)/.exec(statistics)?.[1]);
      })
      .toBeGreaterThan(0);
  });
});

const USERS = 3;
const TASKS = 7;

function project(profile: string, port: number) {
  const name = `tierbench-test-${process.pid}-${profile}`;
  const databasePassword = randomBytes(16).toString('hex');
  const environment = {
    ...process.env,
    [`${profile.toUpperCase()}_PORT`]: String(port),
    JWT_SECRET: randomBytes(36).toString('base64'),
    POSTGRES_PASSWORD: databasePassword,
    // For psql in a container, which takes it from here and not from its words.
    PGPASSWORD: databasePassword,
    SEED_PASSWORD: randomBytes(9).toString('hex'),
    SEED_USERS: String(USERS),
    SEED_TASKS_PER_USER: String(TASKS),
  };
  const docker = async (...words: string[]) =>
    (await promisify(execFile)('docker', words, { env: environment })).stdout;
  return {
    name,
    password: environment.SEED_PASSWORD,
    docker,
    compose: (...words: string[]) => docker('compose', '-f', file, '-p', name, '--profile', profile, ...words),
  };
}

/** A profile that is up and holds data; leaving it takes it down and looks that nothing of it is left. */
async function up(profile: string) {
  const port = await freePort();
  const { name, password, docker, compose } = project(profile, port);
  async function down(): Promise<void> {
    await compose('down', '--volumes', '--timeout', '5');
    const label = `label=com.docker.compose.project=${name}`;
    const left = await Promise.all([
      docker('ps', '--all', '--quiet', '--filter', label),
      docker('volume', 'ls', '--quiet', '--filter', label),
      docker('network', 'ls', '--quiet', '--filter', label),
    ]);
    if (left.join('') !== '') throw new Error(`${profile} left something behind: ${left.join(' ')}`);
  }
  try {
    await compose('up', '--wait');
    await compose('run', '--rm', '-T', `${profile}-seed`);
  } catch (cause) {
    const logs = await compose('logs', '--tail', '20').catch(String);
    await down();
    throw new Error(`${profile} does not come up:\n${logs}`, { cause });
  }
  return {
    name,
    profile,
    password,
    baseUrl: `http://127.0.0.1:${port}`,
    docker,
    run: compose,
    [Symbol.asyncDispose]: down,
  };
}

type Project = Awaited<ReturnType<typeof up>>;

async function answersRight(tier: Project, expect: ExpectStatic) {
  const published = (await tier.run('ps', '--format', '{{.Ports}}')).match(/[^\s,]+->/g) ?? [];
  expect(published).toEqual([expect.stringMatching(/^127\.0\.0\.1:\d+->$/)]);

  const login = await fetch(`${tier.baseUrl}/api/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: referenceEmail(USERS), password: tier.password }),
  });
  expect(login.status).toBe(200);
  const { accessToken } = (await login.json()) as { accessToken: string };
  const headers = { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' };
  const get = async (path: string) => (await fetch(`${tier.baseUrl}${path}`, { headers })).json();
  const post = async (path: string, body: object) =>
    (await fetch(`${tier.baseUrl}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })).status;
  expect(await get('/api/tasks?limit=2')).toMatchObject({ pagination: { totalTasks: TASKS } });
  return { get, post };
}

type SignedIn = Awaited<ReturnType<typeof answersRight>>;

/** Both instances of the API hold connections to the pooler, more than the pooler holds to the database. */
async function pools(tier: Project, pooler: string, { get }: SignedIn, expect: ExpectStatic) {
  const show = async (what: string) => {
    const rows = await tier.run(
      ...['exec', '-T', '--env', 'PGPASSWORD', `${tier.profile}-${pooler}`],
      ...[
        'psql',
        '--host=127.0.0.1',
        '--port=6432',
        '--username=app',
        '--dbname=pgbouncer',
        '--csv',
        `--command=show ${what}`,
      ],
    );
    const [heads = '', ...lines] = rows.trim().split('\n');
    return lines
      .map((line) => Object.fromEntries(line.split(',').map((value, at) => [heads.split(',')[at], value])))
      .filter(({ database }) => database === 'postgres');
  };
  await expect
    .poll(async () => {
      await Promise.all(Array.from({ length: 60 }, (_, at) => get(`/api/tasks?limit=1&page=${at + 1}`)));
      const [clients, servers] = [await show('clients'), await show('servers')];
      return { instances: new Set(clients.map(({ addr }) => addr)).size, shared: clients.length > servers.length };
    })
    .toEqual({ instances: 2, shared: true });
}

async function streams(tier: Project, { post }: SignedIn, expect: ExpectStatic) {
  const title = `written at ${Date.now()}`;
  expect(await post('/api/tasks', { title })).toBe(201);
  const ask = (service: string, query: string) =>
    tier.run(
      ...['exec', '-T', '--env', 'PGPASSWORD', `${tier.profile}-${service}`, 'psql', '--no-password'],
      ...['--username=app', '--dbname=postgres', '--host=127.0.0.1', '-tAc', query],
    );
  expect((await ask('replica', 'select pg_is_in_recovery()')).trim()).toBe('t');
  await expect.poll(() => ask('replica', `select count(*) from tasks where title = '${title}'`)).toBe('1\n');
  expect(await ask('database', 'select state from pg_stat_replication')).toBe('streaming\n');
}
