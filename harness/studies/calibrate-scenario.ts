import { defineScenario, send } from '../../scenarios/kit.ts';

export default defineScenario({
  name: 'calibration',
  description: 'One request an iteration, to an echo.',
  *iteration() {
    yield* send({ name: 'echo', method: 'GET', path: '/' });
  },
});
