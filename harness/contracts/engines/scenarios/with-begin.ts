import { defineScenario, send } from '../../../../scenarios/kit.ts';

export default defineScenario({
  name: 'with-begin',
  description: 'Signs in once, then uses what it was given.',
  *begin({ user }) {
    const answer = yield* send({ name: 'begin', method: 'POST', path: '/begin', body: { json: { user: user.index } } });
    return { token: answer.text() };
  },
  *iteration({ user, session }) {
    const headers = { authorization: session.token, 'x-user': String(user.index) };
    yield* send({ name: 'request', method: 'GET', path: '/', headers });
  },
});
