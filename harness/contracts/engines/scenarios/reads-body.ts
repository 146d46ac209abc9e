import { defineScenario, send } from '../../../../scenarios/kit.ts';

export default defineScenario({
  name: 'reads-body',
  description: 'Reads the body of each response.',
  *iteration() {
    const response = yield* send({ name: 'request', method: 'GET', path: '/' });
    response.text();
  },
});
