import type { ServiceKind } from '../harness/core/tier.ts';
import type { Deployment, InstanceAccess } from '../harness/providers/provider.ts';

/**
 * What a person needs to try a tier that is up: addresses, a command for each service that shows what it does, requests.
 * Holds credentials, which are made for each deployment and end with it.
 */
export function describeDeployment({ tier, baseUrl, services, access, notes }: Deployment, password: string): string {
  const instances = services.flatMap(({ instances: each, version = '' }) =>
    each.map(({ name, host, port }) => [name, `${host}:${port}`, version] as const),
  );
  // One of each service: its instances do the same.
  const first = new Map(access.toReversed().map((each) => [each.instance.split('/')[0], each]));
  const commands = tier.services.flatMap(({ name }) => {
    const each = first.get(name);
    return each === undefined ? [] : [[each.instance, lookInside[each.kind](each)] as const];
  });
  const credentials = JSON.stringify({ email: 'user-1@bench.example', password });
  return `
${tier.name} is up (${tier.title}):
${aligned([...instances, ['base URL', baseUrl], ['API page', `${baseUrl}/docs`]])}
${notes.map((note) => `  note: ${note}\n`).join('')}
Sign in, then list tasks:
  TOKEN=$(curl -s ${baseUrl}/api/auth/login -H 'content-type: application/json' \\
    -d '${credentials}' | sed 's/.*"accessToken":"\\([^"]*\\)".*/\\1/')
  curl -s "${baseUrl}/api/tasks?limit=3" -H "authorization: Bearer $TOKEN"
${commands.length === 0 ? '' : `\nLook inside:\n${aligned(commands)}\n`}
Measure it from another terminal:
  tierbench run --url ${baseUrl} --scenario ./mine.ts

Ctrl-C takes it down.`;
}

const psql = ({ url }: InstanceAccess, statement: string) => `psql '${url}' -c '${statement}'`;

const lookInside: Readonly<Record<ServiceKind, (access: InstanceAccess) => string>> = {
  api: ({ url }) => `curl -s ${url}/metrics`,
  'load-balancer': ({ url }) => `curl -s ${url}`,
  pooler: (access) => psql(access, 'SHOW POOLS'),
  primary: (access) => psql(access, 'SELECT pid, state, wait_event, query FROM pg_stat_activity'),
  replica: (access) => psql(access, 'SELECT status, latest_end_lsn, latest_end_time FROM pg_stat_wal_receiver'),
  cache: ({ url }) => `redis-cli --no-auth-warning -u '${url}' INFO`,
};

/** Lines of columns, each as wide as its widest text; the last is as long as it likes. */
function aligned(rows: readonly (readonly string[])[]): string {
  const widths = [0, 1].map((column) =>
    Math.max(0, ...rows.map((row) => (row[column + 1] ? (row[column]?.length ?? 0) : 0))),
  );
  return rows
    .map((row) => `  ${row.map((text, column) => text.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd())
    .join('\n');
}
