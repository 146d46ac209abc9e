import type { nginxDefaults } from './load-balancer.ts';

const wholeNumber = { pattern: /^\d{1,9}$/u, words: 'a whole number' };
const time = { pattern: /^\d{1,6}(?:ms|s|m|h)$/u, words: "a time with its unit, such as '1s' or '500ms'" };

/** How each is written. Values stand in nginx.conf as they are, so nothing else may get there: no `;`, no `}`. */
export const nginxForms: Readonly<
  Record<keyof typeof nginxDefaults, { readonly pattern: RegExp; readonly words: string }>
> = {
  algorithm: {
    pattern: /^(?:round_robin|least_conn|random|ip_hash)$/u,
    words: 'round_robin, least_conn, random or ip_hash',
  },
  keepalive: { pattern: /^[1-9]\d{0,5}$/u, words: 'a whole number above 0' },
  worker_processes: { pattern: /^[1-9]\d{0,2}$/u, words: 'a whole number from 1 to 999' },
  worker_connections: wholeNumber,
  keepalive_requests: wholeNumber,
  max_fails: wholeNumber,
  fail_timeout: time,
  proxy_connect_timeout: time,
  proxy_read_timeout: time,
};
