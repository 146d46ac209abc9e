import { defineScenario, send } from '../../../../scenarios/kit.ts';

/** Each request ends in the way its name says. */
export default defineScenario({
  name: 'outcomes',
  description: 'One request for each way a request can end.',
  *iteration() {
    yield* send({ name: 'ok', method: 'GET', path: '/ok', check: (response) => response.text() === 'fine' });
    yield* send({ name: 'wrong-answer', method: 'GET', path: '/ok', check: (response) => response.text() === 'other' });
    yield* send({ name: 'http-error', method: 'GET', path: '/error' });
    yield* send({ name: 'expected error', method: 'GET', path: '/error', expectStatus: [404, 500] });
    yield* send({ name: 'reset', method: 'GET', path: '/reset' });
    yield* send({ name: 'closed', method: 'GET', path: '/close' });
    yield* send({ name: 'cut short', method: 'GET', path: '/cut-short' });
    yield* send({ name: 'malformed', method: 'GET', path: '/malformed' });
    yield* send({ name: 'timeout', method: 'GET', path: '/silence' });
    yield* send({ name: 'too slow', method: 'GET', path: '/trickle' });
  },
});
