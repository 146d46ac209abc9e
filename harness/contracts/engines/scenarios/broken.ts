import { defineScenario, send } from '../../../../scenarios/kit.ts';

export default defineScenario({
  name: 'broken',
  description: 'Throws although every answer was right.',
  *iteration() {
    yield* send({ name: 'request', method: 'GET', path: '/' });
    throw new Error('oops');
  },
});
