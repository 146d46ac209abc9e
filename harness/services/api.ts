import type { Service } from '../core/tier.ts';

/** Addresses with credentials: secrets. */
export interface ApiConnections {
  readonly writerUrl: string;
  readonly readerUrl?: string;
  readonly cacheUrl?: string;
  readonly jwtSecret: string;
  /** False where a pooler on the way cannot keep named prepared statements. */
  readonly preparedStatements: boolean;
}

/** The options of the reference app for one instance: those of the tier, and what it connects to. */
export function apiEnvironment(service: Service, connections: ApiConnections): Readonly<Record<string, string>> {
  const settings = Object.entries(service.settings).map(([name, value]) => [name, String(value)]);
  return {
    NODE_ENV: 'production',
    ...Object.fromEntries(settings),
    DATABASE_URL: connections.writerUrl,
    ...(connections.readerUrl !== undefined && { DATABASE_READER_URL: connections.readerUrl }),
    ...(connections.cacheUrl !== undefined && { REDIS_URL: connections.cacheUrl }),
    ...(!connections.preparedStatements && { DATABASE_PREPARED_STATEMENTS: 'off' }),
    JWT_SECRET: connections.jwtSecret,
  };
}
