import { expect, test } from 'vitest';
import { changeInWords, changeSize, changeText, shortChange } from './change-words.ts';

const of = (value: number, low: number, high: number) => ({ value, low, high });

test.each([
  [of(1.12, 1.08, 1.16), '+12 % (8 to 16)', '+12 %', 'rose by 12 % (8 to 16)'],
  [of(0.8, 0.76, 0.85), '−20 % (−24 to −15)', '−20 %', 'fell by 20 % (15 to 24)'],
  [of(1.001, 0.95, 1.06), '± 0 % (−5 to 6)', '± 0 %', 'rose by 0 % (−5 to 6)'],
  [of(12.3, 11, 14), '× 12.3 (11 to 14)', '× 12.3', 'rose to 12.3 times as much (11 to 14)'],
])('%o reads %s', (ratio, size, short, words) => {
  expect(changeSize(ratio)).toBe(size);
  expect(shortChange(ratio.value)).toBe(short);
  expect(changeInWords(ratio)).toBe(words);
});

test('what is within noise and what cannot be said are told apart', () => {
  expect(changeText({ kind: 'changed', ratio: of(1.12, 1.08, 1.16) })).toBe('+12 % (8 to 16)');
  expect(changeText({ kind: 'unclear', ratio: of(1.01, 0.9, 1.1) })).toBe('no change beyond noise');
  expect(changeText({ kind: 'unknown', tier: 'pooled', why: { code: 'not-measured', runEnded: false } })).toBe(
    'cannot be said: pooled: not measured',
  );
});
