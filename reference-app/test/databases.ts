import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { migrate } from '../migrate.ts';

/** New, empty databases of one server, as addresses. */
export async function createDatabases(serverUrl: string, count: number): Promise<string[]> {
  const client = new pg.Client(serverUrl);
  await client.connect();
  try {
    const urls: string[] = [];
    for (let made = 0; made < count; made += 1) {
      const name = `test_${randomBytes(6).toString('hex')}`;
      await client.query(`create database ${name}`);
      const url = new URL(serverUrl);
      url.pathname = `/${name}`;
      urls.push(url.href);
    }
    return urls;
  } finally {
    await client.end();
  }
}

/** A fresh, migrated database. */
export async function newDatabase(serverUrl: string): Promise<string> {
  const [url = ''] = await createDatabases(serverUrl, 1);
  await migrate(url);
  return url;
}

export async function query(url: string, text: string, values: unknown[] = []): Promise<pg.QueryResult> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return await client.query(text, values);
  } finally {
    await client.end();
  }
}
