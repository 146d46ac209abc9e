import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { lacks } from '../test-support/requirements.ts';
import { workplace } from '../test-support/tierbench.ts';

/** What a person's shell may hold for other servers, other clients and other loads than these. */
const foreign = {
  PGSSLMODE: 'require',
  PGOPTIONS: '-c statement_timeout=1 -c default_transaction_read_only=on',
  PGSERVICE: 'production',
  PGHOST: '192.0.2.1',
  PGPORT: '1',
  PGUSER: 'somebody',
  PGPASSWORD: 'wrong',
  PGDATABASE: 'elsewhere',
  PGAPPNAME: 'mine',
  PGCLIENTENCODING: 'LATIN1',
  PGSSLNEGOTIATION: 'direct',
  PGDATA: '/nowhere',
  PGTZ: 'Asia/Kathmandu',
  NODE_PG_FORCE_NATIVE: '1',
  DATABASE_URL: 'postgres://somebody:wrong@192.0.2.1/elsewhere',
  REDIS_URL: 'redis://192.0.2.1',
  REDISCLI_AUTH: 'wrong',
  NGINX: '99;',
  PORT: '1',
  HOST: '192.0.2.1',
  NODE_ENV: 'development',
  NODE_OPTIONS: '--inspect=127.0.0.1:0 --no-deprecation',
  NODE_USE_ENV_PROXY: '1',
  http_proxy: 'http://127.0.0.1:1',
  https_proxy: 'http://127.0.0.1:1',
  HTTP_PROXY: 'http://127.0.0.1:1',
  npm_config_registry: 'http://127.0.0.1:1',
  npm_config_offline: 'true',
  GIT_DIR: '/nowhere',
  K6_VUS: '7',
  K6_OUT: 'json=/nowhere/out.json',
  K6_ITERATIONS: '1',
  TZ: 'Asia/Kathmandu',
  LANG: 'xx_XX.UTF-8',
  LC_ALL: 'xx_XX.UTF-8',
};

/** Settings of a person's home. */
const files = {
  '.pgpass': '*:*:*:*:wrong\n',
  '.psqlrc': '\\quit\n',
  '.pg_service.conf': '[production]\nhost=192.0.2.1\n',
  '.npmrc': 'registry=http://127.0.0.1:1\n',
  '.config/k6/config.json': '{"vus": 7, "iterations": 1}',
};

const lacksServers = lacks('nginx') || lacks('pgbouncer') || lacks('redis');

it.skipIf(lacksServers || lacks('k6'))(
  'measures the same whatever the shell and the home hold (needs nginx, pgbouncer, redis, k6)',
  { timeout: 480_000 },
  async () => {
    for (const engine of ['open-loop', 'k6']) await measuresWith(engine);
  },
);

async function measuresWith(engine: string): Promise<void> {
  await using place = await workplace();
  const home = join(place.folder, 'home');
  await mkdir(join(home, '.config', 'k6'), { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(home, name), text, { mode: 0o600 });
  const load =
    '--scenario crud --concurrency 2 --duration 1 --warm-up 0 --cool-down 0 --user-count 5 --tasks-per-user 5';
  const words = [
    'run',
    '--allow-missed',
    '--provider',
    'local',
    '--engine',
    engine,
    '--out',
    'out',
    ...load.split(' '),
  ];
  const { exitCode, stderr } = await place.run([...words, '--tier', 'cached'], foreign);
  expect(exitCode, stderr).toBe(0);
  const read = async (name: string) => JSON.parse(await readFile(join(place.folder, 'out', name), 'utf8'));
  expect(await read('subjects/cached.json')).toMatchObject({ notRun: [], endedEarly: null });
  const names = await readdir(join(place.folder, 'out', 'trials'));
  const { trial, samples } = await read(join('trials', names.find((name) => name.endsWith('.json')) ?? ''));
  expect(trial).toMatchObject({ iterations: { failed: 0, dropped: 0 }, plan: { load: { concurrency: 2 } } });
  expect(trial.iterations.completed).toBeGreaterThan(2);
  expect(samples.length).toBeGreaterThan(0);
  expect(await place.orphans()).toEqual([]);
}
