import { suggestion } from '../core/closest-match.ts';
import type { Service, SettingValue } from '../core/tier.ts';
import type { Address } from './address.ts';
import type { ServiceType } from './service-type.ts';
import { shown, wrongValue } from './setting-forms.ts';

/** Settings of a load balancer and what they are when a tier leaves them out, as nginx names them. */
const nginxDefaults = {
  /** How the next backend is chosen: round_robin, least_conn, random, or ip_hash. */
  algorithm: 'round_robin',
  /** Idle connections kept to the backends by each worker. */
  keepalive: 64,
  worker_processes: 1,
  worker_connections: 8192,
  /** Requests over one connection of a client before it is closed. */
  keepalive_requests: 1_000_000,
  max_fails: 1,
  fail_timeout: '1s',
  proxy_connect_timeout: '1s',
  proxy_read_timeout: '60s',
} as const;

/** nginx before the instances of a service that speaks HTTP. */
export const loadBalancer: ServiceType = {
  kind: 'load-balancer',
  roles: () => ({ backend: { protocol: 'http', required: true, all: true } }),
  offers: () => 'http',
  single: { why: 'the load goes to one address', nextStep: 'Write 1.' },
  settings: {
    reserved: ['listen', 'upstream', 'server', 'proxy_pass', 'daemon', 'pid'],
    defaults: nginxDefaults,
    problem,
  },
  ports: () => ({ main: 80, status: 8081 }),
  spec(service, at) {
    const file = `${at.folder}/nginx.conf`;
    const content = nginxConfiguration(service, {
      listen: `${at.host}:${at.port('main')}`,
      statusListen: `${at.host}:${at.port('status')}`,
      // Looked up at its start only: names must lead somewhere by then.
      backends: at.peer('backend')?.addresses ?? [],
      folder: at.temporaryFolder,
    });
    return {
      image: { name: 'nginx:1.26' },
      command: {
        program: { from: 'distribution', name: 'nginx', package: 'nginx-light' },
        arguments: ['-p', at.temporaryFolder, '-c', file],
      },
      environment: {},
      secretEnvironment: {},
      files: [{ path: file, content, secret: false }],
      prepare: [],
      steps: [],
      health: { protocol: 'http', port: 'status', path: '/status' },
      version: { name: 'nginx', arguments: ['-v'] },
      stop: { signal: 'SIGKILL', graceS: 0 },
      secrets: [],
      lacks: [],
      notes: [],
    };
  },
  probes: [{ probe: 'nginx', port: 'status', protocol: 'http', path: '/status' }],
  // Of a worker process.
  resources: ['cpu-cores', 'main-thread', 'throttled', 'open-files'],
  shownSettings: ['keepalive'],
  inspect: (url) => `curl -s ${url}`,
};

const wholeNumber = { pattern: /^\d{1,9}$/u, form: 'a whole number' };
const time = { pattern: /^\d{1,6}(?:ms|s|m|h)$/u, form: "a time with its unit, such as '1s' or '500ms'" };

/** How each is written. Values stand in nginx.conf as they are, so nothing else may get there: no `;`, no `}`. */
const nginxForms: Readonly<Record<keyof typeof nginxDefaults, { readonly pattern: RegExp; readonly form: string }>> = {
  algorithm: {
    pattern: /^(?:round_robin|least_conn|random|ip_hash)$/u,
    form: 'round_robin, least_conn, random or ip_hash',
  },
  keepalive: { pattern: /^[1-9]\d{0,5}$/u, form: 'a whole number above 0' },
  worker_processes: { pattern: /^[1-9]\d{0,2}$/u, form: 'a whole number from 1 to 999' },
  worker_connections: wholeNumber,
  keepalive_requests: wholeNumber,
  max_fails: wholeNumber,
  fail_timeout: time,
  proxy_connect_timeout: time,
  proxy_read_timeout: time,
};

function problem(name: string, value: SettingValue) {
  // Each is written into a template: one that is not in it would silently do nothing.
  if (!Object.hasOwn(nginxDefaults, name)) {
    const nextStep = suggestion(name, Object.keys(nginxDefaults));
    return { part: 'key' as const, what: 'is no setting of a load balancer', nextStep };
  }
  const known = name as keyof typeof nginxDefaults;
  const { pattern, form } = nginxForms[known];
  return pattern.test(String(value))
    ? undefined
    : wrongValue(`is ${shown(value)}, but must be ${form}`, `Write for example ${nginxDefaults[known]}.`);
}

interface NginxContext {
  /** What it listens on for the load: `127.0.0.1:8080`, `80`. */
  readonly listen: string;
  /** What its stub status page, `/status`, is served on. */
  readonly statusListen: string;
  /** Instances of the API. */
  readonly backends: readonly Address[];
  /** A folder it may write temporary files in. */
  readonly folder: string;
}

/** The whole nginx.conf of a load balancer. Logs go to standard error; requests are not logged. */
function nginxConfiguration(service: Service, context: NginxContext): string {
  const setting = (name: keyof typeof nginxDefaults) => service.settings[name] ?? nginxDefaults[name];
  const algorithm = setting('algorithm');
  const servers = context.backends.map(
    ({ host, port }) =>
      `    server ${host}:${port} max_fails=${setting('max_fails')} fail_timeout=${setting('fail_timeout')};`,
  );
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `  ${kind}_temp_path ${quoted(`${context.folder}/${kind}`)};`,
  );
  return `daemon off;
worker_processes ${setting('worker_processes')};
pid ${quoted(`${context.folder}/nginx.pid`)};
error_log stderr warn;
events {
  worker_connections ${setting('worker_connections')};
}
http {
  access_log off;
  server_tokens off;
${temporary.join('\n')}
  keepalive_requests ${setting('keepalive_requests')};
  # A connection that is not upgraded is kept: with a fixed 'upgrade' here none would ever be used again.
  map $http_upgrade $connection_to_backend {
    default upgrade;
    '' '';
  }
  upstream api {
${algorithm === 'round_robin' ? '' : `    ${algorithm};\n`}${servers.join('\n')}
    keepalive ${setting('keepalive')};
  }
  server {
    listen ${context.listen} backlog=4096;
    location / {
      proxy_pass http://api;
      proxy_http_version 1.1;
      # The app bounds the time of a whole request; nginx by itself only the time between two parts of a body.
      proxy_request_buffering off;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_to_backend;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_cache_bypass $http_upgrade;
      proxy_connect_timeout ${setting('proxy_connect_timeout')};
      proxy_read_timeout ${setting('proxy_read_timeout')};
    }
  }
  server {
    listen ${context.statusListen};
    location = /status {
      stub_status;
    }
    location / {
      return 404;
    }
  }
}
`;
}

/** A path may hold spaces. */
function quoted(path: string): string {
  return `"${path.replaceAll(/["\\]/g, '\\$&')}"`;
}
