import type { Service, SettingValue } from './tier.ts';

/** What a sum of connections needs to know of a service. */
export type Connected = Pick<Service, 'name' | 'kind' | 'instances' | 'settings' | 'connectsTo'>;

/** Connections that may be open at once: the parts, and what the server takes at most. */
export interface ConnectionSum {
  readonly parts: readonly ConnectionPart[];
  readonly total: number;
  readonly limit: number;
}

interface ConnectionPart {
  readonly connections: number;
  /** The calculation and whose connections they are: `2 x (10 + 1) api`. */
  readonly text: string;
}

/** What each server does when its setting is left out. */
const otherwise = {
  primary: { max_connections: 100, superuser_reserved_connections: 3, reserved_connections: 0 },
  pooler: { default_pool_size: 20, reserve_pool_size: 0, max_db_connections: 0, max_client_conn: 100 },
  api: { DATABASE_POOL_MAX: 10, INSTANCES: 1 },
} as const;

/** The probe that reads the statistics of a server while it is loaded. */
const PROBES = 1;
/** /ready asks each database over a connection of its own. */
const READY_CHECKS = 1;

/**
 * What may be connected to a primary or replica at once: every pool that leads to it when it is full, what the server
 * keeps for administrators, and the probe. WAL senders are not in it: since PostgreSQL 12 they do not count towards
 * `max_connections`. Undefined where a setting that matters is no whole number.
 */
export function databaseConnections(services: readonly Connected[], database: Connected): ConnectionSum | undefined {
  const poolers = services.filter(({ kind, connectsTo }) => kind === 'pooler' && leadsTo(connectsTo, database));
  const reserved = plus(
    whole(database.settings.superuser_reserved_connections, otherwise.primary.superuser_reserved_connections),
    whole(database.settings.reserved_connections, otherwise.primary.reserved_connections),
  );
  return sumOf(
    [
      ...poolers.map(pooledConnections),
      ...poolsOf(services, database),
      part(reserved, `${reserved} reserved`),
      part(PROBES, `${PROBES} probe`),
    ],
    whole(database.settings.max_connections, otherwise.primary.max_connections),
  );
}

/** What may be connected to a pooler at once: the pools of every API that leads to it. Undefined as above. */
export function poolerClients(services: readonly Connected[], pooler: Connected): ConnectionSum | undefined {
  return sumOf(
    [...poolsOf(services, pooler), part(PROBES, `${PROBES} probe`)],
    whole(pooler.settings.max_client_conn, otherwise.pooler.max_client_conn),
  );
}

/** `2 x (16 + 4) pooler + 3 reserved + 1 probe = 44` */
export function connectionSumText({ parts, total }: ConnectionSum): string {
  return `${parts.map(({ text }) => text).join(' + ')} = ${total}`;
}

/** All have one user and one database, so that each instance of the pooler holds one pool. */
function pooledConnections({ name, instances, settings }: Connected): ConnectionPart | undefined {
  const size = whole(settings.default_pool_size, otherwise.pooler.default_pool_size);
  const reserve = whole(settings.reserve_pool_size, otherwise.pooler.reserve_pool_size);
  const most = whole(settings.max_db_connections, otherwise.pooler.max_db_connections);
  const both = plus(size, reserve);
  if (both === undefined || most === undefined) return undefined;
  // 0 is no limit.
  const capped = most > 0 && most < both;
  return part(
    instances * (capped ? most : both),
    `${times(instances)}${capped ? most : `(${size} + ${reserve})`} ${name}`,
  );
}

/** The pools of the instances of each API that is connected to it: one pool for each role. */
function poolsOf(services: readonly Connected[], server: Connected): (ConnectionPart | undefined)[] {
  return services
    .filter(({ kind, connectsTo }) => kind === 'api' && leadsTo(connectsTo, server))
    .map(({ name, instances, settings, connectsTo }) => {
      const roles = Object.values(connectsTo).filter((target) => target === server.name).length;
      const processes = whole(settings.INSTANCES, otherwise.api.INSTANCES);
      const pool = whole(settings.DATABASE_POOL_MAX, otherwise.api.DATABASE_POOL_MAX);
      if (processes === undefined || pool === undefined) return undefined;
      const copies = instances * processes * roles;
      return part(copies * (pool + READY_CHECKS), `${times(copies)}(${pool} + ${READY_CHECKS}) ${name}`);
    });
}

function leadsTo(connectsTo: Readonly<Record<string, string>>, { name }: Connected): boolean {
  return Object.values(connectsTo).includes(name);
}

function sumOf(parts: readonly (ConnectionPart | undefined)[], limit: number | undefined): ConnectionSum | undefined {
  const known = parts.filter((each) => each !== undefined);
  if (known.length < parts.length || limit === undefined) return undefined;
  return { parts: known, total: known.reduce((total, { connections }) => total + connections, 0), limit };
}

function part(connections: number | undefined, text: string): ConnectionPart | undefined {
  return connections === undefined ? undefined : { connections, text };
}

function times(count: number): string {
  return count === 1 ? '' : `${count} x `;
}

function plus(left: number | undefined, right: number | undefined): number | undefined {
  return left === undefined || right === undefined ? undefined : left + right;
}

function whole(setting: SettingValue | undefined, otherwise: number): number | undefined {
  if (setting === undefined) return otherwise;
  const text = String(setting);
  return /^\d{1,9}$/u.test(text) ? Number(text) : undefined;
}
