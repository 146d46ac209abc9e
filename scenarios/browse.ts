import { type Behaviour, defineScenario, integerBetween, pick, type Random, think, type VirtualUser } from './kit.ts';
import {
  call,
  changeTaskStatus,
  listTasks,
  logIn,
  me,
  readTask,
  type SignedIn,
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
    const read = yield* readTasks({ user, random }, session, lookAtIt);
    if (read !== undefined && random() < 0.1) {
      yield* call(user, session, changeTaskStatus(read, pick(random, ['pending', 'in-progress', 'completed'])));
      yield* lookAtIt(random);
    }
    if (random() < 0.5) {
      yield* call(user, session, taskStats());
      yield* lookAtIt(random);
    }
  },
});

/** Lists, pages and filters the tasks of the user and reads one of them, whose id it gives. Writes nothing. */
export function* readTasks(
  { user, random }: VirtualUser,
  session: SignedIn,
  pause: (random: Random) => Behaviour = withoutPause,
): Behaviour<number | undefined> {
  yield* call(user, session, me(user));
  const first = yield* call(user, session, listTasks(1));
  yield* pause(random);

  const pages = Math.min(5, Math.ceil(totalTasksOf(first) / 10));
  if (pages > 1) {
    yield* call(user, session, listTasks(integerBetween(random, 2, pages)));
    yield* pause(random);
  }
  yield* call(user, session, listTasks(1, pick(random, FILTERS), 'filter tasks'));
  yield* pause(random);

  const [id, ...others] = taskIdsOf(first);
  if (id === undefined) return undefined;
  const chosen = pick(random, [id, ...others]);
  yield* call(user, session, readTask(chosen));
  yield* pause(random);
  return chosen;
}

function* withoutPause(): Behaviour {}

function* lookAtIt(random: Random): Behaviour {
  yield* think(1 + 4 * random());
}
