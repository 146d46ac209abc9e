import { type Behaviour, defineScenario, integerBetween, pick, type Random, think } from './kit.ts';
import {
  call,
  changeTaskStatus,
  createTask,
  deleteTask,
  listTasks,
  logIn,
  logOut,
  me,
  readTask,
  refresh,
  type TaskFields,
  taskIdOf,
  taskIdsOf,
  taskStats,
} from './task-api.ts';

export default defineScenario({
  name: 'visit',
  description: 'A whole visit: log in, list, read, write a little, refresh the session, log out, with pauses between.',
  hasThinkTime: true,
  *iteration({ user, random }) {
    const session = yield* logIn(user);
    if (session.accessToken === '') {
      yield* pause(random);
      return;
    }
    yield* call(user, session, me(user));
    const list = yield* call(user, session, listTasks(1));
    yield* pause(random);

    const [id, ...others] = taskIdsOf(list);
    if (id !== undefined) {
      for (let reads = integerBetween(random, 2, 4); reads > 0; reads -= 1) {
        yield* call(user, session, readTask(pick(random, [id, ...others])));
        yield* pause(random);
      }
    }
    yield* call(user, session, taskStats());
    yield* pause(random);

    const fields: TaskFields = {
      title: `Visit ${user.index}-${integerBetween(random, 1, 1_000_000_000)}`,
      description: 'Made by a load test',
      status: 'pending',
      priority: pick(random, ['low', 'medium', 'high']),
    };
    const created = taskIdOf(yield* call(user, session, createTask(fields)));
    yield* pause(random);

    yield* refresh(session);
    if (created !== undefined) {
      yield* call(user, session, changeTaskStatus(created, 'completed'));
      yield* pause(random);
      // What a visit adds it takes away, so that the last trial meets the same amount of data as the first.
      yield* call(user, session, deleteTask(created));
    }
    yield* call(user, session, listTasks(1));
    yield* pause(random);
    yield* logOut(session);
  },
});

function* pause(random: Random): Behaviour {
  yield* think(1 + 4 * random());
}
