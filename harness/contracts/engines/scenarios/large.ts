import { defineScenario, send } from '../../../../scenarios/kit.ts';

/** 2.4 MB in UTF-8. */
export const largeText = 'Größe '.repeat(300_000);

export default defineScenario({
  name: 'large',
  description: 'Reads a large body.',
  *iteration() {
    yield* send({ name: 'request', method: 'GET', path: '/', check: (response) => response.text() === largeText });
  },
});
