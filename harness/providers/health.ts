import http from 'node:http';
import https from 'node:https';
import { Redis } from 'ioredis';
import pg from 'pg';
import type { Address, Credentials } from '../services/address.ts';
import { serviceUrl } from '../services/address.ts';
import type { Health } from '../services/service-type.ts';

/** How long one question may take, in milliseconds. */
const ANSWER_MS = 1000;

/** Who is let in by the services of a deployment. */
export interface DeploymentSecrets {
  readonly credentials: Credentials;
  /** A random one, the same for each name. */
  secret(name: string): string;
}

/**
 * Asks an instance once whether it is healthy. Resolves with the version of the server where its protocol says one.
 * @throws Error when it is not.
 */
export async function checkHealth(
  { protocol, path, database }: Health,
  address: Address,
  secrets: DeploymentSecrets,
  signal: AbortSignal,
): Promise<string | undefined> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(protocol === 'http' ? 5 * ANSWER_MS : ANSWER_MS)]);
  switch (protocol) {
    case 'http': {
      const { status, body } = await get(new URL(path ?? '/', `http://${address.host}:${address.port}`), limit);
      if (path !== undefined && status !== 200) throw new Error(`${status} from ${path} ${body}`.trim());
      return undefined;
    }
    case 'postgres': {
      const credentials = { ...secrets.credentials, ...(database !== undefined && { database }) };
      const url = serviceUrl(protocol, address, { ...secrets, credentials });
      // What a pooler serves beside the databases is its console, which knows `show` of its own words only.
      const answer = await askPostgres(url, database === undefined ? 'show server_version' : 'show version');
      return numberIn(Object.values(answer).join(' '));
    }
    case 'redis':
      return await askRedis(serviceUrl(protocol, address, secrets));
  }
}

/** `PgBouncer 1.24.1` -> `1.24.1` */
export function numberIn(text: string): string | undefined {
  return /\d+(?:\.\d+)+/.exec(text)?.[0];
}

/** Asks a PostgreSQL, or what speaks like one, one thing. */
async function askPostgres(url: string, question: string): Promise<Readonly<Record<string, unknown>>> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: ANSWER_MS,
    query_timeout: ANSWER_MS,
  });
  client.on('error', () => {});
  try {
    await client.connect();
    return (await client.query(question)).rows[0] ?? {};
  } finally {
    // A paused server would not answer the closing message.
    void client.end().catch(() => {});
  }
}

async function askRedis(url: string): Promise<string | undefined> {
  const client = new Redis(url, {
    lazyConnect: true,
    retryStrategy: () => null,
    connectTimeout: ANSWER_MS,
    commandTimeout: ANSWER_MS,
  });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.ping();
    return numberIn(/^redis_version:(\S+)/m.exec(await client.info('server'))?.[1] ?? '');
  } finally {
    client.disconnect();
  }
}

export interface Answer {
  readonly status: number;
  /** At most the first 2,000 characters. */
  readonly body: string;
}

/**
 * One GET, redirects not followed, certificates as Node checks them.
 * Not `fetch`, which refuses ports that browsers keep from pages.
 */
export function get(url: URL, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { get: request } = url.protocol === 'https:' ? https : http;
    request(url, { signal, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        body = (body + text).slice(0, 2000);
      });
      response.once('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.once('error', reject);
    }).once('error', reject);
  });
}
