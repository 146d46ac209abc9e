import { suggestion } from '../core/closest-match.ts';
import type { ServiceKind } from '../core/tier.ts';
import type { Mistake } from './mistake.ts';
import type { Outline } from './tier-outline.ts';

interface Role {
  readonly leadsTo: readonly ServiceKind[];
  readonly needed: boolean;
}

/** Which connections each kind of service has, and to what. */
const roles: Readonly<Record<ServiceKind, Readonly<Record<string, Role>>>> = {
  'load-balancer': { backend: { leadsTo: ['api'], needed: true } },
  api: {
    writer: { leadsTo: ['primary', 'pooler'], needed: true },
    reader: { leadsTo: ['replica', 'pooler'], needed: false },
    cache: { leadsTo: ['cache'], needed: false },
  },
  pooler: { database: { leadsTo: ['primary', 'replica'], needed: true } },
  replica: { primary: { leadsTo: ['primary'], needed: true } },
  primary: {},
  cache: {},
};

/** Who connects to whom: what is missing, unknown, of the wrong kind, or goes round in a circle. */
export function connectionMistakes(services: readonly Outline[]): Mistake[] {
  const circles = circlesOf(services);
  return [
    ...services.flatMap(missingConnections),
    ...services.flatMap((service) =>
      service.connections.flatMap(([role, target]) =>
        wrongConnection(service, role, target, services, inACircle(circles, service.name, target)),
      ),
    ),
    ...circles.map(circleMistake),
  ];
}

function missingConnections({ name, kind, connections }: Outline): Mistake[] {
  if (kind === undefined) return [];
  return Object.entries(roles[kind])
    .filter(([role, { needed }]) => needed && !connections.some(([written]) => written === role))
    .map(([role, { leadsTo }]) => ({
      at: ['services', name],
      part: 'key',
      what: `${name} (${kind}) has no ${role}`,
      nextStep: `Add connectsTo: { ${role}: SERVICE }, where SERVICE is of kind ${leadsTo.join(' or ')}.`,
    }));
}

function wrongConnection(
  { name, kind }: Outline,
  role: string,
  target: string,
  services: readonly Outline[],
  circular: boolean,
): Mistake[] {
  if (kind === undefined) return [];
  const known = roles[kind];
  const at = ['services', name, 'connectsTo', role];
  const expected = Object.hasOwn(known, role) ? known[role] : undefined;
  if (expected === undefined) {
    const names = Object.keys(known);
    const nextStep = names.length === 0 ? 'Remove it.' : suggestion(role, names);
    return [{ at, part: 'key', what: `${name} (${kind}) has no connection called '${role}'`, nextStep }];
  }
  const other = services.find((candidate) => candidate.name === target);
  if (other === undefined) {
    const names = services.map((candidate) => candidate.name);
    const what = `the ${role} of ${name} is '${target}', but there is no such service`;
    return [{ at, what, nextStep: suggestion(target, names) }];
  }
  // Of a circle it is said once that it is one.
  if (other.kind === undefined || circular) return [];
  if (!expected.leadsTo.includes(other.kind)) {
    const nextStep = `Name a service of kind ${expected.leadsTo.join(' or ')}.`;
    return [{ at, what: `the ${role} of ${name} is '${target}', a ${other.kind}`, nextStep }];
  }
  const database = other.kind === 'pooler' ? databaseKind(other, services) : undefined;
  if (role === 'writer' && database === 'replica') {
    const what = `the writer of ${name} is '${target}', which leads to a replica: it only reads`;
    return [{ at, what, nextStep: 'Let the pooler of the writer lead to the primary.' }];
  }
  if (role === 'reader' && database === 'primary') {
    const what = `the reader of ${name} is '${target}', which leads to the primary and to no replica`;
    return [
      { at, what, nextStep: 'Let its pooler lead to a replica, or remove it: without a reader the writer reads.' },
    ];
  }
  return [];
}

function databaseKind(pooler: Outline, services: readonly Outline[]): ServiceKind | undefined {
  const database = pooler.connections.find(([role]) => role === 'database')?.[1];
  return services.find(({ name }) => name === database)?.kind;
}

/** A way along connections back to where it began: the services on it, and the role that closes it. */
interface Circle {
  readonly names: readonly string[];
  readonly closedBy: string;
}

function circlesOf(services: readonly Outline[]): Circle[] {
  const circles: Circle[] = [];
  const done = new Set<string>();
  const visit = (service: Outline, path: readonly string[]) => {
    if (done.has(service.name)) return;
    const names = [...path, service.name];
    for (const [role, target] of service.connections) {
      const start = names.indexOf(target);
      if (start >= 0) circles.push({ names: names.slice(start), closedBy: role });
      else {
        const other = services.find(({ name }) => name === target);
        if (other !== undefined) visit(other, names);
      }
    }
    done.add(service.name);
  };
  for (const service of services) visit(service, []);
  return circles;
}

function inACircle(circles: readonly Circle[], from: string, to: string): boolean {
  return circles.some(({ names }) => names.some((name, at) => name === from && names[(at + 1) % names.length] === to));
}

function circleMistake({ names, closedBy }: Circle): Mistake {
  const [first = ''] = names;
  return {
    at: ['services', names.at(-1) ?? first, 'connectsTo', closedBy],
    what:
      names.length === 1
        ? `${first} connects to itself`
        : `the services connect in a circle: ${[...names, first].join(' -> ')}`,
    nextStep: 'Let the last of them connect to something else: none of them could be started first.',
  };
}
