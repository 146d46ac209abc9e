import { expect, it } from 'vitest';
import { referenceApp } from '../services/reference-app.ts';
import { externalTier, isThisMachine, urlProvider } from './url.ts';

it.each([
  ['127.0.0.1', true],
  ['127.8.9.10', true],
  ['10.1.2.3', false],
  ['172.16.0.1', false],
  ['192.168.1.1', false],
  ['0.0.0.0', true],
  ['::1', true],
  ['fd12:3456::1', false],
  ['::ffff:127.0.0.1', true],
  ['11.0.0.1', false],
  ['93.184.215.14', false],
  ['169.254.169.254', false],
  ['2606:2800:21f::1', false],
  ['::ffff:93.184.215.14', false],
])('%s is this machine: %s', (address, expected) => {
  expect(isThisMachine(address)).toBe(expected);
});

it.each([
  'localhost:3000',
  'not a url',
  'ftp://127.0.0.1/',
  'http://user:secret@127.0.0.1/',
  'http://127.0.0.1/?a=1',
  'http://127.0.0.1/#top',
  'http://127.0.0.1:0',
  '',
])('refuses %j as an address to measure', (text) => {
  expect(() => urlProvider(text)).toThrow(expect.objectContaining({ code: 'URL_INVALID' }));
});

it('does not repeat a password it refuses', () => {
  expect(() => urlProvider('http://user:secret@127.0.0.1/')).toThrow(
    expect.objectContaining({ message: expect.not.stringContaining('secret') }),
  );
});

it("refuses to aim load at a stranger's server, and says what allows it", async () => {
  const provider = urlProvider('http://93.184.215.14/');
  await expect(
    provider.deploy({ tier: externalTier, app: referenceApp }, new AbortController().signal),
  ).rejects.toMatchObject({
    code: 'REMOTE_HOST_REFUSED',
    remedy: 'allow-remote',
  });
});
