import { cpuQuota } from '../../harness/core/cpu-quota.ts';
import type { Service, Tier } from '../../harness/core/tier.ts';
import type { Credentials } from '../../harness/services/address.ts';
import { fromEnvironment, secretPlaceholders } from './secrets.ts';

/** One service of a compose file, as far as these files are concerned: what compose knows is checked by compose. */
export type ComposeService = Readonly<Record<string, unknown>>;

/** What one service of a tier adds to a compose file, under names that say tier and service. */
export interface ComposeParts {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly volumes: Readonly<Record<string, object>>;
  readonly configs: Readonly<Record<string, { readonly content: string }>>;
}

/** Containers have addresses of their own, so every server listens on the port it is known for. */
export const ports = {
  api: 3000,
  'load-balancer': 80,
  pooler: 6432,
  primary: 5432,
  replica: 5432,
  cache: 6379,
} as const;

export const credentials: Credentials = {
  user: 'app',
  password: secretPlaceholders.postgresPassword,
  database: 'app',
};

/** The profile of what fills a database: no part of a tier that is up. */
export const SEED_PROFILE = 'seed';

/** Of the service, or of one of its instances where it has several. */
export function composeName(tier: Tier, service: Service, instance = 1): string {
  return `${tier.name}-${service.name}${service.instances === 1 ? '' : `-${instance}`}`;
}

export function composeNames(tier: Tier, service: Service): readonly string[] {
  return Array.from({ length: service.instances }, (_, index) => composeName(tier, service, index + 1));
}

/** The service at the other end of a connection. */
export function connected(tier: Tier, service: Service, role: string): Service | undefined {
  return tier.services.find(({ name }) => name === service.connectsTo[role]);
}

/** Profile and limits: the same for every service. */
export function common(tier: Tier, { resources }: Pick<Service, 'resources'>): ComposeService {
  return {
    profiles: [tier.name],
    ...(resources.cpus !== undefined && cpuLimit(resources.cpus)),
    ...(resources.memoryBytes !== undefined && { mem_limit: memory(resources.memoryBytes) }),
  };
}

function cpuLimit(cpus: number): ComposeService {
  const { periodMicroseconds, quotaMicroseconds } = cpuQuota(cpus);
  return { cpu_period: periodMicroseconds, cpu_quota: quotaMicroseconds };
}

/** The entry is all that is reached from outside, and from this machine alone. */
export function published(tier: Tier, service: Service, port: number): ComposeService {
  if (tier.entry !== service.name) return {};
  const variable = `${tier.name.replaceAll('-', '_').toUpperCase()}_PORT`;
  return {
    ports: [`127.0.0.1:${fromEnvironment(variable, String(port))}:${ports[service.kind as keyof typeof ports]}`],
  };
}

/**
 * Each check starts a process, which takes from the CPU that is measured: seldom, and with the quickest program there
 * is. Failures of the first two minutes only say that something is still starting.
 */
export function healthCheck(...test: readonly string[]): ComposeService {
  return { healthcheck: { test, interval: '10s', timeout: '5s', retries: 3, start_period: '120s' } };
}

/** 200 at that path, asked by the shell itself. */
export function httpHealthCheck(port: number, path: string): ComposeService {
  const ask = `exec 3<>/dev/tcp/127.0.0.1/${port}; printf 'GET ${path} HTTP/1.0\\r\\n\\r\\n' >&3; read -r _ status _ <&3`;
  return healthCheck('CMD', 'bash', '-c', `${ask}; [ "$$status" = 200 ]`);
}

export function after(condition: 'started' | 'healthy' | 'completed_successfully', ...names: readonly string[]) {
  return Object.fromEntries(names.map((name) => [name, { condition: `service_${condition}` }]));
}

function memory(bytes: number): string {
  const whole = [
    ['g', 2 ** 30],
    ['m', 2 ** 20],
  ] as const;
  const [unit, factor] = whole.find(([, size]) => Number.isInteger(bytes / size)) ?? ['b', 1];
  return `${Math.ceil(bytes / factor)}${unit}`;
}
