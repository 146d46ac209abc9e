import { mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { overPostgres, overRedis } from '../../../test-support/instance-access.ts';
import { isListening, listeningAddresses, processesIn } from '../../../test-support/left-behind.ts';
import { lacks } from '../../../test-support/requirements.ts';
import {
  peerAt,
  startServerIn,
  startTestPostgres,
  type TestServer,
  type TestServerOptions,
} from '../../../test-support/servers.ts';
import { controlGroupName, controlGroupsOfRun } from '../../orphans/control-groups.ts';
import { newRunId } from '../../orphans/run-record.ts';
import { accountForServers } from './account.ts';
import { makeInstanceGroup } from './control-groups.ts';
import { localProgram } from './programs.ts';

let primary: TestServer;
let folder: string;

beforeAll(async () => {
  primary = await startTestPostgres();
});
afterAll(async () => {
  await primary[Symbol.asyncDispose]();
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tierbench-test server-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const ANSWER_S = 10;
const select = (url: string) => overPostgres(url, ANSWER_S, (client) => client.query('select 1'));
const ping = (url: string) => overRedis(url, ANSWER_S, (redis) => redis.ping());

const servers: {
  readonly name: string;
  readonly kind: string;
  readonly lacking: boolean;
  readonly version: RegExp;
  options(): TestServerOptions;
  /** Rejects when it does not answer right. */
  ask(server: TestServer): Promise<unknown>;
}[] = [
  {
    name: 'PostgreSQL',
    kind: 'primary',
    lacking: false,
    version: /^PostgreSQL 18\.\d+/,
    options: () => ({ settings: { fsync: 'off' } }),
    ask: ({ url }) => select(url),
  },
  {
    name: 'a replica',
    kind: 'replica',
    lacking: false,
    version: /^PostgreSQL 18\.\d+/,
    options: () => ({ settings: { fsync: 'off' }, peers: { primary } }),
    ask: ({ url }) => select(url),
  },
  {
    name: 'PgBouncer (needs pgbouncer)',
    kind: 'pooler',
    lacking: lacks('pgbouncer'),
    version: /^PgBouncer \d+\.\d+/,
    options: () => ({ settings: { max_prepared_statements: 100 }, peers: { database: primary } }),
    ask: ({ url }) => select(url),
  },
  {
    name: 'nginx (needs nginx)',
    kind: 'load-balancer',
    lacking: lacks('nginx'),
    version: /^nginx \d+\.\d+/,
    options: () => ({ settings: { worker_processes: 2 }, peers: { backend: peerAt(primary.port) } }),
    ask: ({ probeUrl }) => fetch(probeUrl),
  },
  {
    name: 'Redis (needs redis-server)',
    kind: 'cache',
    lacking: lacks('redis'),
    version: /^Redis \d+\.\d+/,
    options: () => ({}),
    ask: ({ url }) => ping(url),
  },
];

const serverUser = (await accountForServers())?.uid ?? process.getuid?.();

const processesHere = () => processesIn(folder);

/** Undefined when it is gone. */
async function userOf(processId: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${processId}/status`, 'utf8').catch(() => '');
  const user = /^Uid:\s+(\d+)/m.exec(status)?.[1];
  return user === undefined ? undefined : Number(user);
}

function isSame(left: readonly number[], right: readonly number[]): boolean {
  return left.length > 0 && new Set(left).symmetricDifference(new Set(right)).size === 0;
}

function pause(server: TestServer): void {
  for (const processId of server.processIds()) {
    try {
      process.kill(processId, 'SIGSTOP');
    } catch {
      // It has just ended.
    }
  }
}

describe.each(servers)('$name', ({ kind, lacking, version, options, ask: askOf }) => {
  const start = async (more: TestServerOptions = {}) => {
    const server = await startServerIn(folder, kind, { ...options(), ...more });
    return { server, ask: () => askOf(server) };
  };

  it.skipIf(lacking)('answers, without the rights of root, and leaves nothing when it is disposed of', async () => {
    const { server, ask } = await start();
    await using _server = server;
    await ask();
    expect(server.version).toMatch(version);
    // The processes of PostgreSQL come and go.
    await expect.poll(async () => isSame(server.processIds(), await processesHere())).toBe(true);
    const addresses = await listeningAddresses(server.processIds());
    expect(addresses).toContain(`127.0.0.1:${server.port}`);
    expect(addresses.filter((address) => !address.startsWith('127.0.0.1:'))).toEqual([]);
    const users = await Promise.all(server.processIds().map(userOf));
    expect(users).toContain(serverUser);
    expect(users.filter((user) => user !== serverUser && user !== undefined)).toEqual([]);
    await Promise.all([server[Symbol.asyncDispose](), server[Symbol.asyncDispose]()]);
    expect(await processesHere()).toEqual([]);
    expect(await readdir(folder)).toEqual([]);
    await expect(server.start()).rejects.toThrow('disposed of');
  });

  it.skipIf(lacking)('is gone when it was killed, and comes back at the same port', async () => {
    const { server, ask } = await start();
    await using _server = server;
    const [before] = server.processIds();
    for (let time = 1; time <= 2; time += 1) {
      const ended = server.ended();
      await server.kill();
      expect(await ended).toContain('SIGKILL');
      expect(server.processIds()).toEqual([]);
      expect(await processesHere()).toEqual([]);
      expect(await isListening({ host: '127.0.0.1', port: server.port })).toBe(false);
      await server.start();
      await ask();
    }
    expect(server.processIds()[0]).not.toBe(before);
    const again = server.ended();
    expect(await Promise.race([again, ask().then(() => 'still up')])).toBe('still up');
  });

  it.skipIf(lacking)('can be killed and disposed of while it is paused', async () => {
    const { server, ask } = await start();
    await using _server = server;
    pause(server);
    await server.kill();
    await server.start();
    await ask();
    pause(server);
    await server[Symbol.asyncDispose]();
    expect(await processesHere()).toEqual([]);
    expect(await readdir(folder)).toEqual([]);
  });

  it.skipIf(lacking)('leaves nothing when it is aborted while it starts', async () => {
    for (const delayMs of [0, 10, 30, 100]) {
      const controller = new AbortController();
      const reason = new Error(`aborted after ${delayMs} ms`);
      const starting = start({ signal: controller.signal });
      setTimeout(() => controller.abort(reason), delayMs);
      await starting.then(
        // It may have come up before the delay was over.
        ({ server }) => server[Symbol.asyncDispose](),
        (error) => expect(error).toBe(reason),
      );
      expect(await processesHere()).toEqual([]);
      expect(await readdir(folder)).toEqual([]);
    }
  });

  it.skipIf(lacking)('keeps its files to itself and its passwords out of what everybody sees', async () => {
    const { server } = await start();
    await using _server = server;
    const { password } = new URL(primary.url);
    for (const processId of server.processIds()) {
      const commandLine = await readFile(`/proc/${processId}/cmdline`, 'utf8').catch(() => '');
      expect(commandLine).not.toContain(password);
    }
    for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      // The server may remove files of its own meanwhile.
      const text = await readFile(path, 'latin1').catch(() => '');
      if (!/requirepass|scram-sha-256|:tierbench:/.test(text)) continue;
      const { mode } = await stat(path);
      expect((mode & 0o077).toString(8), path).toBe('0');
    }
  });
});

it.skipIf(lacks('redis'))('says in its own words why it did not start (needs redis-server)', async () => {
  const settings = { 'maxmemory-policy': 'whatever-fits' };
  await expect(startServerIn(folder, 'cache', { settings })).rejects.toMatchObject({
    code: 'SERVICE_DID_NOT_START',
    message: expect.stringContaining('maxmemory-policy'),
  });
  expect(await readdir(folder)).toEqual([]);
});

it('names the program that is not there, and the package that brings it', async () => {
  const program = { from: 'distribution', name: 'no-such-server', package: 'no-such-package' } as const;
  await expect(localProgram(program, undefined, folder)).rejects.toMatchObject({
    code: 'SERVER_NOT_INSTALLED',
    nextStep: expect.stringContaining('no-such-package'),
  });
});

it.skipIf(lacks('root') || lacks('redis'))(
  'names the folder that its account cannot reach (needs root, redis-server)',
  async () => {
    const within = join(folder, 'within');
    await mkdir(within);
    await expect(startServerIn(within, 'cache')).rejects.toMatchObject({
      code: 'FOLDER_NOT_REACHABLE',
      message: expect.stringContaining(within),
    });
  },
);

it('listens where no client that tries to reach it while it is down can end up by itself', async () => {
  const range = await readFile('/proc/sys/net/ipv4/ip_local_port_range', 'utf8');
  const firstOutgoing = Number(range.split(/\s+/)[0]);
  expect(primary.port).toBeLessThan(firstOutgoing);
});

it.skipIf(lacks('nginx') || lacks('control groups'))(
  'is under its limits with all its processes, also those it started before it was put there (needs nginx and control groups)',
  async () => {
    const runId = newRunId(new Date());
    await using group = makeInstanceGroup(controlGroupName(runId, 'late'), { cpus: 0.5 });
    // As on a machine that is busy with something else at that moment.
    const lateJoin = (processId: number) => {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
      group.join(processId);
    };
    await using server = await startServerIn(folder, 'load-balancer', {
      settings: { worker_processes: 2 },
      peers: { backend: peerAt(primary.port) },
      confinement: { join: lateJoin },
    });
    const members = await Promise.all(
      controlGroupsOfRun(runId).map((path) => readFile(join(path, 'cgroup.procs'), 'utf8')),
    );
    expect(server.processIds()).toHaveLength(3);
    expect(members.join('').trim().split('\n').map(Number)).toEqual(expect.arrayContaining([...server.processIds()]));
  },
);
