import { lookup } from 'node:dns/promises';
import http from 'node:http';
import https from 'node:https';
import { isIP } from 'node:net';
import { getCACertificates } from 'node:tls';
import { TierbenchError } from '../core/errors.ts';

export interface AskOptions {
  /** How long the first answer may take, in seconds. */
  readonly limitS: number;
  readonly verifiesCertificates: boolean;
  /** Further certificate authorities, in PEM. */
  readonly authorities: string | undefined;
  readonly signal: AbortSignal;
}

/** As much of a body as says that there is one. */
const BODY_BYTES = 2000;

/** The host of a URL without the brackets of IPv6. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}

/** @throws TierbenchError URL_NOT_REACHABLE when the name is not known. */
export async function addressesOf(url: URL): Promise<string[]> {
  const host = hostOf(url);
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch (cause) {
    throw new TierbenchError(
      'URL_NOT_REACHABLE',
      `nothing answers at ${url.href}: the name ${host} is not known (${(cause as Error).message})`,
      'Check the address.',
      { cause },
    );
  }
}

/**
 * Asks all addresses of a URL at once for an answer, whatever its status. Resolves with the address that answered first.
 * @throws TierbenchError URL_NOT_REACHABLE, URL_ANSWERS_BADLY, CERTIFICATE_REFUSED
 */
export async function askUrl(url: URL, addresses: readonly string[], options: AskOptions): Promise<string> {
  const { limitS, signal } = options;
  const limit = AbortSignal.timeout(limitS * 1000);
  const others = new AbortController();
  const given = AbortSignal.any([signal, limit, others.signal]);
  const failures: Failure[] = [];
  const asked = addresses.map(async (address) => {
    const failure = await askAt(url, address, options, given);
    if (failure === undefined) return address;
    failures.push(failure);
    throw new Error(failure.what);
  });
  try {
    return await Promise.any(asked);
  } catch {
    signal.throwIfAborted();
    throw errorOf(url, failures, limitS);
  } finally {
    others.abort();
  }
}

interface Failure {
  /** How far it came. */
  readonly stage: 'connecting' | 'certificate' | 'answering';
  readonly what: string;
}

/** Undefined when it answered. */
function askAt(
  url: URL,
  address: string,
  { limitS, verifiesCertificates, authorities }: AskOptions,
  signal: AbortSignal,
): Promise<Failure | undefined> {
  const { promise, resolve } = Promise.withResolvers<Failure | undefined>();
  let isConnected = false;
  let status = 0;
  let bodyBytes = 0;
  const family = isIP(address);
  const fail = (error: NodeJS.ErrnoException): void => {
    const what = signal.aborted ? undefined : error;
    if (!isConnected) resolve(connecting(address, what, limitS));
    else if (status !== 0) resolve(answering(`answered ${status}, but ${broken(what, limitS)}`));
    else resolve(certificateProblem(error, url) ?? answering(badAnswer(what, limitS)));
  };
  const request = (url.protocol === 'https:' ? https : http).get(
    url,
    {
      signal,
      agent: false,
      // The name stays in the request and in TLS.
      lookup: (_host, { all }, done) => (all ? done(null, [{ address, family }]) : done(null, address, family)),
      rejectUnauthorized: verifiesCertificates,
      ...(authorities !== undefined && { ca: [...getCACertificates('default'), authorities] }),
    },
    (response) => {
      status = response.statusCode ?? 0;
      response.on('data', (bytes: Buffer) => {
        bodyBytes += bytes.length;
        // Some answers have no end, and need none.
        if (bodyBytes >= BODY_BYTES) resolve(undefined);
      });
      response.once('end', () => resolve(undefined));
      response.once('error', fail);
    },
  );
  request.once('socket', (socket) => socket.once('connect', () => (isConnected = true)));
  request.once('error', fail);
  return promise.finally(() => request.destroy());
}

function answering(what: string): Failure {
  return { stage: 'answering', what };
}

function connecting(address: string, error: Error | undefined, limitS: number): Failure {
  const what = error?.message ?? `${address} did not accept a connection within ${limitS} s`;
  return { stage: 'connecting', what };
}

/** `error` is undefined where the time was over. */
function broken(error: NodeJS.ErrnoException | undefined, limitS: number): string {
  if (error === undefined) return `the body did not come to its end within ${limitS} s`;
  if (error.code === 'ECONNRESET') return 'closed the connection before the body was complete';
  return `not in HTTP/1.1 (${error.message})`;
}

function badAnswer(error: NodeJS.ErrnoException | undefined, limitS: number): string {
  if (error === undefined) return `accepts connections, but gives no answer within ${limitS} s`;
  if (error.code === 'ECONNRESET') return 'accepts connections, and closes them without an answer';
  if (error.code?.startsWith('ERR_SSL') === true || error.code === 'EPROTO')
    return `does not speak TLS (${error.code})`;
  return `answers something that is not HTTP/1.1 (${error.message})`;
}

const certificateWords: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'is signed by an authority that is not known here, which signed its own certificate',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'is signed by an authority that is not known here',
  UNABLE_TO_GET_ISSUER_CERT: 'is signed by an authority that is not known here',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'is signed by an authority that is not known here',
  CERT_HAS_EXPIRED: 'has expired',
  CERT_NOT_YET_VALID: 'is not valid yet',
  CERT_REVOKED: 'was revoked',
  ERR_TLS_CERT_ALTNAME_INVALID: 'is for another name',
};

function certificateProblem(error: NodeJS.ErrnoException, url: URL): Failure | undefined {
  const words = certificateWords[error.code ?? ''];
  if (words === undefined) return undefined;
  const names = error.code === 'ERR_TLS_CERT_ALTNAME_INVALID' ? ` than ${hostOf(url)}` : '';
  return { stage: 'certificate', what: `its certificate ${words}${names} (${error.code})` };
}

/** What came furthest says most. */
function errorOf(url: URL, failures: readonly Failure[], limitS: number): TierbenchError {
  const whats = (stage: Failure['stage']) => failures.filter((each) => each.stage === stage).map(({ what }) => what);
  const [refused] = whats('certificate');
  if (refused !== undefined) {
    return new TierbenchError(
      'CERTIFICATE_REFUSED',
      `${url.href} is not who it claims to be: ${refused}`,
      'Give the certificate of the authority that signed it, or do without the check.',
      { remedy: 'trust-certificate' },
    );
  }
  const [badly] = whats('answering');
  if (badly !== undefined) {
    return new TierbenchError(
      'URL_ANSWERS_BADLY',
      `the server at ${url.href} ${badly}`,
      'Check that the address is that of the API, with http or https as it needs, and what its log says.',
    );
  }
  const why = whats('connecting').join('; ') || `no answer within ${limitS} s`;
  return new TierbenchError(
    'URL_NOT_REACHABLE',
    `nothing answers at ${url.href}: ${why}`,
    'Start the server, or check the address and port.',
  );
}
