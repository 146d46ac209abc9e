import { type Behaviour, defineScenario, integerBetween, pick, type Random, think } from './kit.ts';
import {
  call,
  changeTaskStatus,
  listTasks,
  logIn,
  me,
  readTask,
  taskIdsOf,
  taskStats,
  totalTasksOf,
} from './task-api.ts';

const FILTERS = ['status=pending', 'status=in-progress&priority=high', 'search=report', 'sort=-dueAt'] as const;

export default defineScenario({
  name: 'browse',
  description: 'Looks around as people do: lists, pages, filters and reads, and changes a task one time in ten.',
  hasThinkTime: true,
  *begin({ user }) {
    return yield* logIn(user);
  },
  *iteration({ user, random, session }) {
    yield* call(user, session, me(user));
    const first = yield* call(user, session, listTasks(1));
    yield* lookAtIt(random);

    const pages = Math.min(5, Math.ceil(totalTasksOf(first) / 10));
    if (pages > 1) {
      yield* call(user, session, listTasks(integerBetween(random, 2, pages)));
      yield* lookAtIt(random);
    }
    yield* call(user, session, listTasks(1, pick(random, FILTERS), 'filter tasks'));
    yield* lookAtIt(random);

    const [id, ...others] = taskIdsOf(first);
    if (id !== undefined) {
      const chosen = pick(random, [id, ...others]);
      yield* call(user, session, readTask(chosen));
      yield* lookAtIt(random);
      if (random() < 0.1) {
        yield* call(user, session, changeTaskStatus(chosen, pick(random, ['pending', 'in-progress', 'completed'])));
        yield* lookAtIt(random);
      }
    }
    if (random() < 0.5) {
      yield* call(user, session, taskStats());
      yield* lookAtIt(random);
    }
  },
});

function* lookAtIt(random: Random): Behaviour {
  yield* think(1 + 4 * random());
}
