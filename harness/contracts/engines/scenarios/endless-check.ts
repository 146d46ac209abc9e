import { defineScenario, send } from '../../../../scenarios/kit.ts';

export default defineScenario({
  name: 'endless-check',
  description: 'Keeps its thread when it checks its first response.',
  *iteration() {
    const check = (): boolean => {
      for (;;);
    };
    yield* send({ name: 'request', method: 'GET', path: '/', check });
  },
});
