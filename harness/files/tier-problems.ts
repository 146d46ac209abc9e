import { suggestion } from '../core/closest-match.ts';
import type { SettingValue } from '../core/tier.ts';
import { connectionSum, connectionSumText } from '../services/connections.ts';
import { shippedTypes } from '../services/registry.ts';
import type { Described, Role, ServiceType } from '../services/service-type.ts';
import { group, type ProblemAt } from './written-value.ts';

/** Far more than any tier has; what is checked below grows faster than their number. */
const MOST_SERVICES = 100;

/** A service as far as it could be read, and its type where its kind is one. */
interface Read extends Described {
  readonly type: ServiceType | undefined;
}

/**
 * What the services of a tier file are together: who connects to whom, how often, with which settings and how many
 * connections. Works on a file that may be wrong in other ways too, so that all problems are listed at once.
 */
export function tierProblems(value: unknown): readonly ProblemAt[] {
  const file = group(value);
  const services = Object.entries(group(file.services)).map(read);
  if (services.length === 0) {
    return 'services' in file ? [{ at: ['services'], what: 'services is empty', nextStep: 'Add a service.' }] : [];
  }
  if (services.length > MOST_SERVICES) {
    const what = `services has ${services.length} services, more than ${MOST_SERVICES}`;
    return [{ at: ['services'], what, nextStep: 'Use instances for copies of a service.' }];
  }
  const circles = circlesOf(services);
  const known = services.filter((service) => service.type !== undefined);
  return [
    ...entryProblems(file.entry, services),
    ...services.flatMap(missingConnections),
    ...services.flatMap((service) => connectionProblems(service, services, circles)),
    ...circles.map(circleProblem),
    ...services.flatMap(countProblems),
    ...services.flatMap(settingProblems),
    ...known.flatMap((service) => tooManyConnections(service, known)),
    ...known.flatMap((service) =>
      (service.type?.problems?.(service, known, (kind) => shippedTypes.get(kind)) ?? []).map((problem) => ({
        ...problem,
        at: ['services', service.name, ...problem.at],
      })),
    ),
    ...portProblems(services),
  ];
}

function read([name, written]: [string, unknown]): Read {
  const service = group(written);
  const kind = typeof service.kind === 'string' ? service.kind : '';
  return {
    name,
    kind,
    type: shippedTypes.get(kind),
    instances: Number.isInteger(service.instances) ? Number(service.instances) : 1,
    connectsTo: Object.fromEntries(
      Object.entries(group(service.connectsTo)).filter(
        (connection): connection is [string, string] => typeof connection[1] === 'string',
      ),
    ),
    settings: Object.fromEntries(
      Object.entries(group(service.settings)).filter(
        (setting): setting is [string, SettingValue] =>
          ['string', 'number', 'boolean'].includes(typeof setting[1]) && !Number.isNaN(setting[1]),
      ),
    ),
  };
}

function entryProblems(entry: unknown, services: readonly Read[]): ProblemAt[] {
  if (typeof entry !== 'string') return [];
  const at = ['entry'];
  const service = services.find(({ name }) => name === entry);
  if (service === undefined) {
    const names = services.map(({ name }) => name);
    return [{ at, what: `entry is '${entry}', but there is no such service`, nextStep: suggestion(entry, names) }];
  }
  if (service.type === undefined) return [];
  if (!speaksHttp(service)) {
    const others = services.filter(speaksHttp).map(({ name }) => name);
    const nextStep = others.length === 0 ? 'Add a service that does.' : `Name one that does: ${others.join(', ')}.`;
    return [{ at, what: `entry is '${entry}', a ${service.kind}, which does not speak HTTP`, nextStep }];
  }
  // The load goes to one address: the other instances would idle and the tier would be measured too slow.
  return service.instances <= 1 || service.type.single !== undefined
    ? []
    : [
        {
          at: ['services', entry, 'instances'],
          what: `the entry '${entry}' has ${service.instances} instances, but the load goes to one address`,
          nextStep: 'Add a load balancer whose backend it is, and make that the entry.',
        },
      ];
}

function speaksHttp(service: Read): boolean {
  return service.type?.offers(service) === 'http';
}

function missingConnections(service: Read): ProblemAt[] {
  const { name, kind, type, connectsTo } = service;
  return Object.entries(type?.roles(service) ?? {})
    .filter(([role, { required }]) => required && !Object.hasOwn(connectsTo, role))
    .map(([role, wanted]) => ({
      at: ['services', name],
      part: 'key',
      what: `${name} (${kind}) has no ${role}`,
      nextStep: `Add connectsTo: { ${role}: SERVICE }, where SERVICE ${described(wanted)}.`,
    }));
}

function described({ kinds, protocol }: Role): string {
  return kinds === undefined ? `is one that speaks ${protocol}` : `is of kind ${kinds.join(' or ')}`;
}

function connectionProblems(service: Read, services: readonly Read[], circles: readonly Circle[]): ProblemAt[] {
  return Object.entries(service.connectsTo).flatMap(([role, target]) => {
    const problem = connectionProblem(service, role, target, services, isOnCircle(circles, service.name, target));
    return problem === undefined ? [] : [{ at: ['services', service.name, 'connectsTo', role], ...problem }];
  });
}

function connectionProblem(
  service: Read,
  role: string,
  target: string,
  services: readonly Read[],
  circular: boolean,
): (Partial<ProblemAt> & Pick<ProblemAt, 'what' | 'nextStep'>) | undefined {
  const { name, kind, type } = service;
  if (type === undefined) return undefined;
  const roles = type.roles(service);
  const wanted = Object.hasOwn(roles, role) ? roles[role] : undefined;
  if (wanted === undefined) {
    const names = Object.keys(roles);
    const nextStep = type.rolesForm
      ? `Name ${type.rolesForm}.`
      : names.length > 0
        ? suggestion(role, names)
        : 'Remove it.';
    return { part: 'key', what: `${name} (${kind}) has no connection called '${role}'`, nextStep };
  }
  const other = services.find((candidate) => candidate.name === target);
  const what = `the ${role} of ${name} is '${target}'`;
  if (other === undefined) {
    const names = services.map((candidate) => candidate.name);
    return { what: `${what}, but there is no such service`, nextStep: suggestion(target, names) };
  }
  // Of a circle it is said once that it is one.
  if (other.type === undefined || circular) return undefined;
  const offered = other.type.offers(other);
  if (offered === undefined || (wanted.protocol !== 'any' && offered !== wanted.protocol)) {
    return {
      what: `${what}, a ${other.kind}`,
      nextStep: `Name a service that ${described(wanted).replace('is one that ', '')}.`,
    };
  }
  if (wanted.kinds !== undefined && !wanted.kinds.includes(other.kind)) {
    return { what: `${what}, a ${other.kind}`, nextStep: `Name a service that ${described(wanted)}.` };
  }
  const end = endOf(other, services);
  const why = wanted.not?.[end.kind];
  if (why !== undefined) {
    const leads = end === other ? `a ${end.kind}` : `which leads to a ${end.kind}`;
    return { what: `${what}, ${leads}: ${why}`, nextStep: 'Let it lead to a service of another kind.' };
  }
  if (other.instances > 1 && wanted.all !== true && other.type.single === undefined) {
    return {
      what: `${what}, which has ${other.instances} instances, but ${name} knows one address of it`,
      nextStep: 'Put a load balancer between them, or write 1.',
    };
  }
  return undefined;
}

/** Where connections to a service end: it passes them on to nobody, or to nobody that is there. */
function endOf(service: Read, services: readonly Read[], passed: readonly Read[] = []): Read {
  const role = service.type?.forwards;
  const next = role && services.find(({ name }) => name === service.connectsTo[role]);
  return !next || passed.includes(next) ? service : endOf(next, services, [...passed, service]);
}

function circleProblem({ names, closedBy }: Circle): ProblemAt {
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

function countProblems({ name, kind, type, instances }: Read): ProblemAt[] {
  if (type?.single === undefined || instances <= 1) return [];
  const { why, nextStep } = type.single;
  return [
    {
      at: ['services', name, 'instances'],
      what: `${name} is a ${kind} with ${instances} instances, but ${why}`,
      nextStep,
    },
  ];
}

function settingProblems({ name, type, settings }: Read): ProblemAt[] {
  return Object.entries(settings).flatMap(([setting, value]): ProblemAt[] => {
    const at = ['services', name, 'settings', setting];
    if (isSecret(setting, value)) {
      const what = `the setting ${setting} of ${name} holds a secret`;
      return [{ at, part: 'key', what, nextStep: 'Remove it: secrets and addresses are made for each run.' }];
    }
    if (type?.settings.reserved.includes(setting)) {
      const what = `the setting ${setting} of ${name} is set by tierbench itself`;
      return [{ at, part: 'key', what, nextStep: 'Remove it: it differs from run to run.' }];
    }
    const problem = type?.settings.problem(setting, value);
    return problem ? [{ at, ...problem, what: `the setting ${setting} of ${name} ${problem.what}` }] : [];
  });
}

/** Passwords and keys are made anew for each run; in a tier file they would end in version control and in results. */
function isSecret(setting: string, value: SettingValue): boolean {
  const text = String(value);
  // Put there when the service is started.
  if (/\{(?:password|secret)\}/u.test(text)) return false;
  return (
    /(?:secret|password|passwd|passphrase|(?<!by)pass|api_?key|private_?key|credentials?|_token)$/iu.test(setting) ||
    // A URL with credentials, whatever its setting is called.
    /^[a-z][a-z0-9+.-]*:\/\/[^/?#\s]*@/iu.test(text)
  );
}

function tooManyConnections(service: Described, services: readonly Described[]): ProblemAt[] {
  const sum = connectionSum(service, services, (kind) => shippedTypes.get(kind));
  if (sum === undefined || sum.total <= sum.limit) return [];
  const { setting, limit, nextStep } = sum;
  const what = `${service.name} can get more connections than its ${setting}: ${connectionSumText(sum)} > ${limit}`;
  return [{ at: ['services', service.name, 'settings', setting], what, nextStep }];
}

/** Two services, or two instances of one, that ask for the same port of this machine. */
function portProblems(services: readonly Read[]): ProblemAt[] {
  const fixed = services.flatMap((service) => {
    const setting = service.type?.portSetting ?? '';
    const value = service.settings[setting];
    // 0 takes a free one.
    return value === undefined || Number(value) === 0
      ? []
      : [{ service, port: String(value), at: ['services', service.name, 'settings', setting] }];
  });
  return fixed.flatMap(({ service: { name, instances }, port, at }, index): ProblemAt[] => {
    const first = fixed.slice(0, index).find((other) => other.port === port);
    const problems: ProblemAt[] = [];
    if (!isPort(port))
      problems.push({ at, what: `${name} is to listen on port '${port}'`, nextStep: 'Write 1 to 65535.' });
    if (first !== undefined) {
      const what = `${name} is to listen on port ${port}, as ${first.service.name} is`;
      problems.push({ at, what, nextStep: 'Write another one, or none, so that a free one is chosen.' });
    }
    if (instances > 1) {
      const what = `the ${instances} instances of ${name} are all to listen on port ${port}`;
      problems.push({ at, what, nextStep: 'Remove it, so that each gets a free one.' });
    }
    return problems;
  });
}

function isPort(text: string): boolean {
  return /^\d{1,5}$/u.test(text) && Number(text) >= 1 && Number(text) <= 65_535;
}

/** A way along connections back to where it started: the services on it, and the role that closes it. */
interface Circle {
  readonly names: readonly string[];
  readonly closedBy: string;
}

function circlesOf(services: readonly Pick<Described, 'name' | 'connectsTo'>[]): Circle[] {
  const circles: Circle[] = [];
  const done = new Set<string>();
  const visit = (service: Pick<Described, 'name' | 'connectsTo'>, path: readonly string[]) => {
    if (done.has(service.name)) return;
    const names = [...path, service.name];
    for (const [role, target] of Object.entries(service.connectsTo)) {
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

/** Whether the connection `from` -> `to` is a part of one of them. */
function isOnCircle(circles: readonly Circle[], from: string, to: string): boolean {
  return circles.some(({ names }) => names.some((name, at) => name === from && names[(at + 1) % names.length] === to));
}
