import { defineScenario, send } from '../../scenarios/kit.ts';

export default defineScenario({
  name: 'health',
  description: 'Asks the reference app whether it is well: its cheapest answer.',
  *iteration() {
    yield* send({ name: 'health', method: 'GET', path: '/health' });
  },
});
