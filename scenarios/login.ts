import { defineScenario } from './kit.ts';
import { logIn } from './task-api.ts';

export default defineScenario({
  name: 'login',
  description: 'Logs in again and again: one login an iteration.',
  *iteration({ user }) {
    yield* logIn(user);
  },
});
