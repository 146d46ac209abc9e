import type { Service, SettingValue } from '../core/tier.ts';
import { type Address, REDIS_PASSWORD } from './address.ts';
import type { ServiceType } from './service-type.ts';
import { shown, wrongValue } from './setting-forms.ts';

/** Redis. It keeps nothing: killed and started again it is empty. */
export const cache: ServiceType = {
  kind: 'cache',
  roles: () => ({}),
  offers: () => 'redis',
  single: {
    why: 'they would not know what the others hold: a revoked token would be accepted',
    nextStep: 'Write 1.',
  },
  settings: {
    reserved: [
      ...['bind', 'port', 'tls-port', 'unixsocket', 'dir', 'daemonize', 'pidfile', 'logfile', 'include', 'replicaof'],
    ],
    defaults: {},
    problem,
  },
  ports: () => ({ main: 6379 }),
  spec(service, at) {
    const password = at.secret(REDIS_PASSWORD);
    const file = `${at.folder}/redis.conf`;
    const listen = { host: at.host, port: at.port('main') };
    return {
      image: { name: 'redis:7' },
      user: 'redis',
      command: {
        program: { from: 'distribution', name: 'redis-server', package: 'redis-server' },
        arguments: [file],
      },
      environment: {},
      // For redis-cli.
      secretEnvironment: { REDISCLI_AUTH: password },
      files: [
        {
          path: file,
          content: redisConfiguration(service, { listen, password, folder: at.dataFolder }),
          secret: true,
        },
      ],
      dataFolder: '/data',
      prepare: [],
      steps: [],
      health: { protocol: 'redis', port: 'main' },
      version: { name: 'Redis', arguments: ['--version'] },
      stop: { signal: 'SIGKILL', graceS: 0 },
      secrets: [password],
      lacks: [],
      notes: [],
    };
  },
  probes: [{ probe: 'redis', port: 'main', protocol: 'redis' }],
  // Full memory is no limit: it evicts keys.
  resources: ['cpu-cores', 'main-thread', 'throttled', 'connections', 'open-files'],
  shownSettings: ['maxmemory', 'maxmemory-policy'],
  inspect: (url) => `redis-cli --no-auth-warning -u '${url}' INFO`,
};

interface RedisContext {
  readonly listen: Address;
  readonly password: string;
  /** A folder it works in; nothing is kept there. */
  readonly folder: string;
}

/** redis.conf: a cache that keeps nothing on disk, and the settings of the service. */
function redisConfiguration(service: Service, { listen, password, folder }: RedisContext): string {
  const settings = {
    save: '""',
    appendonly: 'no',
    ...service.settings,
    bind: listen.host,
    port: listen.port,
    requirepass: password,
    // A path may hold spaces.
    dir: JSON.stringify(folder),
  };
  return `${Object.entries(settings)
    .map(([name, value]) => `${name} ${value}`)
    .join('\n')}\n`;
}

function problem(name: string, value: SettingValue) {
  const text = String(value);
  if (name === 'maxmemory' && text !== '0' && !/^\d+(?:kb|mb|gb)$/iu.test(text)) {
    return wrongValue(`is ${shown(value)}, but must be memory as Redis writes it`, 'Write for example 512mb.');
  }
  // Quotes join and spaces part the words of a line of redis.conf.
  return text === '' || (/["'\\]/u.test(text) && text !== '""')
    ? wrongValue(
        `is ${shown(value)}, which redis.conf cannot hold`,
        `Write '""' for an empty text, and no other quotes.`,
      )
    : undefined;
}
