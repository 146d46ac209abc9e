import { type AddressInfo, createServer } from 'node:net';
import { parentPort } from 'node:worker_threads';
import { thisSystem } from '../operating-system/this-system.ts';

/** What the thread of `calibrate.ts` posts once it listens. */
export interface EchoListening {
  readonly port: number;
  /** As the system knows it, so that it can be given a CPU; null where the system does not say. */
  readonly threadId: number | null;
}

const HEAD_END = Buffer.from('\r\n\r\n');
const ANSWER = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}';

/** How many heads end in the chunk, and how many bytes of the end of another one are its last bytes. */
function endsIn(chunk: Buffer, matchedBefore: number): { readonly heads: number; readonly matched: number } {
  // Nearly always a chunk is one request.
  if (matchedBefore === 0 && chunk.indexOf(HEAD_END) === chunk.length - HEAD_END.length)
    return { heads: 1, matched: 0 };
  let heads = 0;
  let matched = matchedBefore;
  for (const byte of chunk) {
    if (byte === HEAD_END[matched]) matched += 1;
    else matched = byte === HEAD_END[0] ? 1 : 0;
    if (matched < HEAD_END.length) continue;
    heads += 1;
    matched = 0;
  }
  return { heads, matched };
}

/** Answers every request without a body at once with the same words: nothing that serves HTTP takes less. */
const server = createServer({ noDelay: true }, (socket) => {
  let matched = 0;
  socket.on('data', (chunk) => {
    const ends = endsIn(chunk, matched);
    matched = ends.matched;
    if (ends.heads > 0) socket.write(ends.heads === 1 ? ANSWER : ANSWER.repeat(ends.heads), 'latin1');
  });
  socket.on('error', () => socket.destroy());
});

server.listen(0, '127.0.0.1', () => {
  const listening: EchoListening = { port: (server.address() as AddressInfo).port, threadId: thisSystem.threadId() };
  parentPort?.postMessage(listening);
});
