import type { Service } from '../core/tier.ts';
import type { Address } from './address.ts';

export interface NginxSurroundings {
  /** What it listens on for the load: `127.0.0.1:8080`, `80`. */
  readonly listen: string;
  /** What its stub status page, `/status`, is served on. */
  readonly statusListen: string;
  /** Instances of the API. */
  readonly backends: readonly Address[];
  /** A folder it may write temporary files in. */
  readonly folder: string;
}

/** Settings of a load balancer and what they are when a tier leaves them out, as nginx names them. */
export const nginxDefaults = {
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

/** The whole nginx.conf of a load balancer. Logs go to standard error; requests are not logged. */
export function nginxConfiguration(service: Service, surroundings: NginxSurroundings): string {
  const setting = (name: keyof typeof nginxDefaults) => service.settings[name] ?? nginxDefaults[name];
  const algorithm = setting('algorithm');
  const servers = surroundings.backends.map(
    ({ host, port }) =>
      `    server ${host}:${port} max_fails=${setting('max_fails')} fail_timeout=${setting('fail_timeout')};`,
  );
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `  ${kind}_temp_path ${quoted(`${surroundings.folder}/${kind}`)};`,
  );
  return `daemon off;
worker_processes ${setting('worker_processes')};
pid ${quoted(`${surroundings.folder}/nginx.pid`)};
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
    listen ${surroundings.listen} backlog=4096;
    location / {
      proxy_pass http://api;
      proxy_http_version 1.1;
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
    listen ${surroundings.statusListen};
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
