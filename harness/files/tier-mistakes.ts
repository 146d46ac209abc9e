import { type ServiceKind, serviceKinds } from '../core/tier.ts';
import { suggestion } from '../core/words.ts';
import { group, type Mistake } from './mistake.ts';

interface Role {
  readonly leadsTo: readonly ServiceKind[];
  readonly needed: boolean;
}

/** Which connections each kind of service has, and to what. Each leads further down, so no tier goes round in a circle. */
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

/** A service as far as it could be read: other checks speak about the rest. */
interface Outline {
  readonly name: string;
  readonly kind: ServiceKind | undefined;
  readonly instances: number;
  readonly connections: readonly (readonly [role: string, target: string])[];
  readonly settings: readonly (readonly [name: string, value: unknown])[];
}

/** Works on a file that may be wrong in other ways too, so that all problems are told at once. */
export function tierMistakes(value: unknown): readonly Mistake[] {
  const file = group(value);
  const services = Object.entries(group(file.services)).map(outline);
  if (services.length === 0) {
    return 'services' in file ? [{ at: ['services'], what: 'services is empty', nextStep: 'Add a service.' }] : [];
  }
  return [
    ...entryMistakes(file.entry, services),
    ...services.flatMap((service) => connectionMistakes(service, services)),
    ...services.flatMap(countMistakes),
    ...services.flatMap(secretSettings),
  ];
}

function outline([name, written]: [string, unknown]): Outline {
  const service = group(written);
  return {
    name,
    kind: serviceKinds.find((kind) => kind === service.kind),
    instances: Number.isInteger(service.instances) ? Number(service.instances) : 1,
    connections: Object.entries(group(service.connectsTo)).filter(
      (connection): connection is [string, string] => typeof connection[1] === 'string',
    ),
    settings: Object.entries(group(service.settings)),
  };
}

function entryMistakes(entry: unknown, services: readonly Outline[]): Mistake[] {
  if (typeof entry !== 'string') return [];
  const at = ['entry'];
  const service = services.find(({ name }) => name === entry);
  if (service === undefined) {
    const names = services.map(({ name }) => name);
    return [{ at, what: `entry is '${entry}', but there is no such service`, nextStep: suggestion(entry, names) }];
  }
  if (service.kind === undefined || service.kind === 'load-balancer') return [];
  if (service.kind !== 'api') {
    const what = `entry is '${entry}', a ${service.kind}, which does not speak HTTP`;
    return [{ at, what, nextStep: 'Name a service of kind api or load-balancer.' }];
  }
  // The load goes to one address: the other instances would idle and the tier would be measured too slow.
  return service.instances <= 1
    ? []
    : [
        {
          at: ['services', entry, 'instances'],
          what: `the entry '${entry}' has ${service.instances} instances, but the load goes to one address`,
          nextStep: 'Add a service of kind load-balancer whose backend it is, and make that the entry.',
        },
      ];
}

function connectionMistakes(service: Outline, services: readonly Outline[]): Mistake[] {
  const { name, kind } = service;
  if (kind === undefined) return [];
  const known = roles[kind];
  const missing = Object.entries(known)
    .filter(([role, { needed }]) => needed && !service.connections.some(([written]) => written === role))
    .map(
      ([role, { leadsTo }]): Mistake => ({
        at: ['services', name],
        part: 'key',
        what: `${name} (${kind}) has no ${role}`,
        nextStep: `Add connectsTo: { ${role}: SERVICE }, where SERVICE is of kind ${leadsTo.join(' or ')}.`,
      }),
    );
  const wrong = service.connections.flatMap(([role, target]): Mistake[] => {
    const at = ['services', name, 'connectsTo', role];
    const expected = Object.hasOwn(known, role) ? known[role] : undefined;
    if (expected === undefined) {
      const names = Object.keys(known);
      const nextStep = names.length === 0 ? 'Remove it.' : suggestion(role, names);
      return [{ at, part: 'key', what: `${name} (${kind}) has no connection called '${role}'`, nextStep }];
    }
    const other = services.find((candidate) => candidate.name === target);
    if (other === undefined) {
      const nextStep = suggestion(
        target,
        services.map((candidate) => candidate.name),
      );
      return [{ at, what: `the ${role} of ${name} is '${target}', but there is no such service`, nextStep }];
    }
    if (other.kind === undefined) return [];
    const needed = `Name a service of kind ${expected.leadsTo.join(' or ')}.`;
    if (!expected.leadsTo.includes(other.kind)) {
      return [{ at, what: `the ${role} of ${name} is '${target}', a ${other.kind}`, nextStep: needed }];
    }
    return role === 'writer' && leadsToReplica(other, services)
      ? [
          {
            at,
            what: `the writer of ${name} is '${target}', which leads to a replica: it only reads`,
            nextStep: 'Let the pooler of the writer lead to the primary.',
          },
        ]
      : [];
  });
  return [...missing, ...wrong];
}

function leadsToReplica(pooler: Outline, services: readonly Outline[]): boolean {
  const database = pooler.connections.find(([role]) => role === 'database')?.[1];
  return services.some(({ name, kind }) => name === database && kind === 'replica');
}

function countMistakes({ name, kind, instances }: Outline): Mistake[] {
  return kind === 'primary' && instances > 1
    ? [
        {
          at: ['services', name, 'instances'],
          what: `${name} is a primary with ${instances} instances, but only one database can take the writes`,
          nextStep: 'Write 1 and add a service of kind replica.',
        },
      ]
    : [];
}

/** Passwords and keys are made anew for each run; in a tier file they would end in version control and in results. */
function secretSettings({ name, settings }: Outline): Mistake[] {
  return settings
    .filter(
      ([setting, value]) =>
        /(?:secret|password|passwd|passphrase|(?<!by)pass|api_?key|private_?key|credentials?|_token)$/iu.test(
          setting,
        ) ||
        // A URL with credentials, whatever its setting is called.
        (typeof value === 'string' && /^[a-z][a-z0-9+.-]*:\/\/[^/?#\s]*@/iu.test(value)),
    )
    .map(([setting]) => ({
      at: ['services', name, 'settings', setting],
      part: 'key',
      what: `the setting ${setting} of ${name} holds a secret`,
      nextStep: 'Remove it: secrets and addresses are made for each run.',
    }));
}
