import type { Deployment } from '../harness/providers/provider.ts';
import { referenceUser } from '../harness/services/reference-app.ts';
import { findServiceType } from '../harness/services/registry.ts';
import { describeNote } from '../reports/describe/notes.ts';

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
    const command = each && findServiceType(each.kind)?.inspect?.(each.url);
    return command === undefined ? [] : [[each?.instance ?? name, command] as const];
  });
  const { email } = referenceUser(0, password);
  const credentials = JSON.stringify({ email, password });
  return `
${tier.name} is up (${tier.title}):
${aligned([...instances, ['base URL', baseUrl], ['API page', `${baseUrl}/docs`]])}
${notes.map((note) => `  note: ${describeNote(note)}\n`).join('')}
Sign in, then list tasks:
  TOKEN=$(curl -s ${baseUrl}/api/auth/login -H 'content-type: application/json' \\
    -d '${credentials}' | sed 's/.*"accessToken":"\\([^"]*\\)".*/\\1/')
  curl -s "${baseUrl}/api/tasks?limit=3" -H "authorization: Bearer $TOKEN"
${commands.length === 0 ? '' : `\nLook inside:\n${aligned(commands)}\n`}
Measure it from another terminal:
  tierbench run --url ${baseUrl} --scenario ./mine.ts

Ctrl-C takes it down.`;
}

/** Lines of columns, each as wide as its widest text; the last is as long as it likes. */
function aligned(rows: readonly (readonly string[])[]): string {
  const widths = [0, 1].map((column) =>
    Math.max(0, ...rows.map((row) => (row[column + 1] ? (row[column]?.length ?? 0) : 0))),
  );
  return rows
    .map((row) => `  ${row.map((text, column) => text.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd())
    .join('\n');
}
