import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import { TierbenchError } from '../core/errors.ts';
import type { Tier } from '../core/tier.ts';
import { get } from './health.ts';
import type { Provider } from './provider.ts';

export interface UrlProviderOptions {
  /**
   * Lets load go to other hosts than this machine. Off by default: load aimed at a stranger's server
   * by a mistyped address is an attack on it.
   */
  readonly allowRemoteHost?: boolean;
  /** How long the server may take to answer the first request, in seconds. */
  readonly answerLimitS?: number;
}

/** The tier of something that already runs and that no tier file describes. */
export const externalTier: Tier = {
  name: 'external',
  title: 'A server that already runs',
  description: 'Not started by tierbench, which knows only its address.',
  documents: [],
  entry: 'external',
  services: [],
};

/**
 * Something that already runs at a base URL (`http://127.0.0.1:3000`), maybe with others by name (`,search=http://...`). The tier given to `deploy` is only the name its
 * results stand under: `externalTier` unless the user says which tier it is. Nothing is started or stopped.
 * @throws TierbenchError URL_INVALID
 */
export function urlProvider(baseUrls: string, options: UrlProviderOptions = {}): Provider {
  const { main: url, named } = parseBaseUrls(baseUrls);
  return {
    name: 'url',
    // Nothing is started, so no tier is too large for this machine; a problem with the address ends `deploy`.
    async obstacles() {
      return [];
    },
    async deploy(tier, signal, onProgress = () => {}) {
      signal.throwIfAborted();
      for (const each of [url, ...named.values()]) {
        await refuseStrangers(each, options);
        onProgress(`asking ${each.href} for an answer`);
        await answers(each, options.answerLimitS ?? 10, signal);
      }
      const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
      return {
        tier,
        provider: 'url',
        baseUrl: withoutSlash(url),
        ...(named.size > 0 && {
          baseUrls: Object.fromEntries([...named].map(([name, each]) => [name, withoutSlash(each)])),
        }),
        services: [
          {
            name: 'external',
            kind: 'external',
            instances: [{ name: 'external/1', host: hostOf(url), port, processIds: [] }],
          },
        ],
        access: [],
        probes: [],
        notes: [],
        onFailure() {},
        async [Symbol.asyncDispose]() {},
      };
    },
  };
}

/**
 * The main base URL and those with names: `http://127.0.0.1:3000,search=http://127.0.0.1:3001`.
 * @throws TierbenchError URL_INVALID, which never repeats a password.
 */
export function parseBaseUrls(text: string): { readonly main: URL; readonly named: ReadonlyMap<string, URL> } {
  const [main = '', ...others] = text.split(',').map((part) => part.trim());
  const named = others.map((part): [string, URL] => {
    const [, name = '', url = ''] = /^([\w.-]+)=(.*)$/.exec(part) ?? [];
    if (name === '') {
      throw new TierbenchError(
        'URL_INVALID',
        'each URL after the first needs a name',
        'Write `http://127.0.0.1:3000,search=http://127.0.0.1:3001`: scenarios ask for it by that name.',
      );
    }
    return [name, parseBaseUrl(url)];
  });
  return { main: parseBaseUrl(main), named: new Map(named) };
}

function withoutSlash(url: URL): string {
  return url.href.replace(/\/$/, '');
}

function parseBaseUrl(text: string): URL {
  const problem = (what: string) =>
    new TierbenchError('URL_INVALID', what, 'Give the address of the server, for example `http://127.0.0.1:3000`.');
  const url = URL.parse(text);
  if (url === null) throw problem(`'${text}' is not a URL`);
  if (url.username !== '' || url.password !== '') {
    throw problem('the URL contains a user name or password, which would stand in the results');
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw problem(`'${text}' does not start with http:// or https://`);
  }
  if (url.search !== '' || url.hash !== '') throw problem(`'${text}' has a query or fragment; scenarios add their own`);
  return url;
}

async function answers(url: URL, limitS: number, signal: AbortSignal): Promise<void> {
  const limit = AbortSignal.timeout(limitS * 1000);
  try {
    await get(url, AbortSignal.any([signal, limit]));
  } catch (cause) {
    signal.throwIfAborted();
    const why = limit.aborted ? `no answer within ${limitS} s` : reasonOf(cause);
    throw new TierbenchError(
      'URL_NOT_REACHABLE',
      `nothing answers at ${url.href}: ${why}`,
      'Start the server, or check the address and port.',
      { cause },
    );
  }
}

/** An error of several attempts (IPv6, IPv4) has no message of its own. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}

async function refuseStrangers(url: URL, { allowRemoteHost = false }: UrlProviderOptions): Promise<void> {
  if (allowRemoteHost) return;
  const host = hostOf(url);
  const addresses = await addressesOf(host, url);
  const strangers = addresses.filter((address) => !isThisMachine(address));
  if (strangers.length === 0) return;
  throw new TierbenchError(
    'REMOTE_HOST_REFUSED',
    `${host} (${strangers.join(', ')}) is not this machine`,
    'Load on a server without its owner asking for it is an attack: allow it if the server is yours.',
    { remedy: 'allow-remote' },
  );
}

async function addressesOf(host: string, url: URL): Promise<string[]> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch (cause) {
    throw new TierbenchError(
      'URL_NOT_REACHABLE',
      `nothing answers at ${url.href}: the name ${host} is not known (${reasonOf(cause)})`,
      'Check the address.',
      { cause },
    );
  }
}

function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}

const thisMachine = new BlockList();
thisMachine.addSubnet('127.0.0.0', 8, 'ipv4');
// The unspecified addresses reach this machine.
thisMachine.addAddress('0.0.0.0', 'ipv4');
thisMachine.addAddress('::', 'ipv6');
thisMachine.addAddress('::1', 'ipv6');

/** Whether an IP address is this machine: loopback. Whose a private network's addresses are, nobody can tell from here. */
export function isThisMachine(address: string): boolean {
  return thisMachine.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}
