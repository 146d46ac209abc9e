import http from 'node:http';
import https from 'node:https';

export interface Answer {
  readonly status: number;
  /** At most the first 2,000 characters. */
  readonly body: string;
}

/**
 * One GET, redirects not followed, certificates as Node checks them.
 * Not `fetch`, which refuses ports that browsers keep from pages.
 */
export function get(url: URL, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { get: request } = url.protocol === 'https:' ? https : http;
    request(url, { signal, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        body = (body + text).slice(0, 2000);
      });
      response.once('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.once('error', reject);
    }).once('error', reject);
  });
}
