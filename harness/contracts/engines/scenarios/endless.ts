import { defineScenario, send } from '../../../../scenarios/kit.ts';

export default defineScenario({
  name: 'endless',
  description: 'Sends one request and keeps its thread from then on.',
  *iteration() {
    yield* send({ name: 'request', method: 'GET', path: '/' });
    for (;;);
  },
});
