import { defineScenario, send } from '../../../../scenarios/kit.ts';

export default defineScenario({
  name: 'endless-begin',
  description: 'Sends one request before its first iteration and keeps its thread from then on.',
  *begin() {
    yield* send({ name: 'begin', method: 'GET', path: '/' });
    for (;;);
  },
  *iteration() {
    yield* send({ name: 'request', method: 'GET', path: '/' });
  },
});
