import { defineScenario, send, think } from '../../../../scenarios/kit.ts';

export default defineScenario({
  name: 'thoughtful',
  description: 'Thinks for 200 ms between two requests.',
  hasThinkTime: true,
  *iteration() {
    yield* send({ name: 'before', method: 'GET', path: '/before' });
    yield* think(0.2);
    yield* send({ name: 'after', method: 'GET', path: '/after' });
    yield* think(0.2);
  },
});
