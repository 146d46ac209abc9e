import type { FastifyInstance, FastifyReply } from 'fastify';
import { type AppDependencies, signedInUser } from '../dependencies.ts';
import { ApiError, databaseUnavailable } from '../plugins/failures.ts';
import { type WalPosition, walEnd } from '../plugins/write-positions.ts';
import { createTasksRepository, type Task, type TaskPage } from '../repositories/tasks.ts';
import { answers, done, jsonSchema, signedIn } from '../schemas/envelope.ts';
import {
  type TaskBody,
  type TaskChanges,
  type TaskListQuery,
  taskAnswer,
  taskBody,
  taskChanges,
  taskListAnswer,
  taskListQuery,
  taskParams,
  taskStatsAnswer,
} from '../schemas/tasks.ts';

const described = { tags: ['tasks'], security: signedIn };

/** A user's own tasks. Another user's task is answered like one that does not exist. */
export function taskRoutes(app: FastifyInstance, dependencies: AppDependencies): void {
  const { authenticate, cache, database, writePositions } = dependencies;
  const tasks = createTasksRepository(database);
  app.addHook('onRequest', authenticate);

  const invalidate = (owner: string, written: WalPosition) =>
    Promise.all([cache.invalidate('tasks-list', owner, written), cache.invalidate('task-stats', owner, written)]);

  /**
   * What was written is what its user sees from now on. So it is when there was nothing to write: an instance that died
   * before it wrote to the cache may have done it. A write whose answer was lost may be part of the database or not.
   */
  async function write<T>(userId: number, reply: FastifyReply, work: () => Promise<T>): Promise<T> {
    const owner = String(userId);
    try {
      const result = await work();
      await invalidate(owner, await writePositions.tell(reply));
      return result;
    } catch (error) {
      if (databaseUnavailable(error as Error) !== undefined) await invalidate(owner, walEnd);
      throw error;
    }
  }

  app.post<{ Body: TaskBody }>(
    '',
    { schema: { ...described, body: jsonSchema(taskBody), response: answers({ 201: taskAnswer }) } },
    async (request, reply) => {
      const { id: userId } = signedInUser(request);
      const fields = { ...request.body, dueAt: dueTime(request.body.dueAt) };
      const created = await write(userId, reply, () => tasks.create(userId, fields));
      // A token outlives its user by minutes.
      if (created === undefined) throw new ApiError(401, 'NOT_SIGNED_IN', 'The account no longer exists.');
      reply.code(201);
      return { success: true, task: created };
    },
  );

  app.get<{ Querystring: TaskListQuery }>(
    '',
    { schema: { ...described, querystring: jsonSchema(taskListQuery), response: answers({ 200: taskListAnswer }) } },
    async (request) => {
      const { id: userId } = signedInUser(request);
      const { page, limit, status, priority, search = '', sort } = request.query;
      // Free text comes last, so that no text makes two different queries share a key.
      const key = `${userId}:${page}:${limit}:${status ?? ''}:${priority ?? ''}:${sort}:${search}`;
      const found = await cache.readThrough<TaskPage>('tasks-list', key, writePositions.of(request), (after) =>
        tasks.list(userId, request.query, after),
      );
      return {
        success: true,
        tasks: found.tasks,
        pagination: {
          currentPage: page,
          totalPages: Math.ceil(found.totalTasks / limit),
          totalTasks: found.totalTasks,
        },
      };
    },
  );

  app.get('/stats', { schema: { ...described, response: answers({ 200: taskStatsAnswer }) } }, async (request) => {
    const { id: userId } = signedInUser(request);
    const stats = await cache.readThrough('task-stats', String(userId), writePositions.of(request), (after) =>
      tasks.stats(userId, after),
    );
    return { success: true, stats };
  });

  app.get<{ Params: { id: number } }>(
    '/:id',
    { schema: { ...described, params: jsonSchema(taskParams), response: answers({ 200: taskAnswer }) } },
    async (request) => {
      const task = await tasks.find(signedInUser(request).id, request.params.id);
      return { success: true, task: found(task) };
    },
  );

  app.put<{ Params: { id: number }; Body: TaskBody }>(
    '/:id',
    {
      schema: {
        ...described,
        params: jsonSchema(taskParams),
        body: jsonSchema(taskBody),
        response: answers({ 200: taskAnswer }),
      },
    },
    async (request, reply) => {
      const { id: userId } = signedInUser(request);
      const { params, body } = request;
      const fields = { ...body, dueAt: dueTime(body.dueAt) };
      const task = found(await write(userId, reply, () => tasks.update(userId, params.id, fields)));
      return { success: true, task };
    },
  );

  app.patch<{ Params: { id: number }; Body: TaskChanges }>(
    '/:id',
    {
      schema: {
        ...described,
        params: jsonSchema(taskParams),
        body: jsonSchema(taskChanges),
        response: answers({ 200: taskAnswer }),
      },
    },
    async (request, reply) => {
      const { id: userId } = signedInUser(request);
      const { dueAt, ...changes } = request.body;
      const due = dueAt === undefined ? undefined : dueTime(dueAt);
      const { id } = request.params;
      const task = found(await write(userId, reply, () => tasks.update(userId, id, { ...changes, dueAt: due })));
      return { success: true, task };
    },
  );

  app.delete<{ Params: { id: number } }>(
    '/:id',
    { schema: { ...described, params: jsonSchema(taskParams), response: answers({ 200: done }) } },
    async (request, reply) => {
      const { id: userId } = signedInUser(request);
      if (!(await write(userId, reply, () => tasks.remove(userId, request.params.id)))) found(undefined);
      return { success: true, message: 'The task is deleted.' };
    },
  );
}

function found(task: Task | undefined): Task {
  if (task === undefined) throw new ApiError(404, 'NOT_FOUND', 'There is no such task.');
  return task;
}

/**
 * The schema lets a leap second through, for which neither a Date nor every other reader has a value, and offsets that
 * lead out of the years 0 to 9999, which no answer could name.
 */
function dueTime(text: string | null): Date | null {
  if (text === null) return null;
  const time = new Date(text);
  const year = time.getUTCFullYear();
  if (year >= 0 && year <= 9999) return time;
  throw new ApiError(400, 'INVALID_REQUEST', `dueAt: ${text} is not a time.`);
}
