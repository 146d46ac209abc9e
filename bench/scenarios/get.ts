import { defineScenario, send } from '../../scenarios/kit.ts';

export default defineScenario({
  name: 'get',
  description: 'One request that is answered with a few bytes.',
  *iteration() {
    yield* send({ name: 'get', method: 'GET', path: '/' });
  },
});
