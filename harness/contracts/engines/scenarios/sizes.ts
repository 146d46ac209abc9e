import { defineScenario, send } from '../../../../scenarios/kit.ts';

const sized = ['length', 'chunks', 'gzip', 'large', 'error'] as const;

export default defineScenario({
  name: 'sizes',
  description: 'Responses of known sizes, however they are framed, and some without a body.',
  *iteration() {
    for (const name of sized) {
      yield* send({ name, method: 'GET', path: `/${name}`, expectStatus: name === 'error' ? 500 : 200 });
    }
    yield* send({ name: 'head', method: 'HEAD', path: '/length' });
    yield* send({ name: 'empty', method: 'DELETE', path: '/empty', expectStatus: 204 });
  },
});
