import { defineScenario } from '../../scenarios/kit.ts';
import { call, listTasks, logIn } from '../../scenarios/task-api.ts';

export default defineScenario({
  name: 'tasks',
  description: 'Signs in once, then lists tasks of the reference app over and over, and checks every answer.',
  *begin({ user }) {
    return yield* logIn(user);
  },
  *iteration({ user, session }) {
    yield* call(user, session, listTasks(1));
  },
});
