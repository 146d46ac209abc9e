import { TierbenchError } from '../core/errors.ts';

/** The address the paths of a scenario are appended to. Throws INVALID_BASE_URL. */
export function checkBaseUrl(text: string): URL {
  const url = URL.parse(text);
  if (
    url !== null &&
    /^https?:$/.test(url.protocol) &&
    `${url.username}${url.password}${url.search}${url.hash}` === ''
  ) {
    return url;
  }
  // It may hold a secret, so no more of it is shown than where it leads.
  const shown = url === null ? 'not an address' : `${url.protocol}//${url.host}/... with more to it`;
  throw new TierbenchError(
    'INVALID_BASE_URL',
    `The base URL must be http://host:port or https://host:port with an optional path, but is ${shown}.`,
    'Give the address that the paths of the scenario are appended to, without user, password, query and fragment.',
  );
}
