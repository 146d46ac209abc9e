import type { FastifyReply, FastifyRequest } from 'fastify';
import { expect, test } from 'vitest';
import { readConfig } from '../config.ts';
import { parseWalPosition, walEnd, walStart } from './wal-position.ts';
import { createWritePositions } from './write-positions.ts';

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
