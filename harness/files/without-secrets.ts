import { describeThrown, stackOf, TierbenchError } from '../core/errors.ts';

/** Cuts secrets out of what is stored or shown. */
export interface SecretFilter {
  text(text: string): string;
  /** A copy of JSON without secrets in its foreign texts. All else is ours, so that it can be read again whatever a secret is. */
  value<T>(value: T): T;
  error(error: unknown): unknown;
}

/** Fields that hold what a server, a program or a scenario said. What tierbench itself says is in all others. */
const FOREIGN = new Set(['detail', 'message', 'what', 'nextStep', 'repeatWith']);
/** Shorter words would garble the text, and protect nothing. */
const SHORTEST = 4;
const REPLACEMENT = '***';

export function createSecretFilter(secrets: readonly string[]): SecretFilter {
  const patterns = [...new Set(secrets)]
    .filter((secret) => secret.length >= SHORTEST)
    .toSorted((left, right) => right.length - left.length)
    .map(patternFor);
  const spellings = [...new Set(secrets)].filter((secret) => secret.length >= SHORTEST).flatMap(usualSpellings);
  const text = (given: string): string =>
    withoutBeginnings(
      patterns.reduce((cut, pattern) => cut.replace(pattern, REPLACEMENT), given),
      spellings,
    );

  function walk(value: unknown, isForeign: boolean): unknown {
    if (typeof value === 'string') return isForeign ? text(value) : value;
    if (Array.isArray(value)) return value.map((each) => walk(each, isForeign));
    if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, walk(each, FOREIGN.has(key))]));
  }

  /** What others threw, by its message and stack alone: it may hold anything. */
  function withoutSecrets(thrown: unknown): Error {
    return Object.assign(new Error(text(describeThrown(thrown))), { stack: text(stackOf(thrown)) });
  }

  return {
    text,
    value: <T>(value: T) => (patterns.length === 0 ? value : (walk(value, false) as T)),
    error(error) {
      if (patterns.length === 0) return error;
      if (!(error instanceof TierbenchError)) return withoutSecrets(error);
      const { code, message, nextStep, remedy, problems, cause } = error;
      const options = {
        problems: problems.map((problem) => walk(problem, false) as typeof problem),
        ...(cause !== undefined && { cause: withoutSecrets(cause) }),
      };
      return new TierbenchError(code, text(message), text(nextStep), {
        ...options,
        ...(remedy !== undefined && { remedy }),
      });
    },
  };
}

/** As it stands in answers, and so may be cut by the end of an excerpt. */
function usualSpellings(secret: string): readonly string[] {
  return [...new Set([secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]), ...base64Of(secret)];
}

/** An excerpt ends in `...`, and a secret may have been cut there: its first letters say much of it. */
function withoutBeginnings(text: string, spellings: readonly string[]): string {
  const parts = text.split('...');
  const last = parts.length - 1;
  return parts.map((part, index) => (index === last ? part : withoutBeginning(part, spellings))).join('...');
}

function withoutBeginning(part: string, spellings: readonly string[]): string {
  let longest = 0;
  for (const spelling of spellings) {
    for (let length = Math.min(spelling.length, part.length); length >= SHORTEST && length > longest; length -= 1) {
      if (part.endsWith(spelling.slice(0, length))) longest = length;
    }
  }
  return longest === 0 ? part : `${part.slice(0, -longest)}${REPLACEMENT}`;
}

/** Letters that JSON may write with a letter after a backslash. */
const jsonLetters: Readonly<Record<string, string>> = { '\n': 'n', '\r': 'r', '\t': 't', '\b': 'b', '\f': 'f' };
const htmlNames: Readonly<Record<string, string>> = { '"': 'quot', '&': 'amp', '<': 'lt', '>': 'gt', "'": 'apos' };

/** A secret in any spelling, also where each of its letters is spelled in another way, or spelled twice (JSON in JSON). */
function patternFor(secret: string): RegExp {
  return new RegExp([[...secret].map(letterPattern).join(''), ...base64Of(secret).map(escaped)].join('|'), 'gu');
}

function letterPattern(letter: string): string {
  const ways = [escaped(letter)];
  if (letter === '\\') ways.unshift('\\\\+');
  else ways.push(`\\\\+${escaped(letter === '"' || letter === '/' ? letter : (jsonLetters[letter] ?? letter))}`);
  const units = Array.from({ length: letter.length }, (_, index) => letter.charCodeAt(index));
  ways.push(units.map((unit) => `\\\\+u${anyCase(unit.toString(16).padStart(4, '0'))}`).join(''));
  ways.push([...Buffer.from(letter)].map((byte) => `%(?:25)*${anyCase(byte.toString(16).padStart(2, '0'))}`).join(''));
  const point = letter.codePointAt(0) ?? 0;
  ways.push(`&(?:amp;)*#0*${point};`, `&(?:amp;)*#[xX]0*${anyCase(point.toString(16))};`);
  const name = htmlNames[letter];
  if (name !== undefined) ways.push(`&(?:amp;)*${name};`);
  // Excerpts of bodies are shown on one line.
  if (/\s/u.test(letter)) ways.push('\\+', '\\s+');
  return `(?:${ways.join('|')})`;
}

/** Also where it is a part of what was encoded, as in basic authentication: by its place among three bytes. */
function base64Of(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [0, 1, 2].flatMap((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), bytes]);
    const from = Math.ceil((before * 8) / 6);
    const to = Math.floor((whole.length * 8) / 6);
    return (['base64', 'base64url'] as const).map((alphabet) => whole.toString(alphabet).slice(from, to));
  });
}

function anyCase(hex: string): string {
  return hex.replace(/[a-f]/g, (letter) => `[${letter}${letter.toUpperCase()}]`);
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
