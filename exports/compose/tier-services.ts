import type { App } from '../../harness/core/app.ts';
import { cpuQuota, type Service, type Tier } from '../../harness/core/tier.ts';
import { type Credentials, serviceUrl } from '../../harness/services/address.ts';
import { serviceType } from '../../harness/services/registry.ts';
import type { Health, OnceStep, Peer, ServiceSpec, SpecContext } from '../../harness/services/service-type.ts';
import { SCRIPT, shellScript, wordsOf } from '../../harness/services/shell-script.ts';
import { DATABASE_PASSWORD, type Interpolation } from './interpolation.ts';

/** One service of a compose file, as far as these files are concerned: what compose knows is checked by compose. */
export type ComposeService = Readonly<Record<string, unknown>>;

/** What a tier adds to a compose file, under names that say tier and service. */
export interface ComposeEntries {
  readonly services: readonly (readonly [name: string, service: ComposeService])[];
  readonly volumes: readonly string[];
  readonly configs: readonly (readonly [name: string, config: { readonly content: string }])[];
}

/** The profile of what fills a database: not part of a tier that is up. */
export const DATA_PROFILE = 'seed';
const FOLDER = '/etc/tierbench';

/** `port`: of this machine for the entry, unless a variable says another. */
export function tierEntries(tier: Tier, app: App, port: number, of: Interpolation): ComposeEntries {
  const credentials: Credentials = { user: 'app', password: of.secret(DATABASE_PASSWORD), database: 'postgres' };
  const typeOf = ({ kind }: Service) => serviceType(kind, app);
  const named = (name: string | undefined) => tier.services.find((service) => service.name === name);
  const environment = ({
    environment: visible,
    secretEnvironment,
  }: Pick<OnceStep, 'environment' | 'secretEnvironment'>) => {
    const values = of.values({ ...visible, ...secretEnvironment });
    return Object.keys(values).length === 0 ? {} : { environment: values };
  };

  function peerOf(target: Service): Peer {
    const type = typeOf(target);
    const addresses = instanceNames(tier, target).map((host) => ({ host, port: type.ports(target).main ?? 0 }));
    const [first = { host: '', port: 0 }] = addresses;
    const own = {
      service: target,
      addresses,
      url: serviceUrl(type.offers(target) ?? 'http', first, { credentials, secret: of.secret }),
    };
    const next = type.forwards === undefined ? undefined : named(target.connectsTo[type.forwards]);
    return { ...own, lacks: specOf(target, 1).lacks, end: next === undefined ? own : peerOf(next).end };
  }

  /** Containers have addresses of their own, so every service listens on the port it is known for. */
  function contextOf(service: Service, instance: number): SpecContext {
    const type = typeOf(service);
    const context: SpecContext = {
      tier,
      instance,
      folder: FOLDER,
      temporaryFolder: '/tmp',
      dataFolder: '',
      host: '0.0.0.0',
      port: (name) => type.ports(service)[name] ?? 0,
      peer(role) {
        const target = named(service.connectsTo[role]);
        return target && peerOf(target);
      },
      credentials,
      secret: of.secret,
    };
    return { ...context, dataFolder: type.spec(service, context).dataFolder ?? '' };
  }

  function specOf(service: Service, instance: number): ServiceSpec {
    return typeOf(service).spec(service, contextOf(service, instance));
  }

  const steps = new Map<string, { readonly name: string; readonly service: ComposeService }>();
  /** Several services of one database have the same migration. */
  function addStep(step: OnceStep, spec: ServiceSpec, builds: boolean, more: ComposeService = {}): string {
    const key = [step.name, ...step.services].join(' ');
    const before = steps.get(key);
    if (before !== undefined) return before.name;
    const taken = [...steps.values()].some(({ name }) => name === `${tier.name}-${step.name}`);
    const name = taken ? `${tier.name}-${step.services.join('-')}-${step.name}` : `${tier.name}-${step.name}`;
    steps.set(key, {
      name,
      service: {
        ...imageOf(spec, builds),
        profiles: [tier.name],
        command: wordsOf(step.command).map(of.text),
        ...environment(step),
        depends_on: after('healthy', ...step.services.flatMap((each) => instanceNames(tier, named(each)))),
        ...more,
      },
    });
    return name;
  }

  const services: [string, ComposeService][] = [];
  const volumes: string[] = [];
  const configs: [string, { content: string }][] = [];
  for (const service of tier.services) {
    const peers = Object.values(service.connectsTo).flatMap((name) => instanceNames(tier, named(name)));
    for (const [index, name] of instanceNames(tier, service).entries()) {
      const spec = specOf(service, index + 1);
      const onceNames = spec.steps.map((step) => addStep(step, spec, true));
      const isPrepared = spec.command !== null && spec.prepare.length > 0;
      const files = [
        ...spec.files,
        ...(isPrepared && spec.command !== null
          ? [
              {
                path: SCRIPT,
                content: shellScript({
                  ...(spec.dataFolder !== undefined && { dataFolder: spec.dataFolder }),
                  prepare: spec.prepare,
                  patient: peers.length > 0,
                  command: spec.command,
                }),
              },
            ]
          : []),
      ];
      const sources = files.map(({ path, content }) => {
        const source = `${name}-${path.split('/').at(-1)}`;
        configs.push([source, { content: of.text(content) }]);
        return { source, target: path };
      });
      if (spec.dataFolder !== undefined) volumes.push(`${name}-data`);
      services.push([
        name,
        {
          ...imageOf(spec, onceNames.length === 0),
          profiles: [tier.name],
          ...limits(service),
          ...(spec.user !== undefined && { user: spec.user }),
          ...(spec.sharedMemoryBytes !== undefined && { shm_size: memory(spec.sharedMemoryBytes) }),
          ...(spec.dataFolder !== undefined && { volumes: [`${name}-data:${spec.dataFolder}`] }),
          ...environment(spec),
          ...(spec.command !== null && {
            entrypoint: isPrepared ? ['sh', SCRIPT] : wordsOf(spec.command).map(of.text),
          }),
          ...(sources.length > 0 && { configs: sources }),
          ...(peers.length + onceNames.length > 0 && {
            depends_on: {
              ...after(spec.needsHealthyPeers ? 'healthy' : 'started', ...peers),
              ...after('completed_successfully', ...onceNames),
            },
          }),
          ...(tier.entry === service.name && published(tier, port, typeOf(service).ports(service).main, of)),
          ...(spec.health !== null && healthCheck(spec.health, typeOf(service).ports(service), credentials)),
          ...(spec.stop.orderlyS !== undefined && { stop_grace_period: `${spec.stop.orderlyS}s` }),
        },
      ]);
    }
  }
  const migrations = [...steps.values()].map(({ name }) => name);
  for (const service of tier.services) {
    const values = Object.fromEntries(
      app.data.map(({ name, variable, default: value }) => [name, of.variable(variable, String(value))]),
    );
    const context = contextOf(service, 1);
    for (const step of typeOf(service).data?.(service, context, values, of.variable('SEED_PASSWORD', '')) ?? []) {
      addStep(step, specOf(service, 1), false, {
        profiles: [DATA_PROFILE],
        depends_on: after('completed_successfully', ...migrations),
      });
    }
  }
  return {
    services: [...services, ...[...steps.values()].map(({ name, service }) => [name, service] as const)],
    volumes,
    configs,
  };
}

function instanceNames(tier: Tier, service: Service | undefined): readonly string[] {
  if (service === undefined) return [];
  const { name, instances } = service;
  return Array.from(
    { length: instances },
    (_, index) => `${tier.name}-${name}${instances === 1 ? '' : `-${index + 1}`}`,
  );
}

/** One service of a tier builds the image; the others use what is there. */
function imageOf({ image }: ServiceSpec, builds: boolean): ComposeService {
  const { name = '', folder } = image ?? {};
  if (folder === undefined) return { image: name };
  return {
    image: name,
    ...(builds ? { build: folder.startsWith('/') ? folder : `./${folder}` } : { pull_policy: 'never' }),
  };
}

function limits({ resources }: Service): ComposeService {
  const { cpus, memoryBytes } = resources;
  const quota = cpus === undefined ? undefined : cpuQuota(cpus);
  return {
    ...(quota && { cpu_period: quota.periodMicroseconds, cpu_quota: quota.quotaMicroseconds }),
    ...(memoryBytes !== undefined && { mem_limit: memory(memoryBytes) }),
  };
}

function memory(bytes: number): string {
  const whole = [
    ['g', 2 ** 30],
    ['m', 2 ** 20],
  ] as const;
  const [unit, factor] = whole.find(([, size]) => Number.isInteger(bytes / size)) ?? ['b', 1];
  return `${Math.ceil(bytes / factor)}${unit}`;
}

/** The entry is all that is reached from outside, and from this machine alone. */
function published(tier: Tier, port: number, inside: number | undefined, of: Interpolation): ComposeService {
  const variable = of.variable(`${tier.name.replaceAll('-', '_').toUpperCase()}_PORT`, String(port));
  return { ports: [of.text(`127.0.0.1:${variable}:${inside}`)] };
}

function after(condition: 'started' | 'healthy' | 'completed_successfully', ...names: readonly string[]) {
  return Object.fromEntries(names.map((name) => [name, { condition: `service_${condition}` }]));
}

/**
 * Each check starts a process, which takes from the CPU that is measured: seldom, and with the quickest program there
 * is. Failures of the first two minutes only say that something is still starting.
 */
function healthCheck(
  health: Health,
  ports: Readonly<Record<string, number>>,
  { user, database }: Credentials,
): ComposeService {
  const test = healthTest(health, ports[health.port] ?? 0, health.database ?? database, user);
  return { healthcheck: { test, interval: '10s', timeout: '5s', retries: 3, start_period: '120s' } };
}

function healthTest({ protocol, path = '/' }: Health, port: number, database: string, user: string): readonly string[] {
  switch (protocol) {
    case 'postgres':
      return ['CMD', 'pg_isready', '--host=127.0.0.1', `--port=${port}`, `--username=${user}`, `--dbname=${database}`];
    case 'redis':
      return ['CMD', 'redis-cli', '-p', String(port), '-e', 'ping'];
    case 'http': {
      // 200 at that path, asked by the shell itself where it can.
      const ask = `exec 3<>/dev/tcp/127.0.0.1/${port}; printf "GET ${path} HTTP/1.0\\r\\n\\r\\n" >&3; read -r _ status _ <&3`;
      const byShell = `exec bash -c '${ask}; [ "$$status" = 200 ]'`;
      const byProgram = `exec wget -q -O /dev/null http://127.0.0.1:${port}${path}`;
      return ['CMD-SHELL', `if command -v bash >/dev/null; then ${byShell}; else ${byProgram}; fi`];
    }
  }
}
