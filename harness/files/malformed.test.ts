import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { TierbenchError } from '../core/errors.ts';
import { readMix } from './mix-file.ts';
import { readPrices } from './price-file.ts';
import { readTargets } from './target-file.ts';
import { readTier } from './tier-file.ts';
import { readWorkload } from './workload-file.ts';

const folder = fileURLToPath(new URL('./fixtures/malformed/', import.meta.url));
const unreadable = 'FILE_NOT_READABLE';

/** For each file what is wrong with it: `line:column` and words of what is said. Nothing else may be said. */
const tierFiles: Record<string, readonly string[] | string> = {
  'a-list': ['1:1 must be a group of keys and values, but is a list'],
  'a-sentence': ["1:1 but is the text 'bring up one server'"],
  'absurd-cpus': ['9:13 must be at most 10000, but is 1e+308'],
  'absurd-memory': ['9:15 must be at most 1 PiB'],
  'negative-memory': ['9:15 must be above 0'],
  'no-memory': ['9:15 must be above 0'],
  'alias-bomb': ['2:8 Excessive alias count'],
  'api-settings': [
    "10:33 DATABASE_IDLE_TIMEOUT_MS of api is '45 s', but must be a whole number of milliseconds",
    "11:23 CACHE_TTL_ME_S of api is '15 min', but must be a whole number of seconds",
    "12:25 BODY_LIMIT_BYTES of api is '100 KiB', but must be a whole number of bytes",
    "13:25 REDIS_TIMEOUT_MS of api is 'soon'",
    '14:7 the setting HOST of api is set by tierbench itself',
  ],
  'api-without-writer': ['6:3 api (api) has no writer'],
  'bad-name': ['1:7 name is no name'],
  binary: unreadable,
  'cache-settings': [
    "11:18 maxmemory of cache is '512', but must be memory as Redis writes it",
    '12:25 which redis.conf cannot hold',
    '13:7 the setting port of cache is set by tierbench itself',
  ],
  circle: ['16:29 the services connect in a circle: one -> two -> one'],
  'circle-of-one': ['8:51 pooler connects to itself'],
  'circle-through-replica': [
    "7:44 database (primary) has no connection called 'standby'",
    '8:49 the services connect in a circle: database -> copy -> database',
  ],
  'copies-of-what-is-one': [
    '6:47 balancer is a load-balancer with 2 instances',
    '8:38 pooler is a pooler with 2 instances',
    '10:37 copy is a replica with 2 instances, but the API has one reader',
    '11:36 cache is a cache with 2 instances',
  ],
  'cpus-in-millicpus': ["9:13 cpus is '500m'"],
  'database-settings': [
    "10:23 shared_buffers of database is '512 MiB', but must be memory as PostgreSQL writes it",
    "11:17 work_mem of database is '4', but must be memory as PostgreSQL writes it",
    "13:26 statement_timeout of database is '30', but must be a time as PostgreSQL writes it",
    '14:44 idle_in_transaction_session_timeout',
    "17:24 max_connections of database is '100 connections', but must be a whole number",
    '18:7 the setting hba_file of database is set by tierbench itself',
  ],
  deep: ['1:1 nested too deeply'],
  'duplicate-key': ['3:1 this key is written twice'],
  'duplicate-service': ["4:8 entry is 'api', a cache", '11:3 this key is written twice'],
  empty: ['1:1 the file is empty'],
  'entry-has-instances': ["8:16 the entry 'api' has 3 instances"],
  'entry-is-database': ["4:8 entry is 'database', a primary, which does not speak HTTP"],
  'every-kind-of-mistake': [
    "12:50 the reader of api is 'reader-pooler', which leads to a primary: the writer reads there already",
    "12:72 the cache of api is 'redis', but there is no such service",
    '13:23 the 2 instances of api are all to listen on port 3000',
    "13:55 DATABASE_IDLE_TIMEOUT_MS of api is '45 s'",
    "14:24 services.api.resources.cpus is '500m'",
    "14:38 services.api.resources.memory: '512' has no unit",
    '27:29 the services connect in a circle: one -> two -> one',
    '30:15 (90 + 10) writer-pooler + (20 + 0) reader-pooler + 3 reserved + 1 probe = 124 > 100',
    '30:23 database is to listen on port 3000, as api is',
    "32:11 services.broker.kind is 'queue', which is unknown",
  ],
  'everything-wrong': [
    '1:1 title is missing',
    '1:7 name is no name',
    "2:1 unknown key 'titel'",
    '3:14 description is empty',
    "4:8 entry is 'app', but there is no such service",
    "7:11 services.api.kind is 'apy', which is unknown",
    '8:16 services.api.instances must be at least 1, but is 0',
    '9:17 the setting ADMIN_PASSWORD of api holds a secret',
    '9:49 services.api.settings.LOG_LEVEL must be one text, number, true or false, but is empty',
    "10:26 services.api.resources.memory: '512' has no unit",
    "10:37 services.api.resources.cpus is '500m'",
    "13:19 database (primary) has no connection called 'replica'",
    '13:28 database connects to itself',
  ],
  'half-an-instance': ['8:16 must be a whole number, but is 1.5'],
  'hundreds-of-services': ['6:3 services has 101 services, more than 100'],
  'instances-in-words': ["8:16 must be a number, but is the text 'three'"],
  'key-is-a-list': ['2:3 a key must be text'],
  'latin-1': unreadable,
  'load-balancer-settings': [
    "10:18 keepalive of balancer is '64; }', but must be a whole number above 0",
    '11:7 keep_alive of balancer is no setting of a load balancer',
    "12:18 algorithm of balancer is 'fair'",
    "13:21 fail_timeout of balancer is '1', but must be a time with its unit",
    "14:27 proxy_read_timeout of balancer is '1min', but must be a time with its unit",
    "15:25 worker_processes of balancer is '0'",
    '16:7 the setting listen of balancer is set by tierbench itself',
  ],
  'memory-in-seconds': ["9:15 '5 s' is in s"],
  'memory-without-unit': ["9:15 '512' has no unit"],
  'misspelt-key': ['1:1 title is missing', "2:1 unknown key 'titel'"],
  'negative-cpus': ['9:13 must be above 0, but is -1'],
  'no-instances': ['8:16 must be at least 1, but is 0'],
  'no-name': ['1:1 name is missing'],
  'no-services': ['5:11 services is empty'],
  'only-comments': ['1:1 the file is empty'],
  'open-bracket': ['9:3 end with a }'],
  'open-quote': ['11:1 Missing closing'],
  'pool-mode': [
    '7:86 pool_mode of pooler is statement, in which the transactions of the API fail',
    "8:81 pool_mode of other is 'transactions', which is unknown",
  ],
  'pooler-settings': [
    '9:17 DATABASE_STATEMENT_TIMEOUT_MS of api has no effect: the pooler pooler does not pass it on',
    '15:7 max_prepared_statements of pooler has no effect with pool_mode session',
    '16:7 the setting listen_port of pooler is set by tierbench itself',
    '17:7 the setting auth_type of pooler is set by tierbench itself',
    "18:26 default_pool_size of pooler is 'many', but must be a whole number",
    "19:22 query_timeout of pooler is '45 s', but PgBouncer takes a number of seconds",
    "20:28 server_idle_timeout of pooler is '10min', but PgBouncer takes a number of seconds",
  ],
  'port-clash': [
    '7:101 the 2 instances of api are all to listen on port 5432',
    '8:48 database is to listen on port 5432, as api is',
    "9:79 copy is to listen on port '70000'",
  ],
  'option-unknown': ['9:7 the setting NONSENSE_OPTION of api is no option of the app'],
  'reader-is-primary': ["8:45 the reader of api is 'database', a primary"],
  'reader-without-replica': [
    "6:59 the reader of api is 'pooler', which leads to a primary: the writer reads there already",
  ],
  'replica-below-primary': ['8:90 max_connections of copy is 100, less than the 200 of its primary'],
  'replica-without-primary': ['11:3 replica (replica) has no primary'],
  secret: ['9:7 the setting JWT_SECRET of api holds a secret'],
  'services-are-a-list': ['9:1 must start at the same column'],
  'setting-is-a-list': ['9:21 CORS_ORIGINS must be one text'],
  'setting-is-empty': ['9:7 LOG_LEVEL must be one text, number, true or false, but is empty'],
  'setting-with-bad-name': ['9:7 is no name of a setting'],
  'setting-with-line-break': ['9:18 must be one line of text'],
  tab: ['7:1 a tab is used to indent', '7:8 Nested mappings', '7:8 Implicit keys', '9:1 same column'],
  'too-many-connections': [
    '15:79 its max_client_conn: 4 x (40 + 1) api + 1 probe = 165 > 150',
    '18:34 its max_connections: (80 + 5) pooler + 3 reserved + 1 probe = 89 > 80',
    '20:5 its max_connections: 4 x (40 + 1) api + 3 reserved + 1 probe = 168 > 100',
  ],
  'two-documents': ['11:1 more than one document'],
  'two-primaries': ['11:16 database is a primary with 2 instances'],
  'unknown-alias': ['2:8 Unresolved alias'],
  'unknown-entry': ["4:8 entry is 'app', but there is no such service"],
  'unknown-kind': ["10:11 services.database.kind is 'primry', which is unknown"],
  'unknown-role': ['6:3 api (api) has no writer', "8:19 api (api) has no connection called 'writter'"],
  'unknown-tag': ['2:8 Unresolved tag'],
  'unknown-writer': ["8:27 the writer of api is 'databse', but there is no such service"],
  'url-with-password': ['9:7 the setting REDIS_URL of api holds a secret'],
  'writer-is-cache': ["8:27 the writer of api is 'database', a cache"],
  'writer-only-reads': ['8:27 which leads to a replica: it only reads'],
  'zero-bytes': unreadable,
};

const targetFiles: Record<string, readonly string[] | string> = {
  'bad-id': ['3:3 Ours Latency is no id'],
  'between-with-one-end': ["6:17 'between' needs two values"],
  'comma-in-reason': ["8:36 unknown key 'ask tomorrow'"],
  'concurrency-in-words': ["9:31 must be a number, but is the text 'many'"],
  'contradicts-itself': ['10:19 ours-latency contradicts itself'],
  'duplicate-id': ['9:3 this key is written twice'],
  'ends-in-two-units': ['6:12 the ends of value are in s and bytes'],
  'ends-upside-down': ['6:12 the first end of value is not below the second'],
  'is-a-tier': [
    '1:1 document is missing',
    '1:1 targets is missing',
    "1:1 unknown key 'name'",
    "2:1 unknown key 'title'",
    "3:1 unknown key 'description'",
    "4:1 unknown key 'entry'",
    "5:1 unknown key 'services'",
  ],
  'judged-twice': ['8:13 judged says 2 ways: measured, model'],
  'misspelt-key': ['4:5 section is missing', "5:5 unknown key 'sektion'"],
  'no-comparison': ['4:5 comparison is missing'],
  'no-document': ['1:1 document is missing'],
  'role-without-setting': ['8:42 as goes with a setting'],
  'no-targets': ['2:1 targets is empty'],
  'no-title': ['4:5 title is missing'],
  'no-value': ['4:5 value is missing'],
  'not-judged': ['8:13 judged says no way'],
  'three-ends': ["6:17 two values go with 'between'", '7:12 value has 3 ends'],
  'two-ends-with-comparison': ["6:17 two values go with 'between', not with the text '<'"],
  'unknown-comparison': ["6:17 comparison is 'less', which is unknown"],
  'unknown-contradiction': ["10:19 there is no target 'ours-latencies'"],
  'unknown-metric': ["8:25 judged.measured is 'latency-p59', which is unknown"],
  'unknown-model': ["8:22 judged.model is 'magic', which is unknown"],
  'unknown-scenario': ["9:30 there is no scenario 'logon'"],
  'unknown-setting-kind': ["8:24 'puler' in puler.cpus is no kind of service"],
  'unknown-tier': ["9:26 there is no tier 'singel'"],
  'unquoted-comparison': ['6:18 Block scalar header', '6:20 Not a YAML token'],
  'value-in-unknown-unit': ["7:12 '200 msecs' has an unknown unit"],
  'value-is-a-group': ['7:12 must be a number with a unit, but is a group'],
  'value-with-decimal-comma': ["7:12 '0,2 s' is not a number"],
  'value-without-unit': ["7:12 '200' has no unit"],
  'wrong-unit-for-metric': ['7:12 latency-p95 is measured in s, but value is in requests/s'],
};

async function failure(read: Promise<unknown>): Promise<TierbenchError> {
  const error: unknown = await read.then(
    () => 'no error',
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(TierbenchError);
  return error as TierbenchError;
}

function expectProblems(
  error: TierbenchError,
  invalid: string,
  expected: readonly string[] | string,
  path: string,
): void {
  expect(error.nextStep).not.toBe('');
  expect(error.message).toContain(path);
  expect(JSON.stringify([error.message, error.nextStep, error.problems])).not.toContain('do-not-show-me');
  if (typeof expected === 'string') {
    expect(error.code).toBe(expected);
    return;
  }
  expect(error.code).toBe(invalid);
  const reported = error.problems.map(({ file, line, column, what }) => {
    expect(file).toBe(path);
    return `${line}:${column} ${what}`;
  });
  const patterns = expected.map((problem) => {
    const [place = '', ...words] = problem.split(' ');
    return expect.toSatisfy((text: string) => text.startsWith(`${place} `) && text.includes(words.join(' ')), problem);
  });
  expect(reported).toEqual(patterns);
}

describe('malformed tier files', () => {
  test.each(Object.entries(tierFiles))('%s', async (name, expected) => {
    const path = `${folder}tier-${name}.yaml`;
    expectProblems(await failure(readTier(path)), 'TIER_FILE_INVALID', expected, path);
  });
});

describe('malformed target files', () => {
  test.each(Object.entries(targetFiles))('%s', async (name, expected) => {
    const path = `${folder}target-${name}.yaml`;
    const known = { tiers: ['single'], scenarios: ['login', 'crud'] };
    expectProblems(await failure(readTargets([path], known)), 'TARGET_FILE_INVALID', expected, path);
  });
});

const mixFiles: Record<string, readonly string[]> = {
  'everything-wrong': [
    "1:9 browse must be a number, but is the text 'often'",
    "3:1 unknown key 'logins'",
    '4:1 this key is written twice',
    '4:7 crud must be at least 0, but is -1',
  ],
  'no-weight': ['1:1 the file gives no part a weight above 0'],
};

describe('malformed mix files', () => {
  test.each(Object.entries(mixFiles))('%s', async (name, expected) => {
    const path = `${folder}mix-${name}.yaml`;
    expectProblems(await failure(readMix(path)), 'MIX_FILE_INVALID', expected, path);
  });
});

test('a mix is read with 0 for what is left out', async () => {
  expect(await readMix(fileURLToPath(new URL('./fixtures/mix.yaml', import.meta.url)))).toEqual({
    browse: 70,
    crud: 0,
    login: 2.5,
  });
});

const workloadFiles: Record<string, readonly string[]> = {
  'everything-wrong': [
    "1:13 dailyUsers: 'many' is no number",
    '2:1 it says monthlyUsers beside dailyUsers',
    "3:17 sessionsPerDay: '4..2' is no range",
    "4:12 thinkTime: '5' has no unit",
    '5:1 it says sessionLength beside thinkTime',
    "5:16 sessionLength: '10 minutes' has an unknown unit",
    "6:13 peakFactor must be from 1 to 1000, but is '0.5'",
    '7:11 dayCurve must have 24 numbers',
    "8:1 unknown key 'headrom'",
    '9:11 failures must be a whole number, but is 1.5',
    '10:1 requestsPerPageView goes with pageViewsPerSession',
  ],
  'no-load': ['1:1 it says no load'],
};

describe('malformed workload files', () => {
  test.each(Object.entries(workloadFiles))('%s', async (name, expected) => {
    const path = `${folder}workload-${name}.yaml`;
    expectProblems(await failure(readWorkload(path)), 'WORKLOAD_FILE_INVALID', expected, path);
  });
});

const priceFiles: Record<string, readonly string[]> = {
  'everything-wrong': [
    '1:1 source is missing',
    '1:11 currency is no currency',
    "2:7 date is '28.11.2026', but must be a day",
    "3:10 cpuHour must be from 0 to 1000000000, but is '-1'",
    "4:16 memoryGibHour: 'cheap' is no number",
    "6:8 instanceMonth.api: '100..50' is no range",
    "7:3 unknown key 'servers'",
    "8:1 unknown key 'networkGB'",
  ],
  'no-service': ['1:1 it has no price of a service'],
};

describe('malformed price files', () => {
  test.each(Object.entries(priceFiles))('%s', async (name, expected) => {
    const path = `${folder}price-${name}.yaml`;
    expectProblems(await failure(readPrices(path)), 'PRICE_FILE_INVALID', expected, path);
  });
});

test('each malformed file is tried', () => {
  const tried = [
    ...Object.keys(priceFiles).map((name) => `price-${name}.yaml`),
    ...Object.keys(workloadFiles).map((name) => `workload-${name}.yaml`),
    ...Object.keys(mixFiles).map((name) => `mix-${name}.yaml`),
    ...Object.keys(targetFiles).map((name) => `target-${name}.yaml`),
    ...Object.keys(tierFiles).map((name) => `tier-${name}.yaml`),
  ];
  expect(tried.toSorted()).toEqual(readdirSync(folder).toSorted());
});
