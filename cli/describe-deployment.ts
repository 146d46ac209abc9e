import type { App, AppUser } from '../harness/core/app.ts';
import type { Deployment } from '../harness/providers/provider.ts';
import { serviceType } from '../harness/services/registry.ts';
import { describeNote } from '../reports/describe/notes.ts';

/**
 * What a person needs to try a tier that is up: addresses, a command for each service that shows what it does, requests.
 * Holds credentials, which are made for each deployment and end with it.
 */
export function describeDeployment(
  { tier, baseUrl, services, access, notes }: Deployment,
  app: App,
  user: AppUser,
): string {
  const instances = services.flatMap(({ instances: each, version = '' }) =>
    each.map(({ name, host, port }) => [name, `${host}:${port}`, version] as const),
  );
  // One of each service: its instances do the same.
  const first = new Map(access.toReversed().map((each) => [each.instance.split('/')[0], each]));
  const commands = tier.services.flatMap(({ name }) => {
    const each = first.get(name);
    const command = each && serviceType(each.kind, app).inspect?.(each.url);
    return command === undefined ? [] : [[each?.instance ?? name, command] as const];
  });
  return `
${tier.name} is up (${tier.title}):
${aligned([...instances, ['base URL', baseUrl], ['API page', `${baseUrl}${app.pagePath}`]])}
${notes.map((note) => `  note: ${describeNote(note)}\n`).join('')}
${app
  .example(baseUrl, user)
  .map((line) => `  ${line}\n`)
  .join('')}${commands.length === 0 ? '' : `\nLook inside:\n${aligned(commands)}\n`}
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
