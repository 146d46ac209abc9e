import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { GenericContainer, getContainerRuntimeClient, Network, type StartedTestContainer, Wait } from 'testcontainers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lacks } from './programs.ts';

describe.skipIf(lacks('docker'))('the image (needs docker)', () => {
  const open = new AsyncDisposableStack();
  const password = randomBytes(12).toString('hex');
  let api: StartedTestContainer;
  let address: string;

  beforeAll(async () => {
    const postgresPassword = randomBytes(12).toString('hex');
    const network = open.use(await new Network().start());
    const postgres = new GenericContainer('postgres:17')
      .withNetwork(network)
      .withNetworkAliases('postgres')
      .withEnvironment({ POSTGRES_USER: 'app', POSTGRES_DB: 'app', POSTGRES_PASSWORD: postgresPassword })
      .withHealthCheck({
        test: ['CMD', 'pg_isready', '--host=127.0.0.1', '--username=app', '--dbname=app'],
        interval: 250,
        timeout: 3000,
        retries: 120,
      })
      .withWaitStrategy(Wait.forHealthCheck());
    const image = `reference-app-test:${randomBytes(6).toString('hex')}`;
    const [database] = await Promise.all([
      postgres.start(),
      GenericContainer.fromDockerfile(join(import.meta.dirname, '..')).build(image),
    ]);
    open.use(database);

    // A container is configured by what is called on it, so each gets a fresh one of the same image.
    const containerOf = () =>
      new GenericContainer(image).withNetwork(network).withEnvironment({
        DATABASE_URL: `postgres://app:${postgresPassword}@postgres:5432/app`,
        BCRYPT_COST: '4',
      });
    const once = async (command: string[], environment: Record<string, string> = {}) => {
      const job = containerOf().withCommand(command).withEnvironment(environment);
      await using _done = await job.withWaitStrategy(Wait.forOneShotStartup()).start();
    };
    await once(['node', 'migrate.ts']);
    await once(['node', 'seed.ts', '--users', '2', '--tasks-per-user', '12'], { SEED_PASSWORD: password });
    api = await containerOf()
      .withEnvironment({ JWT_SECRET: randomBytes(36).toString('base64'), RATE_LIMIT: 'off' })
      .withExposedPorts(3000)
      .withWaitStrategy(Wait.forHttp('/ready', 3000))
      .start();
    open.use(api);
    address = `http://${api.getHost()}:${api.getMappedPort(3000)}`;
  });
  afterAll(() => open.disposeAsync());

  it('serves what was migrated and seeded with it', async () => {
    const login = await fetch(`${address}/api/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: 'user-2@bench.example', password }),
    });
    expect(login.status).toBe(200);
    const { accessToken } = (await login.json()) as { accessToken: string };
    const list = await fetch(`${address}/api/tasks`, { headers: { authorization: `Bearer ${accessToken}` } });
    const { tasks, pagination } = (await list.json()) as { tasks: unknown[]; pagination: unknown };
    expect(tasks).toHaveLength(10);
    expect(pagination).toEqual({ currentPage: 1, totalPages: 2, totalTasks: 12 });
  });

  it('runs as a user who may not change the code, straight as process 1', async () => {
    const output = async (...command: string[]) => (await api.exec(command)).output.trim();
    expect(await output('id', '-u')).toBe('1000');
    expect((await api.exec(['touch', '/app/server.ts'])).exitCode).not.toBe(0);
    expect(await output('sh', '-c', "tr '\\0' ' ' < /proc/1/cmdline")).toBe('node server.ts');
  });

  it('holds no tests and no development dependencies, and checks nothing by itself', async () => {
    const { output } = await api.exec(['find', '/app', '-name', '*.test.ts', '-not', '-path', '*/node_modules/*']);
    expect(output).toBe('');
    expect((await api.exec(['test', '-e', '/app/node_modules/@types/pg'])).exitCode).toBe(1);
    const { container } = await getContainerRuntimeClient();
    const { Config } = await container.inspect(container.getById(api.getId()));
    expect(Config.Healthcheck?.Test ?? ['NONE']).toEqual(['NONE']);
  });

  it('ends with 0 when it is asked to stop', async () => {
    const { container } = await getContainerRuntimeClient();
    const running = container.getById(api.getId());
    await running.stop({ t: 10 });
    const { State } = await container.inspect(running);
    expect([State.Running, State.ExitCode]).toEqual([false, 0]);
  });
});
