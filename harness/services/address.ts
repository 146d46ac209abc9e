/** What is spoken over a connection. Providers and exporters know protocols and never kinds of service. */
export type Protocol = 'http' | 'postgres' | 'redis';

/** Where one instance of a service can be reached by the others of its tier. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Who a database lets in. */
export interface Credentials {
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

function postgresUrl({ host, port }: Address, { user, password, database }: Credentials): string {
  return `postgres://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${host}:${port}/${encodeURIComponent(database)}`;
}

/** With what a client needs to be let in: a secret. `secret` as in `SpecContext`. */
export function serviceUrl(
  protocol: Protocol,
  { host, port }: Address,
  { credentials, secret }: { readonly credentials: Credentials; secret(name: string): string },
): string {
  switch (protocol) {
    case 'http':
      return `http://${host}:${port}`;
    case 'postgres':
      return postgresUrl({ host, port }, credentials);
    case 'redis':
      return `redis://:${secret(REDIS_PASSWORD)}@${host}:${port}`;
  }
}

/** The name of the secret that a Redis asks for. */
export const REDIS_PASSWORD = 'redis-password';
