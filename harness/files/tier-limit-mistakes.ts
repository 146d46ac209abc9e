import {
  type Connected,
  type ConnectionSum,
  connectionSumText,
  databaseConnections,
  poolerClients,
} from '../core/connections.ts';
import type { Mistake } from './mistake.ts';
import { type Outline, settingOf } from './tier-outline.ts';

/** What each service allows but the services together do not: connections, ports, and settings that need each other. */
export function limitMistakes(services: readonly Outline[]): Mistake[] {
  const connected = services.map(asConnected).filter((each) => each !== undefined);
  return [
    ...connected.flatMap((service) => tooManyConnections(service, connected)),
    ...services.flatMap((service) => replicaBelowPrimary(service, services)),
    ...services.flatMap((service) => stoppedByPooler(service, services)),
    ...services.flatMap(preparedStatementsWithoutUse),
    ...portMistakes(services),
  ];
}

/** Undefined where its kind is unknown. */
function asConnected({ name, kind, instances, settings, connections }: Outline): Connected | undefined {
  if (kind === undefined) return undefined;
  return {
    name,
    kind,
    instances,
    settings: Object.fromEntries(settings),
    connectsTo: Object.fromEntries(connections),
  };
}

function tooManyConnections(service: Connected, services: readonly Connected[]): Mistake[] {
  const { name, kind } = service;
  if (kind === 'primary' || kind === 'replica') {
    const nextStep = 'Raise max_connections, or make the pools that lead to it smaller.';
    return exceeded(name, 'max_connections', databaseConnections(services, service), nextStep);
  }
  if (kind === 'pooler') {
    const nextStep = 'Raise max_client_conn, or lower DATABASE_POOL_MAX of the API.';
    return exceeded(name, 'max_client_conn', poolerClients(services, service), nextStep);
  }
  return [];
}

function exceeded(name: string, setting: string, sum: ConnectionSum | undefined, nextStep: string): Mistake[] {
  if (sum === undefined || sum.total <= sum.limit) return [];
  const what = `${name} can get more connections than its ${setting}: ${connectionSumText(sum)} > ${sum.limit}`;
  return [{ at: ['services', name, 'settings', setting], what, nextStep }];
}

/** PostgreSQL: a hot standby does not start with less than its primary has. */
const notBelowPrimary = {
  max_connections: 100,
  max_worker_processes: 8,
  max_wal_senders: 10,
  max_prepared_transactions: 0,
  max_locks_per_transaction: 64,
} as const;

function replicaBelowPrimary(replica: Outline, services: readonly Outline[]): Mistake[] {
  if (replica.kind !== 'replica') return [];
  const target = replica.connections.find(([role]) => role === 'primary')?.[1];
  const primary = services.find(({ name, kind }) => name === target && kind === 'primary');
  if (primary === undefined) return [];
  return Object.entries(notBelowPrimary).flatMap(([setting, otherwise]): Mistake[] => {
    const ours = Number(settingOf(replica, setting) ?? otherwise);
    const theirs = Number(settingOf(primary, setting) ?? otherwise);
    if (!(ours < theirs)) return [];
    const what = `${setting} of ${replica.name} is ${ours}, less than the ${theirs} of its primary: it would not start`;
    return [{ at: ['services', replica.name, 'settings', setting], what, nextStep: `Write ${theirs} or more.` }];
  });
}

function stoppedByPooler(api: Outline, services: readonly Outline[]): Mistake[] {
  const setting = 'DATABASE_STATEMENT_TIMEOUT_MS';
  const limit = settingOf(api, setting);
  const pooler = services.find(
    ({ name, kind }) => kind === 'pooler' && api.connections.some(([, target]) => target === name),
  );
  if (api.kind !== 'api' || pooler === undefined || limit === undefined || Number(limit) === 0) return [];
  return [
    {
      at: ['services', api.name, 'settings', setting],
      part: 'key',
      what: `${setting} of ${api.name} has no effect: the pooler ${pooler.name} does not pass it on`,
      nextStep: `Remove it, and set query_timeout (in seconds) of ${pooler.name} instead.`,
    },
  ];
}

function preparedStatementsWithoutUse(pooler: Outline): Mistake[] {
  const setting = 'max_prepared_statements';
  const kept = settingOf(pooler, setting);
  // PgBouncer's own default is session.
  const mode = settingOf(pooler, 'pool_mode') ?? 'session';
  if (pooler.kind !== 'pooler' || kept === undefined || Number(kept) === 0 || mode !== 'session') return [];
  return [
    {
      at: ['services', pooler.name, 'settings', setting],
      part: 'key',
      what: `${setting} of ${pooler.name} has no effect with pool_mode session`,
      nextStep: 'Write pool_mode: transaction, or remove it.',
    },
  ];
}

/** Settings that fix the port a service listens on. */
const portSettings = { api: 'PORT', primary: 'port', replica: 'port' } as const;

function portMistakes(services: readonly Outline[]): Mistake[] {
  const fixed = services.flatMap((service) => {
    const setting = portSettings[service.kind as keyof typeof portSettings] ?? '';
    const value = settingOf(service, setting);
    // 0 takes a free one.
    return value === undefined || Number(value) === 0
      ? []
      : [{ service, port: String(value), at: ['services', service.name, 'settings', setting] }];
  });
  return fixed.flatMap(({ service: { name, instances }, port, at }, index): Mistake[] => {
    const first = fixed.slice(0, index).find((other) => other.port === port);
    return [
      ...(isPort(port) ? [] : [{ at, what: `${name} is to listen on port '${port}'`, nextStep: 'Write 1 to 65535.' }]),
      ...(first === undefined
        ? []
        : [
            {
              at,
              what: `${name} is to listen on port ${port}, as ${first.service.name} is`,
              nextStep: 'Write another one, or none, so that a free one is chosen.',
            },
          ]),
      ...(instances <= 1
        ? []
        : [
            {
              at,
              what: `the ${instances} instances of ${name} are all to listen on port ${port}`,
              nextStep: 'Remove it, so that each gets a free one.',
            },
          ]),
    ];
  });
}

function isPort(text: string): boolean {
  return /^\d{1,5}$/u.test(text) && Number(text) >= 1 && Number(text) <= 65_535;
}
