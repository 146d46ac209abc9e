import { defineScenario, send } from '../../../../scenarios/kit.ts';

/** What each request is to be answered with, however that is framed. */
export const framings = [
  { name: 'length', status: 200, text: 'some text' },
  { name: 'byte by byte', status: 200, text: 'déjà 世界' },
  { name: 'chunks', status: 200, text: 'some text' },
  { name: 'chunks with extensions and trailers', status: 200, text: 'some text' },
  { name: 'empty', status: 200, text: '' },
  { name: 'no content', status: 204, text: '' },
  { name: 'not modified', status: 304, text: '' },
  { name: 'after interim answers', status: 200, text: 'some text' },
  { name: 'connection: close', status: 200, text: 'some text' },
  { name: 'until the end of the connection', status: 200, text: 'some text' },
  { name: 'HTTP/1.0', status: 200, text: 'some text' },
] as const;

export default defineScenario({
  name: 'framings',
  description: 'One request for each way an answer can be framed.',
  *iteration() {
    for (const { name, status, text } of framings) {
      yield* send({
        name,
        method: 'GET',
        path: `/${encodeURIComponent(name)}`,
        expectStatus: status,
        check: (response) => response.text() === text,
      });
    }
  },
});
