import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { TierbenchError } from '../core/errors.ts';
import { createSecretFilter } from './without-secrets.ts';

const secret = `p"a\\s/s <&> 'ü😀`;
const { text, value, error } = createSecretFilter([secret, 'latency', 'code']);

const html = secret.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
const asciiJson = JSON.stringify(secret).replace(
  /[^\x20-\x7e]/g,
  (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
);

test.each([
  ['as it is', secret],
  ['JSON', JSON.stringify(secret)],
  ['JSON in JSON', JSON.stringify(JSON.stringify({ secret }))],
  ['JSON of ASCII alone', asciiJson],
  ['JSON with escaped slashes and angles', JSON.stringify(secret).replaceAll('/', '\\/').replaceAll('<', '\\u003C')],
  ['a part of a URL', encodeURIComponent(secret)],
  ['the same in lower case', encodeURIComponent(secret).toLowerCase()],
  ['a URL in a URL', encodeURIComponent(encodeURIComponent(secret))],
  ['a form', new URLSearchParams({ secret }).toString()],
  ['HTML', html],
  ['HTML in numbers', [...secret].map((letter) => `&#${letter.codePointAt(0)};`).join('')],
  ['HTML in hexadecimal numbers', [...secret].map((letter) => `&#x${letter.codePointAt(0)?.toString(16)};`).join('')],
])('%s', (_how, spelled) => {
  expect(text(`before ${spelled} after`)).toMatch(/^before [^%&p]*\*\*\*[^%&ü]* after$/);
});

test.each(['', 'u', 'us', 'use', 'user:'])('base64, after %j', (before) => {
  for (const alphabet of ['base64', 'base64url'] as const) {
    const bytes = Buffer.from(secret);
    const spelled = Buffer.concat([Buffer.from(before), bytes, Buffer.from('!')]).toString(alphabet);
    const cut = text(spelled);
    expect(cut).toContain('***');
    expect(cut.length).toBeLessThan(before.length * 2 + 14);
  }
});

test('what is not foreign text stays, so that a secret that is a word of ours damages no file', () => {
  const given = { code: 'latency', latencyS: 7, message: 'latency of code', list: [{ detail: 'code' }], name: 'code' };
  expect(value(given)).toEqual({
    code: 'latency',
    latencyS: 7,
    message: '*** of ***',
    list: [{ detail: '***' }],
    name: 'code',
  });
});

test('an error keeps its code and remedy', () => {
  const problems = [{ what: `said ${JSON.stringify(secret)}`, line: 3 }];
  const given = new TierbenchError('ANSWERS_WRONG', secret, 'Fix the code.', { problems, remedy: 'other-folder' });
  expect(error(given)).toMatchObject({
    code: 'ANSWERS_WRONG',
    message: '***',
    nextStep: 'Fix the ***.',
    remedy: 'other-folder',
    problems: [{ what: 'said "***"', line: 3 }],
  });
});

test('a secret that is cut by the end of an excerpt, in whole or after a few letters', () => {
  const long = 'correct-"horse"-battery';
  const filter = createSecretFilter([long]);
  for (let length = 4; length < long.length; length += 1) {
    const raw = long.slice(0, length);
    const inJson = JSON.stringify(long).slice(1, length + 1);
    for (const part of [raw, inJson]) {
      expect(filter.text(`GET / answered 400: {"password":"${part}...`)).toBe(
        'GET / answered 400: {"password":"***...',
      );
    }
  }
  expect(filter.text('correct words go on...')).toBe('correct words go on...');
});

test('errors of others and causes, however they are thrown', () => {
  const foreign = new Error(`cannot use ${secret}`, { cause: new Error(secret) });
  const cut = [error(foreign), error(`thrown: ${secret}`)] as Error[];
  const cause = new TierbenchError('SCENARIO_THREW', 'threw', 'Fix it.', { cause: foreign });
  const { cause: cutCause } = error(cause) as Error;
  for (const one of [...cut, cutCause as Error]) {
    expect(inspect(one, { depth: 10 })).toContain('***');
    expect(inspect(one, { depth: 10 })).not.toContain(secret);
  }
});
