import { BlockList, isIP } from 'node:net';
import { resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import { TierbenchError } from '../core/errors.ts';
import type { Tier } from '../core/tier.ts';
import type { Reach } from '../core/trial.ts';
import { readRegularFile } from '../machine/file-system.ts';
import { addressesOf, askUrl, hostOf } from './ask-url.ts';
import type { Provider } from './provider.ts';

export interface UrlProviderOptions {
  /**
   * Lets load go to other hosts than this machine. Off by default: load aimed at a stranger's server
   * by a mistyped address is an attack on it.
   */
  readonly allowRemoteHost?: boolean;
  /** How long the server may take to answer the first request, in seconds. */
  readonly answerLimitS?: number;
  /** A file with certificate authorities (PEM) that are trusted besides those of the system. */
  readonly authoritiesFile?: string | undefined;
  /** Certificates are not checked. They never are where all addresses are this machine. */
  readonly insecure?: boolean;
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
    async check(signal) {
      await reachOf([url, ...named.values()], options, signal);
    },
    async deploy({ tier }, signal, onProgress = () => {}) {
      signal.throwIfAborted();
      const reach = await reachOf([url, ...named.values()], options, signal, onProgress);
      const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
      return {
        tier,
        provider: 'url',
        baseUrl: withoutSlash(url),
        ...(named.size > 0 && {
          baseUrls: Object.fromEntries([...named].map(([name, each]) => [name, withoutSlash(each)])),
        }),
        reach,
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

/** Several that run already, each with the name of its tier. */
export function urlProviders(baseUrls: Readonly<Record<string, string>>, options: UrlProviderOptions = {}): Provider {
  const providers = new Map(Object.entries(baseUrls).map(([tier, url]) => [tier, urlProvider(url, options)]));
  return {
    name: 'url',
    async obstacles() {
      return [];
    },
    async check(signal) {
      for (const provider of providers.values()) await provider.check?.(signal);
    },
    async deploy(subject, ...others) {
      const own = providers.get(subject.tier.name);
      if (own === undefined) throw new Error(`no URL for '${subject.tier.name}'`);
      return await own.deploy(subject, ...others);
    },
  };
}

/** Asks each for an answer, at all its addresses. Of those of one host the first that answers stays. */
async function reachOf(
  urls: readonly URL[],
  options: UrlProviderOptions,
  signal: AbortSignal,
  onProgress: (what: string) => void = () => {},
): Promise<Reach> {
  const { authoritiesFile, answerLimitS: limitS = 10 } = options;
  const authorities = authoritiesFile === undefined ? undefined : await readAuthorities(authoritiesFile);
  const found = new Map<string, readonly string[]>();
  for (const url of urls) {
    const host = hostOf(url);
    found.set(host, found.get(host) ?? (await addressesOf(url)));
    refuseStrangers(host, found.get(host) ?? [], options);
  }
  const isLocal = [...found.values()].flat().every(isThisMachine);
  const verifiesCertificates = options.insecure !== true && (!isLocal || authorities !== undefined);
  for (const url of urls) {
    onProgress(`asking ${url.href} for an answer`);
    const host = hostOf(url);
    const address = await askUrl(url, found.get(host) ?? [], { limitS, verifiesCertificates, authorities, signal });
    found.set(host, [address]);
  }
  return {
    addresses: Object.fromEntries([...found].map(([host, [address = '']]) => [host, address])),
    verifiesCertificates,
    authoritiesFile: authoritiesFile === undefined ? null : resolve(authoritiesFile),
  };
}

/** Those of a whole system take 1 MiB. */
const LARGEST_AUTHORITIES_BYTES = 16 * 1024 * 1024;

/** @throws TierbenchError FILE_NOT_FOUND, FILE_NOT_READABLE */
async function readAuthorities(file: string): Promise<string> {
  try {
    const found = await readRegularFile(file, LARGEST_AUTHORITIES_BYTES);
    const text = found.kind === 'file' ? found.content.toString('utf8') : '';
    createSecureContext({ ca: text });
    if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new TierbenchError('FILE_NOT_FOUND', `there is no file ${file}`, 'Check the path.', { cause });
    }
  }
  throw new TierbenchError(
    'FILE_NOT_READABLE',
    `${file} holds no certificates in PEM that can be read`,
    'Give a file that begins with -----BEGIN CERTIFICATE-----.',
  );
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
  if (url.port === '0') throw problem(`'${text}' has port 0, which nothing can listen on`);
  if (url.search !== '' || url.hash !== '') throw problem(`'${text}' has a query or fragment; scenarios add their own`);
  return url;
}

function refuseStrangers(host: string, addresses: readonly string[], { allowRemoteHost = false }: UrlProviderOptions) {
  if (allowRemoteHost) return;
  const strangers = addresses.filter((address) => !isThisMachine(address));
  if (strangers.length === 0) return;
  throw new TierbenchError(
    'REMOTE_HOST_REFUSED',
    `${host} (${strangers.join(', ')}) is not this machine`,
    'Load on a server without its owner asking for it is an attack: allow it if the server is yours.',
    { remedy: 'allow-remote' },
  );
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
