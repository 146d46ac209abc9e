import { type Behaviour, defineScenario, integerBetween, pick, type VirtualUser } from './kit.ts';
import {
  call,
  createTask,
  deleteTask,
  listTasks,
  readDeletedTask,
  readTask,
  replaceTask,
  type SignedIn,
  signIn,
  type TaskFields,
  taskIdOf,
} from './task-api.ts';

export default defineScenario({
  name: 'crud',
  description: 'Logs in once, then creates, reads, lists, updates and deletes tasks, and checks every answer.',
  begin: signIn,
  iteration({ session, ...virtualUser }) {
    return taskLife(virtualUser, session);
  },
});

/** A task of its own from its creation to its deletion: what it adds it removes. */
export function* taskLife({ user, random }: VirtualUser, session: SignedIn): Behaviour {
  const fields: TaskFields = {
    title: `Measure ${user.index}-${integerBetween(random, 1, 1_000_000_000)}`,
    description: 'Made by a load test',
    status: 'pending',
    priority: pick(random, ['low', 'medium', 'high']),
  };
  const id = taskIdOf(yield* call(user, session, createTask(fields)));
  if (id === undefined) return;
  yield* call(user, session, readTask(id, fields));
  yield* call(user, session, listTasks(1));
  const changed: TaskFields = { ...fields, title: `${fields.title}, done`, status: 'completed' };
  yield* call(user, session, replaceTask(id, changed));
  yield* call(user, session, readTask(id, changed));
  const deleted = yield* call(user, session, deleteTask(id));
  if (deleted.ok) yield* call(user, session, readDeletedTask(id));
}
