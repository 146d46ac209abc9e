/** The one place that names images. The API's is built from reference-app/Dockerfile. */
export const images = {
  api: 'tierbench/reference-app',
  'load-balancer': 'nginx:1.26',
  pooler: 'edoburu/pgbouncer:v1.24.1-p1',
  primary: 'postgres:17',
  replica: 'postgres:17',
  cache: 'redis:7',
} as const;
