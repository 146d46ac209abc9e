import type { Database, Read, Statement } from '../dependencies.ts';
import type { WalPosition } from '../plugins/write-positions.ts';
import type { TaskListQuery, taskPriorities, taskSorts, taskStatuses } from '../schemas/tasks.ts';

type TaskStatus = (typeof taskStatuses)[number];
type TaskPriority = (typeof taskPriorities)[number];
type TaskSort = (typeof taskSorts)[number];

export interface TaskFields {
  readonly title: string;
  readonly description: string;
  readonly status: TaskStatus;
  readonly priority: TaskPriority;
  readonly dueAt: Date | null;
}

type TaskFieldChanges = { readonly [Field in keyof TaskFields]?: TaskFields[Field] | undefined };

export interface Task extends TaskFields {
  readonly id: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface TaskPage {
  readonly tasks: readonly Task[];
  readonly totalTasks: number;
}

export interface TaskStats {
  readonly total: number;
  readonly byStatus: Readonly<Record<TaskStatus, number>>;
  readonly byPriority: Readonly<Record<TaskPriority, number>>;
}

/** By the names of COLUMNS. The id breaks ties, so that no task is on two pages. */
const ORDER: Readonly<Record<TaskSort, string>> = {
  createdAt: '"createdAt", id',
  '-createdAt': '"createdAt" desc, id desc',
  updatedAt: '"updatedAt", id',
  '-updatedAt': '"updatedAt" desc, id desc',
  dueAt: '"dueAt" nulls last, id',
  '-dueAt': '"dueAt" desc nulls last, id desc',
  priority: 'priority, id',
  '-priority': 'priority desc, id desc',
  title: 'lower(title), id',
  '-title': 'lower(title) desc, id desc',
};

const COLUMNS = `id, title, description, status, priority, due_at as "dueAt", created_at as "createdAt",
  updated_at as "updatedAt"`;

/**
 * One page and the number of all matches, as one statement: one round trip, and both from the same snapshot.
 * A page past the end is one row of nulls beside the count.
 *
 * Statements are named, so each connection parses one per combination of filters and sort (80) once.
 *
 * Search reads the user's tasks through an index that starts with user_id and compares each; migrations/002_tasks.sql
 * says why.
 */
export function listStatement(userId: number, query: TaskListQuery): Required<Statement> {
  const values: unknown[] = [userId];
  const conditions = ['user_id = $1'];
  const filters: string[] = [];
  const parameter = (value: unknown): string => `$${values.push(value)}`;
  if (query.status !== undefined) {
    conditions.push(`status = ${parameter(query.status)}`);
    filters.push('status');
  }
  if (query.priority !== undefined) {
    conditions.push(`priority = ${parameter(query.priority)}`);
    filters.push('priority');
  }
  if (query.search !== undefined && query.search !== '') {
    const pattern = parameter(`%${query.search.replaceAll(/[\\%_]/g, '\\$&')}%`);
    conditions.push(`(title ilike ${pattern} or description ilike ${pattern})`);
    filters.push('search');
  }
  const where = conditions.join(' and ');
  const order = ORDER[query.sort];
  const text = `select * from (select count(*)::int as total from tasks where ${where}) as totals
    left join (
      select ${COLUMNS} from tasks where ${where} order by ${order}
      limit ${parameter(query.limit)} offset ${parameter((query.page - 1) * query.limit)}
    ) as page on true
    order by ${order}`;
  return { name: `tasks-list ${filters.join('+')} ${query.sort}`, text, values };
}

export function statsStatement(userId: number): Required<Statement> {
  return {
    name: 'tasks-stats',
    text: 'select status, priority, count(*)::int as tasks from tasks where user_id = $1 group by status, priority',
    values: [userId],
  };
}

/**
 * Every query names the owner: another user's task is not found, whatever is asked of it.
 *
 * Which database answers: lists and statistics may be a moment old, so they come from the reader once that has all their
 * client wrote. A single task must be right for everybody straight after a write: it comes from the writer.
 */
export function createTasksRepository(database: Database) {
  return {
    /** Undefined when the user no longer exists (a token outlives its user by minutes). */
    async create(userId: number, fields: TaskFields): Promise<Task | undefined> {
      try {
        const { rows } = await database.writer.query<Task>({
          name: 'tasks-create',
          text: `insert into tasks (user_id, title, description, status, priority, due_at)
            values ($1, $2, $3, $4, $5, $6) returning ${COLUMNS}`,
          values: [userId, fields.title, fields.description, fields.status, fields.priority, fields.dueAt],
        });
        return rows[0];
      } catch (error) {
        const foreignKeyViolation = '23503';
        if (error instanceof Error && 'code' in error && error.code === foreignKeyViolation) return undefined;
        throw error;
      }
    },

    async find(userId: number, id: number): Promise<Task | undefined> {
      const { rows } = await database.writer.query<Task>({
        name: 'tasks-find',
        text: `select ${COLUMNS} from tasks where id = $2 and user_id = $1`,
        values: [userId, id],
      });
      return rows[0];
    },

    /** Changes the fields given, and no others; undefined when the user has no such task. */
    async update(userId: number, id: number, changes: TaskFieldChanges): Promise<Task | undefined> {
      const { rows } = await database.writer.query<Task>({
        name: 'tasks-update',
        text: `update tasks set
            title = coalesce($3, title),
            description = coalesce($4, description),
            status = coalesce($5, status),
            priority = coalesce($6, priority),
            due_at = case when $7 then $8 else due_at end,
            updated_at = now()
          where id = $2 and user_id = $1 returning ${COLUMNS}`,
        values: [
          userId,
          id,
          changes.title,
          changes.description,
          changes.status,
          changes.priority,
          changes.dueAt !== undefined,
          changes.dueAt,
        ],
      });
      return rows[0];
    },

    /** False when the user has no such task. */
    async remove(userId: number, id: number): Promise<boolean> {
      const { rowCount } = await database.writer.query({
        name: 'tasks-remove',
        text: 'delete from tasks where id = $2 and user_id = $1',
        values: [userId, id],
      });
      return rowCount === 1;
    },

    list(userId: number, query: TaskListQuery, after: WalPosition): Promise<Read<TaskPage>> {
      return database.read(after, async (from) => {
        const { rows } = await from.query<{ total: number } & (Task | { id: null })>(listStatement(userId, query));
        return {
          tasks: rows.flatMap(({ total, ...task }) => (task.id === null ? [] : [task])),
          totalTasks: rows[0]?.total ?? 0,
        };
      });
    },

    stats(userId: number, after: WalPosition): Promise<Read<TaskStats>> {
      return database.read(after, async (from) => {
        const { rows } = await from.query<{ status: TaskStatus; priority: TaskPriority; tasks: number }>(
          statsStatement(userId),
        );
        const stats = {
          total: 0,
          byStatus: { pending: 0, 'in-progress': 0, completed: 0 },
          byPriority: { low: 0, medium: 0, high: 0 },
        };
        for (const { status, priority, tasks } of rows) {
          stats.total += tasks;
          stats.byStatus[status] += tasks;
          stats.byPriority[priority] += tasks;
        }
        return stats;
      });
    },
  };
}
