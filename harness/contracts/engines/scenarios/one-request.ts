import { defineScenario, send } from '../../../../scenarios/kit.ts';

export default defineScenario({
  name: 'one-request',
  description: 'One request an iteration.',
  *iteration({ user }) {
    yield* send({ name: 'request', method: 'GET', path: '/', headers: { 'x-user': String(user.index) } });
  },
});
