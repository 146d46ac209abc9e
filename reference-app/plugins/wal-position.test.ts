import { describe, expect, test } from 'vitest';
import { laterOf, parseWalPosition, printWalPosition, walEnd, walStart } from './wal-position.ts';

describe('a position in the log of the primary', () => {
  test.each(['0/0', '0/1', '16/B374D848', 'FFFFFFFF/FFFFFFFF', '1/0'])(
    '%s is read and written as PostgreSQL does',
    (text) => {
      const position = parseWalPosition(text);
      expect(position).toMatch(/^[0-9A-F]{16}$/);
      expect(printWalPosition(position ?? '')).toBe(text);
    },
  );

  test.each([
    '',
    '/',
    '1',
    '0/',
    '/0',
    '0/123456789',
    'G/0',
    '0/1 ',
    ' 0/1',
    '0/1\n',
    '-1/0',
    '0x1/0',
    "0/1'; select 1",
  ])('%j is none', (text) => expect(parseWalPosition(text)).toBeUndefined());

  test('orders as the log does, not as the text PostgreSQL writes', () => {
    const inOrder = ['0/9', '0/A', '0/10', '0/FFFFFFFF', '1/0', '9/0', 'a/0', '10/0'].map(
      (text) => parseWalPosition(text) ?? '',
    );
    expect(inOrder.toSorted()).toEqual(inOrder);
    expect(laterOf(walStart, ...inOrder)).toBe(parseWalPosition('10/0'));
    expect(laterOf(walEnd, ...inOrder)).toBe(walEnd);
  });
});
