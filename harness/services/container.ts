import type { Service, SettingValue } from '../core/tier.ts';
import type { Protocol } from './address.ts';
import type {
  Command,
  Described,
  Role,
  ServiceProblem,
  ServiceSpec,
  ServiceType,
  SpecContext,
} from './service-type.ts';
import { shown, wrongValue } from './setting-forms.ts';

/**
 * Somebody else's service. A setting in lower case says how it runs; one in upper case is an environment variable, as is
 * each connection: `connectsTo: { DATABASE_URL: database }` puts the address of `database` there. In `command` and in
 * variables `{port}`, `{host}`, `{user}`, `{password}`, `{database}` and `{secret}` stand for what a deployment makes.
 */
const forms = {
  image: { pattern: /^\S+$/u, form: 'the name of an image' },
  command: { pattern: /^\S.*$/u, form: 'a program and its arguments' },
  port: { pattern: /^[1-9]\d{0,4}$/u, form: 'a port from 1 to 65535' },
  protocol: { pattern: /^(?:http|postgres|redis|none)$/u, form: 'http, postgres, redis or none' },
  ready: { pattern: /^\/\S*$/u, form: 'a path such as /health' },
  data: { pattern: /^\/\S+$/u, form: 'a folder such as /var/lib/data' },
} as const;

type Form = keyof typeof forms;
const VARIABLE = /^[A-Z][A-Z0-9_]*$/u;
const defaultPorts: Readonly<Record<Protocol, number>> = { http: 8080, postgres: 5432, redis: 6379 };

/** An image that is there or can be pulled, run with its own entry point unless the tier gives a command. */
export const container = foreign('container', 'image');
/** A program of this machine; in containers and compose files it needs an image that has it. */
export const program = foreign('program', 'command');

function foreign(kind: string, needed: Form): ServiceType {
  return {
    kind,
    roles: ({ connectsTo }) =>
      Object.fromEntries(
        Object.keys(connectsTo)
          .filter((role) => VARIABLE.test(role))
          .map((role): [string, Role] => [role, { protocol: 'any', required: false }]),
      ),
    rolesForm: 'an environment variable, such as DATABASE_URL',
    offers: protocolOf,
    settings: { reserved: [], defaults: {}, problem },
    ports,
    problems: (service) => missing(service, needed),
    spec,
    probes: [],
    resources: ['cpu-cores', 'throttled', 'open-files'],
    shownSettings: [needed],
  };
}

function protocolOf({ settings }: Described): Protocol | undefined {
  const { protocol = 'http' } = settings;
  return protocol === 'postgres' || protocol === 'redis' || protocol === 'http' ? protocol : undefined;
}

function ports(service: Described): Readonly<Record<string, number>> {
  const asked = service.settings.port;
  const protocol = protocolOf(service);
  if (asked !== undefined) return { main: Number(asked) };
  return protocol === undefined ? {} : { main: defaultPorts[protocol] };
}

function problem(name: string, value: SettingValue) {
  if (VARIABLE.test(name)) return undefined;
  if (!Object.hasOwn(forms, name)) {
    const nextStep = `Known: ${Object.keys(forms).join(', ')}; environment variables are written in upper case.`;
    return { part: 'key' as const, what: 'is no setting of it', nextStep };
  }
  const { pattern, form } = forms[name as Form];
  return pattern.test(String(value)) && (name !== 'port' || Number(value) <= 65_535)
    ? undefined
    : wrongValue(`is ${shown(value)}, but must be ${form}`, 'Write it as its documentation does.');
}

function missing({ name, settings }: Described, needed: Form): ServiceProblem[] {
  if (settings[needed] !== undefined) return [];
  const nextStep = `Add it to its settings: ${forms[needed].form}.`;
  return [{ at: ['settings'], what: `${name} has no ${needed}`, nextStep }];
}

function spec(service: Service, at: SpecContext): ServiceSpec {
  const { settings, connectsTo } = service;
  const { main } = ports(service);
  const protocol = protocolOf(service);
  const { user, password, database } = at.credentials;
  const values: Readonly<Record<string, string>> = {
    port: main === undefined ? '' : String(at.port('main')),
    host: at.host,
    user,
    database,
    password,
    secret: at.secret(`${service.name}-secret`),
  };
  const filled = (text: string) => text.replaceAll(/\{(\w+)\}/gu, (whole, name: string) => values[name] ?? whole);
  const isSecret = (text: string) => /\{(?:password|secret)\}/u.test(text);
  const variables = Object.entries(settings)
    .filter(([name]) => VARIABLE.test(name))
    .map(([name, value]) => [name, String(value)] as const);
  const [name, ...options] = String(settings.command ?? '').split(/\s+/u);
  const command: Command | null =
    settings.command === undefined || name === undefined
      ? null
      : { program: { from: 'path', name }, arguments: options.map(filled) };
  const secretEnvironment: Readonly<Record<string, string>> = Object.fromEntries([
    ...variables.filter(([, text]) => isSecret(text)).map(([key, text]) => [key, filled(text)]),
    ...Object.keys(connectsTo).map((role) => [role, at.peer(role)?.url ?? '']),
  ]);
  return {
    image: settings.image === undefined ? null : { name: String(settings.image) },
    command,
    environment: Object.fromEntries(
      variables.filter(([, text]) => !isSecret(text)).map(([key, text]) => [key, filled(text)]),
    ),
    secretEnvironment,
    files: [],
    ...(settings.data !== undefined && { dataFolder: String(settings.data) }),
    prepare: [],
    steps: [],
    health:
      protocol === undefined
        ? null
        : { protocol, port: 'main', ...(protocol === 'http' && { path: String(settings.ready ?? '/') }) },
    needsHealthyPeers: true,
    stop: { signal: 'SIGTERM', graceS: 10 },
    secrets: [...Object.values(secretEnvironment), password, values.secret ?? ''],
    lacks: [],
    notes: [],
  };
}
