import { z } from 'zod';
import { plainText, timestamp } from './envelope.ts';

export const taskStatuses = ['pending', 'in-progress', 'completed'] as const;
export const taskPriorities = ['low', 'medium', 'high'] as const;
/** What a list can be sorted by; a minus turns the order round. Tasks without a due time come last either way. */
export const taskSorts = [
  'createdAt',
  '-createdAt',
  'updatedAt',
  '-updatedAt',
  'dueAt',
  '-dueAt',
  'priority',
  '-priority',
  'title',
  '-title',
] as const;

const status = z.enum(taskStatuses);
const priority = z.enum(taskPriorities);
const title = plainText.min(1).max(200).regex(/\S/).meta({ description: 'not only white space' });
const description = plainText.max(5000);
const dueAt = z.union([timestamp, z.null()]);

/** A whole task: what POST creates and PUT replaces with. */
export const taskBody = z.object({
  title,
  description: description.default(''),
  status: status.default('pending'),
  priority: priority.default('medium'),
  dueAt: dueAt.default(null),
});

/** What PATCH changes: the fields given, at least one, and no other. */
export const taskChanges = z
  .object({ title, description, status, priority, dueAt })
  .partial()
  .meta({ anyOf: ['title', 'description', 'status', 'priority', 'dueAt'].map((field) => ({ required: [field] })) });

const task = z.object({
  id: z.int(),
  title: z.string(),
  description: z.string(),
  status,
  priority,
  dueAt: timestamp.nullable(),
  createdAt: timestamp,
  updatedAt: timestamp,
});

/** Ids stay below 2^53, so that a number holds them exactly. */
export const taskParams = z.object({ id: z.int().positive() });

export const taskListQuery = z.object({
  page: z.int().min(1).max(1_000_000).default(1),
  limit: z.int().min(1).max(100).default(10).meta({ description: 'tasks a page; more than 100 is refused' }),
  status: status.optional(),
  priority: priority.optional(),
  search: plainText
    .max(200)
    .optional()
    .meta({ description: 'text that title or description contain, in any case; no wildcards; empty for all' }),
  sort: z.enum(taskSorts).default('-createdAt'),
});

export const taskAnswer = z.object({ success: z.literal(true), task });

export const taskListAnswer = z.object({
  success: z.literal(true),
  tasks: z.array(task),
  pagination: z.object({
    currentPage: z.int(),
    totalPages: z.int().meta({ description: '0 when nothing matches' }),
    totalTasks: z.int(),
  }),
});

export const taskStatsAnswer = z.object({
  success: z.literal(true),
  stats: z.object({
    total: z.int(),
    byStatus: z.object({ pending: z.int(), 'in-progress': z.int(), completed: z.int() }),
    byPriority: z.object({ low: z.int(), medium: z.int(), high: z.int() }),
  }),
});

export type TaskBody = z.output<typeof taskBody>;
export type TaskChanges = z.output<typeof taskChanges>;
export type TaskListQuery = z.output<typeof taskListQuery>;
