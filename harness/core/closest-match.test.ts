import { expect, it } from 'vitest';
import { nearestWord, suggestion } from './closest-match.ts';

it.each([
  ['singel', 'single'],
  ['SINGLE', 'single'],
  ['cache', 'cached'],
  ['something', undefined],
  ['', undefined],
])('%s: meant is %s', (word, expected) => {
  expect(nearestWord(word, ['single', 'pooled', 'cached'])).toBe(expected);
});

it('takes no time for words and candidates of any length', () => {
  const long = 'x'.repeat(1_000_000);
  const startMs = performance.now();
  expect(suggestion(long, ['single'])).toBe('Known: single.');
  expect(nearestWord(long, [`${long}y`])).toBeUndefined();
  expect(nearestWord('single', [long, 'singles'])).toBe('singles');
  expect(performance.now() - startMs).toBeLessThan(1000);
});
