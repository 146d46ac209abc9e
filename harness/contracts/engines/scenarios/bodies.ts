import { type Body, defineScenario, send } from '../../../../scenarios/kit.ts';

export const allBytes: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => byte);

/** What a scenario sends, the type it is sent as, and its bytes as they arrive, in latin1. */
export const bodies: Readonly<Record<string, { readonly body: Body; readonly type: string; readonly sent: string }>> = {
  json: { body: { json: { a: [1, 'é'] } }, type: 'application/json', sent: '{"a":[1,"Ã©"]}' },
  form: {
    body: { form: { name: 'A & B', tag: ['x', 'é'] } },
    type: 'application/x-www-form-urlencoded',
    sent: 'name=A+%26+B&tag=x&tag=%C3%A9',
  },
  text: { body: { text: 'é,b', type: 'text/csv' }, type: 'text/csv', sent: 'Ã©,b' },
  bytes: { body: { bytes: allBytes }, type: 'application/octet-stream', sent: String.fromCharCode(...allBytes) },
  'no bytes': { body: { bytes: new Uint8Array() }, type: 'application/octet-stream', sent: '' },
};

export default defineScenario({
  name: 'bodies',
  description: 'Every kind of body, methods without one, and a second base URL.',
  *iteration() {
    for (const [name, { body }] of Object.entries(bodies)) {
      yield* send({ name, method: 'POST', path: `/${encodeURIComponent(name)}`, body });
    }
    const check = (response: { text(): string; header(name: string): string | undefined }) =>
      response.text() === '' && response.header('x-answer') === 'yes';
    yield* send({ name: 'head', method: 'HEAD', path: '/head', check });
    yield* send({ name: 'options', method: 'OPTIONS', path: '/options', expectStatus: 204 });
    yield* send({ name: 'elsewhere', method: 'GET', path: '/elsewhere', base: 'other' });
    yield* send({ name: 'back', method: 'GET', path: '/back' });
  },
});
