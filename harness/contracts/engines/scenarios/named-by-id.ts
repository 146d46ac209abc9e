import { defineScenario, integerBetween, send } from '../../../../scenarios/kit.ts';

export default defineScenario({
  name: 'named-by-id',
  description: 'A step name for each id.',
  *iteration({ random }) {
    const id = integerBetween(random, 1, 1_000_000_000);
    yield* send({ name: `read ${id}`, method: 'GET', path: `/${id}` });
  },
});
