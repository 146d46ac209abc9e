import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import { availableParallelism } from 'node:os';
import { type Limit, type Option, type OptionName, type OptionValues, options } from './options.ts';

/** The options as given or by default, and what follows from them. */
export interface Config extends Omit<OptionValues, 'BLACKLIST_STORE' | 'RATE_LIMIT_STORE' | 'TRUST_PROXY'> {
  readonly JWT_SECRET: string;
  readonly DATABASE_POOL_MIN: number;
  readonly DATABASE_QUERY_TIMEOUT_MS: number;
  readonly PASSWORD_HASH_CONCURRENCY: number;
  readonly BLACKLIST_STORE: 'memory' | 'redis' | 'database';
  readonly RATE_LIMIT_STORE: 'memory' | 'redis';
  readonly TRUST_PROXY: false | string[];
}

export type { Limit };

/** All that is wrong with the environment, one line each. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Throws a ConfigError that names every problem at once. Secret values are never part of a message. */
export function readConfig(environment: Environment): Config {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, option] of Object.entries<Option>(options)) {
    const given = environment[name] === '' ? undefined : environment[name];
    const result = option.schema.safeParse(given);
    if (result.success) values[name] = result.data;
    else problems.push(optionProblem(name, option, given));
  }
  problems.push(...misspelt(environment));
  // Typed by the table of options; a missing value is in `problems`, and then nothing of this is returned.
  const parsed = values as unknown as OptionValues;
  const trustProxy = parseTrustProxy(parsed.TRUST_PROXY);
  if (trustProxy === undefined) problems.push(optionProblem('TRUST_PROXY', options.TRUST_PROXY, parsed.TRUST_PROXY));
  problems.push(...combinationProblems(parsed));
  if (problems.length > 0) throw new ConfigError(problems);
  return {
    ...parsed,
    JWT_SECRET: parsed.JWT_SECRET ?? randomBytes(48).toString('base64'),
    DATABASE_POOL_MIN: parsed.DATABASE_POOL_MIN ?? Math.min(5, parsed.DATABASE_POOL_MAX),
    DATABASE_QUERY_TIMEOUT_MS: parsed.DATABASE_QUERY_TIMEOUT_MS ?? defaultQueryTimeoutMs(parsed),
    PASSWORD_HASH_CONCURRENCY:
      parsed.PASSWORD_HASH_CONCURRENCY ?? defaultHashConcurrency(parsed.INSTANCES, environment.UV_THREADPOOL_SIZE),
    BLACKLIST_STORE: parsed.BLACKLIST_STORE ?? defaultBlacklistStore(parsed),
    RATE_LIMIT_STORE: parsed.RATE_LIMIT_STORE ?? (parsed.REDIS_URL === undefined ? 'memory' : 'redis'),
    TRUST_PROXY: trustProxy ?? false,
  };
}

function optionProblem(name: string, option: Option, given: string | undefined): string {
  if (given === undefined) return `${name} is not set. Set it to ${option.expects}.`;
  const value = option.secret ? 'its value (not shown)' : JSON.stringify(given);
  return `${name}: ${value} is not valid. Set it to ${option.expects}.`;
}

function combinationProblems(values: OptionValues): string[] {
  const problems: string[] = [];
  if (values.DATABASE_POOL_MIN !== undefined && values.DATABASE_POOL_MIN > values.DATABASE_POOL_MAX) {
    problems.push(
      `DATABASE_POOL_MIN: ${values.DATABASE_POOL_MIN} is more than DATABASE_POOL_MAX, ${values.DATABASE_POOL_MAX}. Lower the one or raise the other.`,
    );
  }
  for (const name of ['BLACKLIST_STORE', 'RATE_LIMIT_STORE'] as const) {
    if (values[name] === 'redis' && values.REDIS_URL === undefined) {
      problems.push(`${name}: "redis" needs a Redis. Set REDIS_URL, or ${name} to memory.`);
    }
  }
  if (values.BLACKLIST_STORE === 'memory' && values.INSTANCES > 1) {
    problems.push(
      `BLACKLIST_STORE: "memory" serves one process, and INSTANCES is ${values.INSTANCES}: a token revoked by one would be accepted by the others. Set it to redis or database.`,
    );
  }
  // A misspelt environment is judged like production, so that its secret is not a second surprise.
  const mayBeProduction = values.NODE_ENV !== 'development' && values.NODE_ENV !== 'test';
  const secretProblem = secretWeakness(values.JWT_SECRET, mayBeProduction);
  if (secretProblem !== undefined) {
    problems.push(`JWT_SECRET ${secretProblem}. Set it to ${options.JWT_SECRET.expects}.`);
  }
  return problems;
}

const defaultSecrets = /secret|change.?me|password|default|example|jwt.?key|your.?key|123456|abcdef|qwerty/i;

/** What is wrong with a secret, or nothing. Outside of production only an absurdly short one is refused. */
function secretWeakness(secret: string | undefined, inProduction: boolean): string | undefined {
  if (secret === undefined) return inProduction ? 'is not set, and in production it must be' : undefined;
  if (!inProduction) return secret.length < 8 ? `has ${secret.length} characters` : undefined;
  if (secret.length < 32) return `has ${secret.length} characters, too few for production`;
  if (new Set(secret).size < 12) return 'repeats few characters and can be guessed';
  // A long random text may hold such a word by chance only; a default one consists of words.
  if (defaultSecrets.test(secret)) return 'looks like a default or example value';
  return undefined;
}

function parseTrustProxy(text: string | undefined): false | string[] | undefined {
  if (text === undefined || text === 'off') return false;
  const addresses = text.split(',').map((address) => address.trim());
  return addresses.every(isAddressOrNetwork) ? addresses : undefined;
}

function isAddressOrNetwork(text: string): boolean {
  if (['loopback', 'linklocal', 'uniquelocal'].includes(text)) return true;
  const [address = '', prefix = '1', ...rest] = text.split('/');
  const bits = { 0: 0, 4: 32, 6: 128 }[isIP(address)] ?? 0;
  return rest.length === 0 && /^\d{1,3}$/.test(prefix) && Number(prefix) >= 1 && Number(prefix) <= bits;
}

/** A server that ends slow statements itself gets a second to do so; else a time that no statement of the app needs. */
function defaultQueryTimeoutMs({ DATABASE_STATEMENT_TIMEOUT_MS: statementTimeoutMs }: OptionValues): number {
  return statementTimeoutMs > 0 ? statementTimeoutMs + 1000 : 10_000;
}

function defaultBlacklistStore(values: OptionValues): Config['BLACKLIST_STORE'] {
  if (values.REDIS_URL !== undefined) return 'redis';
  return values.INSTANCES === 1 ? 'memory' : 'database';
}

/** A hash occupies a core and a thread of the pool while it is made; more at once would only wait there. */
function defaultHashConcurrency(instances: number, threadPoolSize: string | undefined): number {
  const threads = Number(threadPoolSize) > 0 ? Number(threadPoolSize) : 4;
  const cores = Math.ceil(availableParallelism() / instances);
  return Math.max(1, Math.min(cores, threads));
}

/** Variables that are almost surely a misspelt option: one or two letters away from one that is not set itself. */
function misspelt(environment: Environment): string[] {
  const names = Object.keys(options) as OptionName[];
  const problems: string[] = [];
  for (const given of Object.keys(environment)) {
    if (given.length < 8 || given in options) continue;
    const meant = names.find((name) => environment[name] === undefined && editDistance(given, name) <= 2);
    if (meant !== undefined) problems.push(`${given} is not an option. Did you mean ${meant}?`);
  }
  return problems;
}

/** Levenshtein's distance: letters to insert, delete or replace. */
function editDistance(from: string, to: string): number {
  if (Math.abs(from.length - to.length) > 2) return 3;
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const replaced = (previous[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[to.length] ?? 0;
}
