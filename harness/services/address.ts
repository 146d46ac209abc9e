/** Where one instance of a server can be reached by the others of its tier. */
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

export function postgresUrl({ host, port }: Address, { user, password, database }: Credentials): string {
  return `postgres://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${host}:${port}/${encodeURIComponent(database)}`;
}
