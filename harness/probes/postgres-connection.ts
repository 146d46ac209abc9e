import pg from 'pg';

/** A connection of a probe: opened when it is first used, and again after it was lost. */
export interface PostgresConnection extends AsyncDisposable {
  /** Rejects within seconds. After a failure the next use opens another connection. */
  use<T>(act: (client: pg.Client) => Promise<T>): Promise<T>;
}

export interface PostgresConnectionOptions {
  readonly url: string;
  /** What was known from the lost connection does not hold for the next one. */
  onLost?(): void;
  /** Lets the server too give up what takes too long. Poolers do not know it. */
  readonly limitsStatements: boolean;
}

const TIMEOUT_MS = 3000;

export function postgresConnection(options: PostgresConnectionOptions): PostgresConnection {
  let connection: Promise<pg.Client> | undefined;
  let disposed = false;

  function opened(): Promise<pg.Client> {
    if (disposed) throw new Error('the probe was disposed of');
    if (connection === undefined) {
      const opening = open(options, () => forget(opening));
      connection = opening;
    }
    return connection;
  }

  /** News of a lost connection may come when the next one is open already. */
  function forget(lost: Promise<pg.Client>): void {
    if (connection !== lost) return;
    connection = undefined;
    options.onLost?.();
  }

  return {
    async use(act) {
      const used = opened();
      try {
        return await act(await used);
      } catch (error) {
        forget(used);
        await used.then(close).catch(() => undefined);
        throw error;
      }
    },
    async [Symbol.asyncDispose]() {
      disposed = true;
      const last = connection;
      connection = undefined;
      await last?.then(close).catch(() => undefined);
    },
  };
}

async function open({ url, limitsStatements }: PostgresConnectionOptions, onLost: () => void): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'tierbench probe',
    connectionTimeoutMillis: TIMEOUT_MS,
    query_timeout: TIMEOUT_MS,
    ...(limitsStatements && { statement_timeout: TIMEOUT_MS }),
  });
  client.on('error', onLost);
  try {
    await client.connect();
    return client;
  } catch (error) {
    onLost();
    await close(client);
    throw error;
  }
}

/** In order, or at once where the server does not answer. */
async function close(client: pg.Client): Promise<void> {
  const { stream } = (client as unknown as { connection: { stream: { destroy(): void } } }).connection;
  const destroyLater = setTimeout(() => stream.destroy(), 1000);
  await client.end().catch(() => undefined);
  clearTimeout(destroyLater);
}
