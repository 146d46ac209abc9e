import { defineScenario, integerBetween, send } from '../../../../scenarios/kit.ts';

/** Tells the server what it saw of the server's answers, so that a test can look whatever engine runs it. */
export default defineScenario({
  name: 'conversation',
  description: 'Bodies, headers, cookies and random numbers, there and back.',
  *iteration({ user, random }) {
    const numbers = [random(), random(), integerBetween(random, 1, 1_000_000)];
    const first = yield* send({
      name: 'open',
      method: 'POST',
      path: '/open?a=1&b=%C3%A9',
      headers: { 'X-User': String(user.index) },
      body: { json: { numbers, text: 'Grüße, 世界' } },
    });
    yield* send({
      name: 'tell',
      method: 'PUT',
      path: '/tell',
      headers: { 'x-user': String(user.index) },
      cookies: first.cookies,
      body: {
        json: {
          status: first.status,
          ok: first.ok,
          header: first.header('X-Answer') ?? '',
          body: (first.json() ?? null) as { [key: string]: string },
        },
      },
    });
    yield* send({ name: 'close', method: 'DELETE', path: '/close', headers: { 'x-user': String(user.index) } });
  },
});
