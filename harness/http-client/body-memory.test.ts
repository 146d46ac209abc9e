import { describe, expect, test } from 'vitest';
import { BodyMemory, joined, ReceivedBody } from './body-memory.ts';

const MIB = 2 ** 20;
const limits = { unread: 4 * MIB, read: 8 * MIB };

function received(memory: BodyMemory, bytes: number): ReceivedBody {
  const body = new ReceivedBody(memory);
  const piece = Buffer.alloc(100_000, 'x');
  for (let left = bytes; left > 0; left -= piece.length) body.add(piece, 0, Math.min(left, piece.length));
  return body;
}

describe('the memory of bodies', () => {
  test('a body is what came, whatever the pieces', () => {
    const text = Buffer.from('0123456789'.repeat(100_000));
    for (const pieceLength of [7, 4096, 300_000, text.length]) {
      for (const isExpected of [true, false]) {
        const body = new ReceivedBody(new BodyMemory());
        if (isExpected) body.expect(text.length);
        for (let at = 0; at < text.length; at += pieceLength)
          body.add(text, at, Math.min(text.length, at + pieceLength));
        expect([body.length, body.isLost]).toEqual([text.length, false]);
        expect(joined(body.take()).equals(text)).toBe(true);
        expect(joined(body.take()).length).toBe(0);
      }
    }
  });

  test('what finds no room is counted and not kept; small bodies always are', () => {
    const memory = new BodyMemory(1, limits);
    const [first, second, small] = [received(memory, 3 * MIB), received(memory, 3 * MIB), received(memory, 60_000)];
    expect([first, second, small].map(({ isLost }) => isLost)).toEqual([false, true, false]);
    expect(second.length).toBe(3 * MIB);
    expect(second.take()).toEqual([]);
    expect(joined(small.take()).length).toBe(60_000);
    // What was given up is free at once.
    first.clear();
    expect(received(memory, 3 * MIB).isLost).toBe(false);
  });

  test('bodies that are read have more room, and processes share it', () => {
    const memory = new BodyMemory(1, limits);
    expect(received(memory, 6 * MIB).isLost).toBe(true);
    memory.noteRead();
    expect(received(memory, 6 * MIB).isLost).toBe(false);
    expect(received(new BodyMemory(2, limits), 3 * MIB).isLost).toBe(true);
  });

  test('of many bodies of unknown size that come at once, some are complete', () => {
    const memory = new BodyMemory(1, limits);
    const piece = Buffer.alloc(100_000, 'x');
    const bodies = Array.from({ length: 50 }, () => new ReceivedBody(memory));
    let complete = 0;
    for (let round = 0; round < 200; round += 1) {
      for (const body of bodies) {
        body.add(piece, 0, piece.length);
        // One that is lost fails its iteration, and the user sends the next request at once.
        if (!body.isLost && body.length < 2 * MIB) continue;
        if (!body.isLost) complete += 1;
        body.clear();
      }
    }
    expect(complete).toBeGreaterThan(5);
  });

  test('a body beyond 64 MiB is not kept, whatever is free', () => {
    const memory = new BodyMemory(1, { unread: 200 * MIB, read: 200 * MIB });
    const declared = new ReceivedBody(memory);
    declared.expect(65 * MIB);
    expect([declared.isLost, received(memory, 65 * MIB).isLost]).toEqual([true, true]);
  });
});
