import type { FastifyReply, FastifyRequest } from 'fastify';
import { describe, expect, test } from 'vitest';
import { readConfig } from '../config.ts';
import {
  createWritePositions,
  laterOf,
  parseWalPosition,
  printWalPosition,
  walEnd,
  walStart,
} from './write-positions.ts';

const DATABASE_URL = 'postgresql://app:pw@127.0.0.1:5432/app';
const withReader = readConfig({ DATABASE_URL, DATABASE_READER_URL: DATABASE_URL, JWT_SECRET: 'of no use here' });

function requestWith(header: string | undefined, cookie: string | undefined): FastifyRequest {
  const request = { headers: { 'x-write-position': header }, cookies: { writePosition: cookie } };
  return request as unknown as FastifyRequest;
}

function replyThatKeeps(kept: Record<string, unknown>): FastifyReply {
  const keep = (name: string, value: unknown) => {
    kept[name] = value;
  };
  return { header: keep, setCookie: keep } as unknown as FastifyReply;
}

test('of a header and a cookie the later position counts', () => {
  const { of } = createWritePositions(withReader, { position: async () => walStart });
  expect(of(requestWith('0/9', '0/10'))).toBe(parseWalPosition('0/10'));
  expect(of(requestWith('1/0', 'nonsense'))).toBe(parseWalPosition('1/0'));
  expect(of(requestWith(undefined, undefined))).toBe(walStart);
});

test('a write whose position cannot be had any more is answered, and its reads go to the writer', async () => {
  const kept: Record<string, unknown> = {};
  const { tell } = createWritePositions(withReader, { position: () => Promise.reject(new Error('gone')) });
  expect(await tell(replyThatKeeps(kept))).toBe(walEnd);
  expect(kept).toEqual({ 'x-write-position': 'FFFFFFFF/FFFFFFFF', writePosition: 'FFFFFFFF/FFFFFFFF' });
});

test('without a replica no client gets a position or is asked for one', async () => {
  const kept: Record<string, unknown> = {};
  const positions = createWritePositions(readConfig({ DATABASE_URL }), { position: async () => walEnd });
  expect(await positions.tell(replyThatKeeps(kept))).toBe(walStart);
  expect(positions.of(requestWith('FFFFFFFF/FFFFFFFF', undefined))).toBe(walStart);
  expect(kept).toEqual({});
});

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
