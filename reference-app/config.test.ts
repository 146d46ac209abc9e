import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ConfigError, type Environment, readConfig } from './config.ts';
import { options } from './options.ts';

const DATABASE_URL = 'postgresql://app:pw@127.0.0.1:5432/app';
const goodSecret = 'Vt8Zq2mKx9Lw4Rb7Yc1Nf6Hd3Ps5Gj0U';

function problemsWith(environment: Environment): readonly string[] {
  try {
    readConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('readConfig', () => {
  test('takes the documented values by default', () => {
    const config = readConfig({ DATABASE_URL });
    expect(config).toMatchObject({
      HOST: '127.0.0.1',
      DATABASE_POOL_MAX: 10,
      DATABASE_POOL_MIN: 5,
      DATABASE_IDLE_TIMEOUT_MS: 45_000,
      DATABASE_CONNECT_TIMEOUT_MS: 10_000,
      CACHE_TTL_TASKS_LIST_S: 300,
      CACHE_TTL_ME_S: 900,
      CACHE_TTL_TASK_STATS_S: 600,
      CACHE_TTL_USER_BY_ID_S: 3600,
      ACCESS_TOKEN_TTL_S: 900,
      RATE_LIMIT: 'on',
      RATE_LIMIT_GENERAL: { requests: 100, windowS: 900 },
      RATE_LIMIT_AUTH: { requests: 5, windowS: 900 },
      RATE_LIMIT_SIGNED_IN: { requests: 100, windowS: 60 },
      RATE_LIMIT_NOT_SIGNED_IN: { requests: 20, windowS: 60 },
      BLACKLIST_STORE: 'memory',
      RATE_LIMIT_STORE: 'memory',
      TRUST_PROXY: false,
    });
  });

  test('names every problem at once, with the option, its value and the next step', () => {
    const problems = problemsWith({
      PORT: '70000',
      BCRYPT_COST: 'ten',
      RATE_LIMIT_AUTH: '5 per minute',
      CORS_ORIGINS: 'https://app.example.com/path,*',
      TRUST_PROXY: '2',
    });
    expect(problems).toHaveLength(6);
    expect(problems).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^PORT: "70000" .* Set it to a whole number from 0 to 65535\.$/),
        expect.stringMatching(/^BCRYPT_COST: "ten" .* Set it to/),
        expect.stringMatching(/^RATE_LIMIT_AUTH: "5 per minute" .* Set it to/),
        expect.stringMatching(/^CORS_ORIGINS: .* Set it to/),
        expect.stringMatching(/^TRUST_PROXY: "2" .* Set it to/),
        expect.stringMatching(/^DATABASE_URL is not set\. Set it to/),
      ]),
    );
  });

  test('never shows the value of a secret', () => {
    const problems = problemsWith({
      NODE_ENV: 'production',
      DATABASE_URL: 'mysql://app:hunter2@db/app',
      DATABASE_READER_URL: 'hunter2',
      REDIS_URL: 'http://:hunter2@cache',
      JWT_SECRET: 'hunter2',
    });
    expect(problems).toHaveLength(4);
    expect(problems.join('\n')).not.toContain('hunter2');
  });

  test('suggests the option a misspelt one was meant to be, unless that one is set', () => {
    expect(problemsWith({ DATABASE_URL, DATABASE_POOL_MAXX: '20' })).toEqual([
      'DATABASE_POOL_MAXX is not an option. Did you mean DATABASE_POOL_MAX?',
    ]);
    expect(problemsWith({ DATABASE_URL, DATABASE_URI: 'of another program', PATH: '/bin' })).toEqual([]);
  });

  test('takes an empty variable as absent', () => {
    expect(readConfig({ DATABASE_URL, REDIS_URL: '', PORT: '' })).toMatchObject({ PORT: 3000, REDIS_URL: undefined });
  });

  test.each([
    ['no secret', undefined],
    ['a short one', 'Vt8Zq2mKx9Lw4Rb7'],
    ['a default one', 'your-256-bit-random-secret-change-me'],
    ['one of repeated characters', 'abababababababababababababababababababab'],
  ])('refuses %s in production', (_case, secret) => {
    const problems = problemsWith({ DATABASE_URL, NODE_ENV: 'production', JWT_SECRET: secret });
    expect(problems).toEqual([expect.stringMatching(/^JWT_SECRET .* Set it to at least 32 random characters/)]);
  });

  test('takes a random secret in production, and makes one at each start elsewhere', () => {
    expect(readConfig({ DATABASE_URL, NODE_ENV: 'production', JWT_SECRET: goodSecret }).JWT_SECRET).toBe(goodSecret);
    const made = readConfig({ DATABASE_URL }).JWT_SECRET;
    expect(made.length).toBeGreaterThanOrEqual(32);
    expect(readConfig({ DATABASE_URL }).JWT_SECRET).not.toBe(made);
  });

  test('judges a secret like in production when the environment is misspelt', () => {
    expect(problemsWith({ DATABASE_URL, NODE_ENV: 'prod', JWT_SECRET: 'short-one' })).toEqual([
      expect.stringMatching(/^NODE_ENV: "prod"/),
      expect.stringMatching(/^JWT_SECRET /),
    ]);
  });

  test('lets a small pool be named by its maximum alone', () => {
    expect(readConfig({ DATABASE_URL, DATABASE_POOL_MAX: '3' }).DATABASE_POOL_MIN).toBe(3);
    expect(problemsWith({ DATABASE_URL, DATABASE_POOL_MAX: '3', DATABASE_POOL_MIN: '4' })).toHaveLength(1);
  });

  test('refuses a store that would let revoked tokens through or does not exist', () => {
    expect(problemsWith({ DATABASE_URL, INSTANCES: '2', BLACKLIST_STORE: 'memory' })).toHaveLength(1);
    expect(problemsWith({ DATABASE_URL, BLACKLIST_STORE: 'redis', RATE_LIMIT_STORE: 'redis' })).toHaveLength(2);
    expect(readConfig({ DATABASE_URL, INSTANCES: '2' }).BLACKLIST_STORE).toBe('database');
    expect(readConfig({ DATABASE_URL, REDIS_URL: 'redis://127.0.0.1' }).BLACKLIST_STORE).toBe('redis');
  });

  test('reads each limit as off or as requests per time', () => {
    const config = readConfig({ DATABASE_URL, RATE_LIMIT_GENERAL: 'off', RATE_LIMIT_EMAIL: '3/1h' });
    expect(config).toMatchObject({ RATE_LIMIT_GENERAL: 'off', RATE_LIMIT_EMAIL: { requests: 3, windowS: 3600 } });
    expect(problemsWith({ DATABASE_URL, RATE_LIMIT_GENERAL: '0/1m', RATE_LIMIT_AUTH: '5/0s' })).toHaveLength(2);
  });

  test('trusts proxies by address only', () => {
    expect(readConfig({ DATABASE_URL, TRUST_PROXY: 'loopback,10.0.0.0/8' }).TRUST_PROXY).toEqual([
      'loopback',
      '10.0.0.0/8',
    ]);
    for (const TRUST_PROXY of ['true', '1', '...', ':::', '10.0.0.0/33', '10.0.0.0/0', '::1/129', '10.0.0.0/8/8']) {
      expect(problemsWith({ DATABASE_URL, TRUST_PROXY })).toHaveLength(1);
    }
    expect(readConfig({ DATABASE_URL, TRUST_PROXY: '::1,fd00::/8,192.0.2.1' }).TRUST_PROXY).toHaveLength(3);
  });
});

test('the README names every option as the code explains it', () => {
  const readme = readFileSync(new URL('./README.md', import.meta.url), 'utf8');
  const rows = readme.match(/^\| `[A-Z_]+` .*$/gm)?.map((row) => row.replace(/ +/g, ' '));
  expect(rows).toEqual(Object.entries(options).map(([name, { means }]) => `| \`${name}\` | ${means} |`));
});
