import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp, testConfig } from './app.ts';
import { newDatabase } from './postgres.ts';
import { until } from './processes.ts';

let databaseUrl: string;
let app: TestApp;

beforeAll(async () => {
  // A cost that takes milliseconds, so that a missing hash would stand out by a factor of ten.
  databaseUrl = await newDatabase();
  app = await startTestApp(testConfig(databaseUrl, { BCRYPT_COST: '8' }));
  await app.register('known@example.com');
});

afterAll(async () => {
  await app?.[Symbol.asyncDispose]();
});

/** Times in ms of requests by turns, each the one a tenth is below: what else the machine does only adds to a time. */
async function quickTimes(samples: number, known: () => Promise<unknown>, unknown: () => Promise<unknown>) {
  const times = { known: [] as number[], unknown: [] as number[] };
  const time = async (into: number[], send: () => Promise<unknown>) => {
    const startedMs = performance.now();
    await send();
    into.push(performance.now() - startedMs);
  };
  for (let sample = 0; sample < samples; sample += 1) {
    const knownFirst = sample % 2 === 0;
    await time(knownFirst ? times.known : times.unknown, knownFirst ? known : unknown);
    await time(knownFirst ? times.unknown : times.known, knownFirst ? unknown : known);
  }
  const quick = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 10)] ?? 0;
  return { known: quick(times.known), unknown: quick(times.unknown) };
}

test('the time of a failed login does not tell whether the address is known', async () => {
  const logIn = (email: string) => () => app.post('/api/auth/login', { email, password: 'not the password' });
  const { known, unknown } = await quickTimes(60, logIn('known@example.com'), logIn('nobody@example.com'));
  expect(unknown / known).toBeGreaterThan(0.8);
  expect(unknown / known).toBeLessThan(1.25);
});

test('the time of a forgotten password cannot tell whether the address is known: nothing is looked up before it is answered', async () => {
  const holder = new pg.Client({ connectionString: databaseUrl });
  await holder.connect();
  try {
    await holder.query('begin; lock table users in access exclusive mode');
    const statuses: number[] = [];
    for (const email of ['known@example.com', 'nobody@example.com']) {
      void app.post('/api/auth/forgot-password', { email }).then(({ statusCode }) => statuses.push(statusCode));
    }
    await until(() => statuses.length === 2);
    expect(statuses).toEqual([200, 200]);
  } finally {
    await holder.end();
  }
  await until(() => app.outbox.some(({ to, purpose }) => to === 'known@example.com' && purpose === 'reset-password'));
});
