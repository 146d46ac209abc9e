import { expect, test } from 'vitest';
import { sourceKind } from './app-source.ts';

test.each([
  ['http://127.0.0.1:3000', 'url'],
  ['https://api.example.org', 'url'],
  ['.', 'folder'],
  ['../before', 'folder'],
  ['/srv/app', 'folder'],
  ['./app:1', 'folder'],
  ['shop/api:1.4', 'image'],
  ['api:latest', 'image'],
  ['registry.example.org:5000/shop/api:1.4', 'image'],
  ['api@sha256:0123abcd', 'image'],
  ['main', 'commit'],
  ['feature/faster-list', 'commit'],
  ['origin/main~2', 'commit'],
  ['v1.2.0', 'commit'],
  ['HEAD^', 'commit'],
  ['--output=x', 'commit'],
  ['', 'commit'],
])('%s is of kind %s', (source, kind) => {
  expect(sourceKind(source, false)).toBe(kind);
});

test('a folder that is there is one, whatever its name', () => {
  expect(sourceKind('api:1', true)).toBe('folder');
  expect(sourceKind('main', true)).toBe('folder');
});
